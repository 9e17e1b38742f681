//! The Fermi-Hubbard model.

#[cfg(feature = "serde")]
use serde_json::Value;

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::{check_orbital_graph, electrons};
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::Result;
use crate::graph::Graph;
use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};
use crate::parameters::ParameterValue;
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written, graph_to_json, orbital_graph};
use crate::terms::{Ladder, Terms};

/// The Fermi-Hubbard model, `H = −t Σ_<ij>,s (c†_is c_js + c†_js c_is) + U Σ_i n_i↑ n_i↓`.
///
/// Parameters: `t`, one number, one a colour or one a bond, and `U`, one number or one an orbital.
///
/// ```
/// use operator_core::{Boundary, FermiHubbard, Graph, Model, hilbert::SpinOrbitalFermions};
/// let ladder = Graph::grid(&[3, 2], Boundary::Open)?;
/// let space = SpinOrbitalFermions::with_spin(6, 0.5)?.with_n_fermions_per_spin(&[3, 3])?;
/// let hubbard = FermiHubbard::new(space, &ladder, 1.0, 8.0)?.definition()?;
/// assert!(hubbard.is_real() && hubbard.is_hermitian());
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Source
/// J. Hubbard, Electron correlations in narrow energy bands, Proc. R. Soc. A 276, 238 (1963).
#[derive(Clone, Debug, PartialEq)]
pub struct FermiHubbard {
    hilbert: SpinOrbitalFermions,
    graph: Graph,
    t: ParameterValue,
    u: ParameterValue,
}

impl FermiHubbard {
    /// The model on the bonds of a graph of orbitals, with hopping `t` and interaction `u` (U).
    ///
    /// # Errors
    /// [`Error::WrongHilbert`](crate::Error::WrongHilbert) off fermions of spin 1/2;
    /// [`Error::Count`](crate::Error::Count) unless the graph has one site an orbital.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        t: impl Into<ParameterValue>,
        u: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let hilbert = electrons(hilbert.into(), "FermiHubbard")?;
        check_orbital_graph(&hilbert, graph)?;
        Ok(FermiHubbard { hilbert, graph: graph.clone(), t: t.into(), u: u.into() })
    }
}

impl Model for FermiHubbard {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone().into())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let n_orbitals = self.graph.n_nodes();
        let t = terms.bond_parameter("t", self.t.clone(), &self.graph)?;
        let u = terms.item_parameter("U", self.u.clone(), "orbital", n_orbitals)?;
        for (bond, &[i, j]) in self.graph.edges().iter().enumerate() {
            for spin in 0..2 {
                let (i, j) = (self.hilbert.mode(i, spin)?, self.hilbert.mode(j, spin)?);
                terms.fermion(-t.at(bond)?, &[Ladder::create(i), Ladder::destroy(j)])?;
                terms.fermion(-t.at(bond)?, &[Ladder::create(j), Ladder::destroy(i)])?;
            }
        }
        for orbital in 0..n_orbitals {
            let (down, up) = (self.hilbert.mode(orbital, 0)?, self.hilbert.mode(orbital, 1)?);
            let [up, down] = [up, down].map(|mode| [Ladder::create(mode), Ladder::destroy(mode)]);
            terms.fermion(u.at(orbital)?, &[up, down].concat())?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        "FermiHubbard".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for FermiHubbard {
    const NAME: &'static str = "fermi_hubbard";

    fn write(&self) -> Value {
        graph_to_json(&self.graph)
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let (t, u) = (spec.key("t")?.parameter()?, spec.key("U")?.parameter()?);
        Self::new(hilbert.clone(), &orbital_graph(spec, &hilbert)?, t, u)?.definition()
    }
}
