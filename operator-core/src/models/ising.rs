//! The transverse-field Ising model.

#[cfg(feature = "serde")]
use serde_json::Value;

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::{check_graph, check_two_level};
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::Result;
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;
use crate::parameters::ParameterValue;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written, graph, graph_to_json};
use crate::terms::{Pauli, Terms};

/// The transverse-field Ising model, `H = −h Σ_i σx_i + J Σ_<ij> σz_i σz_j`.
///
/// Parameters: `h`, one number or one a site, and `J`, one number, one a colour or one a bond.
///
/// ```
/// use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
/// let chain = Graph::chain(10, Boundary::Periodic)?;
/// let critical = Ising::new(Spin::half(10)?, &chain, 1.0, -1.0)?.definition()?;
/// assert_eq!(critical.max_conn_size(), 11);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ising {
    hilbert: HilbertSpace,
    graph: Graph,
    h: ParameterValue,
    j: ParameterValue,
}

impl Ising {
    /// The model on the bonds of `graph` with field `h` and coupling `j` (J).
    ///
    /// # Errors
    /// [`Error::WrongHilbert`](crate::Error::WrongHilbert) off spins 1/2 and qubits;
    /// [`Error::Count`](crate::Error::Count) if the graph has another number of sites.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        h: impl Into<ParameterValue>,
        j: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        check_two_level(&hilbert, "Ising")?;
        check_graph(&hilbert, graph)?;
        Ok(Ising { hilbert, graph: graph.clone(), h: h.into(), j: j.into() })
    }
}

impl Model for Ising {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let n_sites = self.graph.n_nodes();
        let h = terms.item_parameter("h", self.h.clone(), "site", n_sites)?;
        let j = terms.bond_parameter("J", self.j.clone(), &self.graph)?;
        for site in 0..n_sites {
            terms.pauli(-h.at(site)?, &[(site, Pauli::X)])?;
        }
        for (bond, &[a, b]) in self.graph.edges().iter().enumerate() {
            terms.pauli(j.at(bond)?, &[(a, Pauli::Z), (b, Pauli::Z)])?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        "Ising".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for Ising {
    const NAME: &'static str = "ising";

    fn write(&self) -> Value {
        graph_to_json(&self.graph)
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let (h, j) = (spec.key("h")?.parameter()?, spec.key("J")?.parameter()?);
        Self::new(hilbert.clone(), &graph(spec, &hilbert)?, h, j)?.definition()
    }
}
