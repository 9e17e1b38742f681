//! Kitaev's honeycomb model.

#[cfg(feature = "serde")]
use serde_json::Value;

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
use crate::spec::{Reader, Written, graph, graph_to_json};
use crate::terms::{Pauli, Terms};

/// The matrix and the parameter of each edge colour.
const KINDS: [(Pauli, &str); 3] = [(Pauli::X, "Jx"), (Pauli::Y, "Jy"), (Pauli::Z, "Jz")];

/// Kitaev's honeycomb model, `H = −Jx Σ_x σx σx − Jy Σ_y σy σy − Jz Σ_z σz σz`, each sum over the bonds of one
/// direction.
///
/// Edges of colour 0, 1 and 2 are the x, y and z bonds, as [`Graph::kitaev_honeycomb`] colours them.
/// Positive couplings are ferromagnetic, as in Kitaev's paper.
///
/// Parameters: `Jx`, `Jy` and `Jz`, each one number or one a bond of its direction, in the order of the edges.
///
/// ```
/// use operator_core::{Boundary, Graph, KitaevHoneycomb, Model, hilbert::Spin};
/// let honeycomb = Graph::kitaev_honeycomb([3, 3], Boundary::Periodic)?;
/// let kitaev = KitaevHoneycomb::new(Spin::half(18)?, &honeycomb, 1.0, 1.0, 1.0)?.definition()?;
/// assert_eq!(kitaev.max_conn_size(), 1 + 18);
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Source
/// A. Kitaev, Anyons in an exactly solved model and beyond, Ann. Phys. 321, 2 (2006), section 2.
#[derive(Clone, Debug, PartialEq)]
pub struct KitaevHoneycomb {
    hilbert: HilbertSpace,
    graph: Graph,
    couplings: [ParameterValue; 3],
}

impl KitaevHoneycomb {
    /// The model on the bonds of `graph` with couplings `jx`, `jy`, `jz` (Jx, Jy, Jz).
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are spins 1/2 or qubits;
    /// [`Error::Count`] if the graph has another number of
    /// sites; [`Error::Lattice`] if it has more than three colours, or a site has two edges of one colour.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        jx: impl Into<ParameterValue>,
        jy: impl Into<ParameterValue>,
        jz: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        check_two_level(&hilbert, "KitaevHoneycomb")?;
        check_graph(&hilbert, graph)?;
        check_colors(graph)?;
        Ok(KitaevHoneycomb { hilbert, graph: graph.clone(), couplings: [jx.into(), jy.into(), jz.into()] })
    }
}

/// Checks that the colours can be the three directions of a honeycomb lattice.
fn check_colors(graph: &Graph) -> Result<()> {
    const REMEDY: &str = "colour the edges by direction, as Graph::kitaev_honeycomb does";
    if graph.n_colors() > KINDS.len() {
        return Err(Error::Lattice(format!(
            "{} edge colours; expected at most 3: {REMEDY}",
            graph.n_colors()
        )));
    }
    let mut taken = vec![[false; KINDS.len()]; graph.n_nodes()];
    for (edge, &color) in graph.edges().iter().zip(graph.edge_colors()) {
        for &site in edge {
            if std::mem::replace(&mut taken[site][color], true) {
                return Err(Error::Lattice(format!("site {site} has two edges of colour {color}; {REMEDY}")));
            }
        }
    }
    Ok(())
}

impl Model for KitaevHoneycomb {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        for (color, ((pauli, name), value)) in KINDS.into_iter().zip(&self.couplings).enumerate() {
            let bonds: Vec<[usize; 2]> = self.graph.edges_of_color(color).collect();
            let item = format!("edge of colour {color}");
            let j = terms.item_parameter(name, value.clone(), &item, bonds.len())?;
            for (bond, [a, b]) in bonds.into_iter().enumerate() {
                terms.pauli(-j.at(bond)?, &[(a, pauli), (b, pauli)])?;
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        "KitaevHoneycomb".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for KitaevHoneycomb {
    const NAME: &'static str = "kitaev_honeycomb";

    fn write(&self) -> Value {
        graph_to_json(&self.graph)
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let graph = graph(spec, &hilbert)?;
        let (jx, jy) = (spec.key("Jx")?.parameter()?, spec.key("Jy")?.parameter()?);
        Self::new(hilbert, &graph, jx, jy, spec.key("Jz")?.parameter()?)?.definition()
    }
}
