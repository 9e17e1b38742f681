//! The t-J model.

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

/// The t-J model,
/// `H = −t Σ_<ij>,s P (c†_is c_js + c†_js c_is) P + J Σ_<ij> P (S_i · S_j − n_i n_j / 4) P`, where P projects onto
/// sites with at most one fermion.
///
/// Parameters: `t` and `J`, each one number, one a colour or one a bond; `penalty`, one number or one an orbital, if
/// it is set.
///
/// The space of the fermions has doubly occupied sites too. The
/// Hamiltonian neither creates nor removes double occupation, and the terms on bonds of such a site are 0. So a
/// sampler that moves along its elements and starts without any stays without any. Exact diagonalisation sees
/// all states of the space: raise the energy of doubly occupied sites with [`with_penalty`](Self::with_penalty),
/// or the lowest state may have some.
///
/// ```
/// use operator_core::{Boundary, Graph, Model, TJ, hilbert::SpinOrbitalFermions};
/// let square = Graph::square(4, Boundary::Periodic)?;
/// let two_holes = SpinOrbitalFermions::with_spin(16, 0.5)?.with_n_fermions_per_spin(&[7, 7])?;
/// assert!(TJ::new(two_holes, &square, 1.0, 0.4)?.definition()?.is_hermitian());
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Source
/// K. A. Chao, J. Spałek, A. M. Oleś, Kinetic exchange interaction in a narrow S-band, J. Phys. C 10, L271
/// (1977).
#[derive(Clone, Debug, PartialEq)]
pub struct TJ {
    hilbert: SpinOrbitalFermions,
    graph: Graph,
    t: ParameterValue,
    j: ParameterValue,
    penalty: Option<ParameterValue>,
}

impl TJ {
    /// The model on the bonds of a graph of orbitals, with hopping `t` and exchange `j` (J).
    ///
    /// # Errors
    /// [`Error::WrongHilbert`](crate::Error::WrongHilbert) off fermions of spin 1/2;
    /// [`Error::Count`](crate::Error::Count) unless the graph has one site an orbital.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        t: impl Into<ParameterValue>,
        j: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let hilbert = electrons(hilbert.into(), "TJ")?;
        check_orbital_graph(&hilbert, graph)?;
        Ok(TJ { hilbert, graph: graph.clone(), t: t.into(), j: j.into(), penalty: None })
    }

    /// Adds `penalty · Σ_i n_i↑ n_i↓`, the energy of a doubly occupied site.
    #[must_use]
    pub fn with_penalty(mut self, penalty: impl Into<ParameterValue>) -> Self {
        self.penalty = Some(penalty.into());
        self
    }

    /// The modes of a site in each spin state, down and up.
    fn modes(&self, orbital: usize) -> Result<[usize; 2]> {
        Ok([self.hilbert.mode(orbital, 0)?, self.hilbert.mode(orbital, 1)?])
    }
}

/// n of a mode.
fn filled(mode: usize) -> [Ladder; 2] {
    [Ladder::create(mode), Ladder::destroy(mode)]
}

/// 1 − n of a mode. As a string it keeps the projected terms one string each.
fn empty(mode: usize) -> [Ladder; 2] {
    [Ladder::destroy(mode), Ladder::create(mode)]
}

impl Model for TJ {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone().into())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let t = terms.bond_parameter("t", self.t.clone(), &self.graph)?;
        let exchange = terms.bond_parameter("J", self.j.clone(), &self.graph)?;
        for (bond, &[i, j]) in self.graph.edges().iter().enumerate() {
            let (i, j, exchange) = (self.modes(i)?, self.modes(j)?, exchange.at(bond)?);
            for (spin, other) in [(0, 1), (1, 0)] {
                let single = [empty(i[other]), empty(j[other])].concat();
                for (to, from) in [(i[spin], j[spin]), (j[spin], i[spin])] {
                    let hop = [Ladder::create(to), Ladder::destroy(from)];
                    terms.fermion(-t.at(bond)?, &[&hop, &single[..]].concat())?;
                }
                // Between singly occupied sites, Sz Sz − n n / 4 is −1/2 where the spins are opposite and 0
                // elsewhere.
                let opposite = [filled(i[spin]), empty(i[other]), filled(j[other]), empty(j[spin])];
                terms.fermion(-0.5 * exchange, &opposite.concat())?;
                // (S+ S−) / 2, which is 0 by itself unless both sites are singly occupied.
                let swap = [
                    [Ladder::create(i[other]), Ladder::destroy(i[spin])],
                    [Ladder::create(j[spin]), Ladder::destroy(j[other])],
                ];
                terms.fermion(0.5 * exchange, &swap.concat())?;
            }
        }
        if let Some(penalty) = &self.penalty {
            let n_orbitals = self.graph.n_nodes();
            let penalty = terms.item_parameter("penalty", penalty.clone(), "orbital", n_orbitals)?;
            for orbital in 0..n_orbitals {
                terms.fermion(penalty.at(orbital)?, &self.modes(orbital)?.map(filled).concat())?;
            }
        }
        Ok(())
    }

    fn name(&self) -> String {
        "TJ".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for TJ {
    const NAME: &'static str = "tj";

    fn write(&self) -> Value {
        graph_to_json(&self.graph)
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let (t, j) = (spec.key("t")?.parameter()?, spec.key("J")?.parameter()?);
        let model = Self::new(hilbert.clone(), &orbital_graph(spec, &hilbert)?, t, j)?;
        match spec.optional("penalty")? {
            Some(penalty) => model.with_penalty(penalty.parameter()?).definition(),
            None => model.definition(),
        }
    }
}
