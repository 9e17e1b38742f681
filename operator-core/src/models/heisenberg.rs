//! The Heisenberg model.

#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::{check_graph, check_two_level};
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;
use crate::parameters::ParameterValue;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written, colored_graph};
use crate::terms::{Pauli, Terms};

/// The Heisenberg model in Pauli matrices, `H = Σ_<ij> J_c (σx σx + σy σy + σz σz)`, c the bond's colour.
///
/// Parameter: `J`, a scalar if all bonds have one colour, otherwise one value per colour. With neighbour
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
/// colour this is Marshall's change of basis, which makes the ground state positive. There it is on by default,
/// elsewhere off.
///
/// ```
/// use operator_core::{Boundary, Graph, Heisenberg, Model, hilbert::Spin};
/// let square = Graph::square(4, Boundary::Periodic)?;
/// let space = Spin::half(16)?.with_total_sz(0.0)?;
/// let model = Heisenberg::new(space, &square, 1.0)?.definition()?;
/// assert!(model.is_real() && model.is_hermitian());
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Heisenberg {
    hilbert: HilbertSpace,
    graph: Graph,
    j: ParameterValue,
    sign_rule: Vec<bool>,
}

impl Heisenberg {
    /// The model on the bonds of `graph` with coupling `j` (J), one value or one per colour.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are spins 1/2 or qubits;
    /// [`Error::Count`] if the graph has another number of
    /// sites; [`Error::ParameterLength`] unless `j` has one value per colour.
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
    /// [`Error::Count`] if there is not one value per colour.
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

    fn name(&self) -> String {
        "Heisenberg".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for Heisenberg {
    const NAME: &'static str = "heisenberg";

    fn write(&self) -> Value {
        let mut spec = json!({
            "edges": self.graph.edges(),
            "sign_rule": self.sign_rule,
        });
        if self.graph.n_colors() > 1 {
            spec["edge_colors"] = self.graph.edge_colors().into();
        } else {
            spec["sign_rule"] = self.sign_rule[0].into();
        }
        spec
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let graph = colored_graph(spec, &hilbert)?;
        let model = Self::new(hilbert, &graph, spec.key("J")?.parameter()?)?;
        let n_colors = graph.n_colors().max(1);
        let model = match spec.optional("sign_rule")? {
            None => model,
            Some(rule) if rule.is_array() => {
                let rules = rule.items()?.map(|item| item.bool()).collect::<Result<Vec<_>>>()?;
                if rules.len() != n_colors {
                    return rule.wrong_len(rules.len(), n_colors, "one an edge colour");
                }
                model.with_sign_rule(&rules)?
            }
            Some(rule) => model.with_sign_rule(&vec![rule.bool()?; n_colors])?,
        };
        model.definition()
    }
}
