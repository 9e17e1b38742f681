use super::{Model, check_graph, check_two_level};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;
use crate::parameters::ParameterValue;
use crate::terms::{Pauli, Terms};

/// The Heisenberg model in Pauli matrices, `H = Σ_<ij> J_c (σx σx + σy σy + σz σz)`, c the bond's colour.
///
/// Parameter: `J`, a scalar where all bonds have one colour, otherwise one value a colour. With neighbour
/// orders as colours this is J1-J2-…:
///
/// ```
/// use operator_core::{Heisenberg, Model, graph::Lattice, hilbert::Spin};
/// let square = Lattice::square([4, 4]).neighbors(2).build()?;
/// let j1_j2 = Heisenberg::new(Spin::half(16)?.with_total_sz(0.0)?, &square, [1.0, 0.5])?.definition()?;
/// assert_eq!(j1_j2.parameters().to_string(), "J = [1.0, 0.5]");
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// The sign rule of a colour flips the sign of its exchange part σx σx + σy σy. On a bipartite graph with one
/// colour this is Marshall's change of basis, which makes the ground state positive; it is on by default
/// there and off elsewhere.
///
/// ```
/// use operator_core::{Boundary, Graph, Heisenberg, Model, hilbert::Spin};
/// let square = Graph::square(4, Boundary::Periodic)?;
/// let space = Spin::half(16)?.with_total_sz(0.0)?;
/// let model = Heisenberg::new(space, &square, 1.0)?.definition()?;
/// assert!(model.is_real() && model.is_hermitian());
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heisenberg {
    hilbert: HilbertSpace,
    graph: Graph,
    j: ParameterValue,
    sign_rule: Vec<bool>,
}

impl Heisenberg {
    /// The model on the bonds of `graph` with coupling `j` (J), one value or one a colour.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] off spins 1/2 and qubits; [`Error::Count`] if the graph has another number of
    /// sites; [`Error::ParameterLength`] if `j` has not one value a colour.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        j: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let (hilbert, j) = (hilbert.into(), j.into());
        check_two_level(&hilbert, "Heisenberg")?;
        check_graph(&hilbert, graph)?;
        let n_colors = graph.n_colors();
        let (got, expected) = (j.as_slice().len(), n_colors.max(1));
        if got != expected {
            return Err(Error::ParameterLength { name: "J".into(), got, expected });
        }
        let marshall = n_colors == 1 && graph.is_bipartite();
        Ok(Heisenberg { hilbert, graph: graph.clone(), j, sign_rule: vec![marshall; expected] })
    }

    /// Sets the sign rule of each colour.
    ///
    /// # Errors
    /// [`Error::Count`] if there is not one value a colour.
    pub fn with_sign_rule(mut self, sign_rule: &[bool]) -> Result<Self> {
        if sign_rule.len() != self.sign_rule.len() {
            return Err(Error::Count {
                what: "sign rules".into(),
                got: sign_rule.len(),
                expected: format!("{}, one an edge colour", self.sign_rule.len()),
            });
        }
        self.sign_rule = sign_rule.to_vec();
        Ok(self)
    }
}

impl Model for Heisenberg {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let j = terms.parameter("J", self.j.clone())?;
        for (&[a, b], &color) in self.graph.edges().iter().zip(self.graph.edge_colors()) {
            let j = j.at(color)?;
            let exchange = if self.sign_rule[color] { -1.0 } else { 1.0 };
            terms.pauli(exchange * j, &[(a, Pauli::X), (b, Pauli::X)])?;
            terms.pauli(exchange * j, &[(a, Pauli::Y), (b, Pauli::Y)])?;
            terms.pauli(j, &[(a, Pauli::Z), (b, Pauli::Z)])?;
        }
        Ok(())
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<serde_json::Value> {
        let mut spec = serde_json::json!({
            "model": "heisenberg",
            "hilbert": crate::spec::hilbert_to_json(&self.hilbert),
            "edges": self.graph.edges(),
            "sign_rule": self.sign_rule,
        });
        if self.graph.n_colors() > 1 {
            spec["edge_colors"] = self.graph.edge_colors().into();
        } else {
            spec["sign_rule"] = self.sign_rule[0].into();
        }
        Some(spec)
    }
}
