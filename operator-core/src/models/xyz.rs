//! The anisotropic Heisenberg model, XYZ and XXZ.

#[cfg(feature = "serde")]
use serde_json::Value;

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::check_graph;
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;
use crate::parameters::ParameterValue;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written, graph, graph_to_json};
use crate::terms::{BondParameter, Coefficient, Pauli, SiteMatrix, Terms, twice_spin};

/// The anisotropic Heisenberg model,
/// `H = Σ_<ij> (Jx X_i X_j + Jy Y_i Y_j + Jz Z_i Z_j) − h Σ_i Z_i`.
///
/// X, Y and Z are the Pauli matrices on spins 1/2 and qubits, as in [`Heisenberg`](crate::Heisenberg), and
/// twice the spin operators, `2 Sx`, `2 Sy` and `2 Sz`, on spins of any length s, which is the same for
/// s = 1/2. A coupling J between spin operators S·S is thus J/4 here.
///
/// Parameters: `Jx`, `Jy`, `Jz`, each one number, one a colour or one a bond; `h`, one number or one a site, if
/// a field is set. The XXZ model has one parameter `Jxy` in place of Jx and Jy, so that it keeps the
/// magnetisation whatever its value; only then does it act on a space of fixed `total_sz`.
///
/// ```
/// use operator_core::{Boundary, Graph, Model, Xyz, hilbert::Spin};
/// let chain = Graph::chain(6, Boundary::Periodic)?;
/// let haldane = Xyz::xxz(Spin::new(1.0, 6)?.with_total_sz(0.0)?, &chain, 0.25, 1.0)?.definition()?;
/// assert_eq!(haldane.parameters().to_string(), "Jxy = 0.25, Jz = 0.25");
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Xyz {
    hilbert: HilbertSpace,
    graph: Graph,
    in_plane: InPlane,
    jz: ParameterValue,
    h: Option<ParameterValue>,
}

/// The couplings of X and Y.
#[derive(Clone, Debug, PartialEq)]
enum InPlane {
    Different { jx: ParameterValue, jy: ParameterValue },
    Equal { jxy: ParameterValue },
}

impl Xyz {
    /// The model on the bonds of `graph` with couplings `jx`, `jy`, `jz` (Jx, Jy, Jz) and no field.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are spins or qubits;
    /// [`Error::Count`] if the graph has another number of
    /// sites.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        jx: impl Into<ParameterValue>,
        jy: impl Into<ParameterValue>,
        jz: impl Into<ParameterValue>,
    ) -> Result<Self> {
        Self::build(hilbert.into(), graph, InPlane::Different { jx: jx.into(), jy: jy.into() }, jz.into())
    }

    /// The XXZ model, `H = J Σ_<ij> (X_i X_j + Y_i Y_j + Δ Z_i Z_j)`: its parameters are `Jxy` = J and
    /// `Jz` = J Δ.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn xxz(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        j: impl Into<ParameterValue>,
        delta: f64,
    ) -> Result<Self> {
        let jxy = j.into();
        let jz: ParameterValue = match &jxy {
            ParameterValue::Scalar(j) => (j * delta).into(),
            ParameterValue::Array(values) => values.iter().map(|j| j * delta).collect::<Vec<_>>().into(),
        };
        Self::uniaxial(hilbert, graph, jxy, jz)
    }

    /// The XXZ model with couplings `jxy` (Jxy) of X and Y and `jz` (Jz) of Z.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn uniaxial(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        jxy: impl Into<ParameterValue>,
        jz: impl Into<ParameterValue>,
    ) -> Result<Self> {
        Self::build(hilbert.into(), graph, InPlane::Equal { jxy: jxy.into() }, jz.into())
    }

    fn build(hilbert: HilbertSpace, graph: &Graph, in_plane: InPlane, jz: ParameterValue) -> Result<Self> {
        if !matches!(hilbert, HilbertSpace::Spin(_) | HilbertSpace::Qubit(_)) {
            return Err(Error::WrongHilbert {
                term: "Xyz".into(),
                hilbert: hilbert.to_string(),
                reason: "it is written in spin operators, for spins or qubits",
            });
        }
        check_graph(&hilbert, graph)?;
        Ok(Xyz { hilbert, graph: graph.clone(), in_plane, jz, h: None })
    }

    /// Adds the field `h`, `− h Σ_i Z_i`.
    #[must_use]
    pub fn with_field(mut self, h: impl Into<ParameterValue>) -> Self {
        self.h = Some(h.into());
        self
    }

    /// The parameters that multiply X X and Y Y.
    fn in_plane(&self, terms: &mut Terms) -> Result<[BondParameter<'_>; 2]> {
        match &self.in_plane {
            InPlane::Different { jx, jy } => Ok([
                terms.bond_parameter("Jx", jx.clone(), &self.graph)?,
                terms.bond_parameter("Jy", jy.clone(), &self.graph)?,
            ]),
            InPlane::Equal { jxy } => Ok([terms.bond_parameter("Jxy", jxy.clone(), &self.graph)?; 2]),
        }
    }
}

