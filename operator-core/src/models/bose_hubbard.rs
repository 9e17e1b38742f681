//! The extended Bose-Hubbard model.

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
use crate::terms::{SiteMatrix, Terms, destroy, number};

/// The extended Bose-Hubbard model,
/// `H = −J Σ_<ij> (b†_i b_j + b†_j b_i) + U/2 Σ_i n_i (n_i − 1) + V Σ_<ij> n_i n_j − mu Σ_i n_i`.
///
/// Parameters: `J` and `V`, each one number, one a colour or one a bond; `U` and `mu`, each one number or one a
/// site. By default J is 1, and V and mu are 0.
///
/// Hops onto a site that holds n_max bosons are left out. On a space with a fixed number of bosons, mu only
/// shifts the energy.
///
/// ```
/// use operator_core::{BoseHubbard, Boundary, Graph, Model, hilbert::Fock};
/// let chain = Graph::chain(8, Boundary::Periodic)?;
/// let space = Fock::new(4, 8)?.with_n_particles(8)?;
/// let mott = BoseHubbard::new(space, &chain, 10.0)?.with_v(0.5).definition()?;
/// assert_eq!(mott.to_string(), "BoseHubbard(J = 1, U = 10, V = 0.5, mu = 0) on Fock(n_max = 4, 8 sites, n_particles = 8)");
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Source
/// M. P. A. Fisher et al., Boson localization and the superfluid-insulator transition, Phys. Rev. B 40, 546
/// (1989).
#[derive(Clone, Debug, PartialEq)]
pub struct BoseHubbard {
    hilbert: HilbertSpace,
    graph: Graph,
    j: ParameterValue,
    u: ParameterValue,
    v: ParameterValue,
    mu: ParameterValue,
}

impl BoseHubbard {
    /// The model on the bonds of `graph` with on-site interaction `u` (U).
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] off bosons; [`Error::Count`] if the graph has another number of sites.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        graph: &Graph,
        u: impl Into<ParameterValue>,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        if !matches!(hilbert, HilbertSpace::Fock(_)) {
            return Err(Error::WrongHilbert {
                term: "BoseHubbard".into(),
                hilbert: hilbert.to_string(),
                reason: "its sites hold bosons, so it needs a Fock space",
            });
        }
        check_graph(&hilbert, graph)?;
        let (j, v, mu) = (1.0.into(), 0.0.into(), 0.0.into());
        Ok(BoseHubbard { hilbert, graph: graph.clone(), j, u: u.into(), v, mu })
    }

    /// Sets the hopping J, 1 by default.
    #[must_use]
    pub fn with_j(mut self, j: impl Into<ParameterValue>) -> Self {
        self.j = j.into();
        self
    }

    /// Sets the interaction of neighbours V, 0 by default.
    #[must_use]
    pub fn with_v(mut self, v: impl Into<ParameterValue>) -> Self {
        self.v = v.into();
        self
    }

    /// Sets the chemical potential mu, 0 by default.
    #[must_use]
    pub fn with_mu(mut self, mu: impl Into<ParameterValue>) -> Self {
        self.mu = mu.into();
        self
    }
}

impl Model for BoseHubbard {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let n_sites = self.graph.n_nodes();
        let j = terms.bond_parameter("J", self.j.clone(), &self.graph)?;
        let u = terms.item_parameter("U", self.u.clone(), "site", n_sites)?;
        let v = terms.bond_parameter("V", self.v.clone(), &self.graph)?;
        let mu = terms.item_parameter("mu", self.mu.clone(), "site", n_sites)?;
        // All sites and all bonds share these.
        let dim = self.hilbert.local_dim(0);
        let (number, lower) = (number(dim), destroy(dim));
        let raise = lower.transpose();
        let pairs = SiteMatrix::diagonal(dim, |n| (n as f64) * (n as f64 - 1.0));
        for site in 0..n_sites {
            terms.product(0.5 * u.at(site)?, &[(site, pairs.clone())])?;
            terms.product(-mu.at(site)?, &[(site, number.clone())])?;
        }
        for (bond, &[a, b]) in self.graph.edges().iter().enumerate() {
            terms.product(-j.at(bond)?, &[(a, raise.clone()), (b, lower.clone())])?;
            terms.product(-j.at(bond)?, &[(a, lower.clone()), (b, raise.clone())])?;
            terms.product(v.at(bond)?, &[(a, number.clone()), (b, number.clone())])?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        "BoseHubbard".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for BoseHubbard {
    const NAME: &'static str = "bose_hubbard";

    fn write(&self) -> Value {
        graph_to_json(&self.graph)
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let graph = graph(spec, &hilbert)?;
        let mut model = Self::new(hilbert, &graph, spec.key("U")?.parameter()?)?;
        if let Some(j) = spec.optional("J")? {
            model = model.with_j(j.parameter()?);
        }
        if let Some(v) = spec.optional("V")? {
            model = model.with_v(v.parameter()?);
        }
        if let Some(mu) = spec.optional("mu")? {
            model = model.with_mu(mu.parameter()?);
        }
        model.definition()
    }
}