impl Model for Xyz {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let n_sites = self.graph.n_nodes();
        let [jx, jy] = self.in_plane(terms)?;
        let jz = terms.bond_parameter("Jz", self.jz.clone(), &self.graph)?;
        let operators = SpinOperators::new(self.hilbert.local_dim(0));
        for (bond, &edge) in self.graph.edges().iter().enumerate() {
            for (pauli, j) in [(Pauli::X, jx), (Pauli::Y, jy), (Pauli::Z, jz)] {
                operators.pair(terms, j.at(bond)?.into(), pauli, edge)?;
            }
        }
        if let Some(h) = &self.h {
            let h = terms.item_parameter("h", h.clone(), "site", n_sites)?;
            for site in 0..n_sites {
                let h = h.at(site)?;
                operators.field(terms, -h, site)?;
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        "Xyz".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for Xyz {
    const NAME: &'static str = "xyz";

    fn write(&self) -> Value {
        graph_to_json(&self.graph)
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let (graph, jz) = (graph(spec, &hilbert)?, spec.key("Jz")?.parameter()?);
        let model = match spec.optional("Jxy")? {
            Some(jxy) => Self::uniaxial(hilbert, &graph, jxy.parameter()?, jz)?,
            None => {
                let (jx, jy) = (spec.key("Jx")?.parameter()?, spec.key("Jy")?.parameter()?);
                Self::new(hilbert, &graph, jx, jy, jz)?
            }
        };
        match spec.optional("h")? {
            Some(h) => model.with_field(h.parameter()?).definition(),
            None => model.definition(),
        }
    }
}

/// How X, Y and Z are written on sites of two local states and of more.
enum SpinOperators {
    Pauli,
    Matrices([SiteMatrix; 3]),
}

impl SpinOperators {
    fn new(dim: usize) -> Self {
        if dim == 2 {
            return SpinOperators::Pauli;
        }
        SpinOperators::Matrices(twice_spin(dim))
    }

    /// Adds X X, Y Y or Z Z.
    fn pair(&self, terms: &mut Terms, j: Coefficient, pauli: Pauli, [a, b]: [usize; 2]) -> Result<()> {
        match self {
            SpinOperators::Pauli => terms.pauli(j, &[(a, pauli), (b, pauli)])?,
            SpinOperators::Matrices(matrices) => {
                let matrix = &matrices[pauli as usize];
                terms.product(j, &[(a, matrix.clone()), (b, matrix.clone())])?
            }
        };
        Ok(())
    }

    /// Adds Z.
    fn field(&self, terms: &mut Terms, h: Coefficient, site: usize) -> Result<()> {
        match self {
            SpinOperators::Pauli => terms.pauli(h, &[(site, Pauli::Z)])?,
            SpinOperators::Matrices([_, _, z]) => terms.product(h, &[(site, z.clone())])?,
        };
        Ok(())
    }
}
