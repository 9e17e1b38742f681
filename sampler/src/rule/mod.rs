//! Rules, which propose the next move of a chain.

mod conserved;
pub(crate) mod exchange;
mod hamiltonian;
pub(crate) mod local;
mod mixture;
mod site_moves;

use ndarray::Axis;
use operator_core::{Backend, HilbertSpace};

pub use conserved::{Conserved, Sector};
pub use exchange::ExchangeRule;
pub use hamiltonian::HamiltonianRule;
pub use local::LocalRule;
pub use mixture::MixtureRule;
pub use site_moves::SiteMoves;

use crate::backend::{self, DeviceChains};
use crate::changes::differences;
use crate::check::expect_count;
use crate::error::Result;
use crate::rng::ChainRng;

/// The space and the device of the chains, for authors of a [`Rule`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Place<'a, B: Backend> {
    /// The space of the configurations.
    pub hilbert: &'a HilbertSpace,
    /// The device of the configurations.
    pub device: &'a B::Device,
}

/// One proposed configuration for each chain. For authors of a [`Rule`].
#[derive(Clone, Debug)]
pub struct Proposal<B: Backend> {
    configurations: B::Configurations,
    log_correction: Vec<f64>,
}

impl<B: Backend> Proposal<B> {
    /// The proposed x', shape `(n_chains, n_sites)`, all of them states of the space on the chains' device; and
    /// `ln q(x' → x) − ln q(x → x')` for the probabilities q of the rule, length `n_chains`.
    ///
    /// Samplers check the lengths.
    pub fn new(configurations: B::Configurations, log_correction: Vec<f64>) -> Self {
        Proposal { configurations, log_correction }
    }

    /// The proposed x', shape `(n_chains, n_sites)`.
    pub fn configurations(&self) -> &B::Configurations {
        &self.configurations
    }

    /// The proposed x', as [`configurations`](Self::configurations).
    pub fn into_configurations(self) -> B::Configurations {
        self.configurations
    }

    /// `ln q(x' → x) − ln q(x → x')` for the probabilities q of the rule, length `n_chains`.
    pub fn log_correction(&self) -> &[f64] {
        &self.log_correction
    }
}

/// Proposes where chains go, on the backend's own batches.
///
/// Implement [`HostRule`] for a rule that changes one row at a time on the host; it is a rule of every backend. A
/// rule must draw from the chain's own generator, so that chains depend neither on each other nor on threads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampling rule for backend `{B}`",
    note = "implement `sampler::HostRule` for a rule of every backend, or `sampler::Rule<{B}>` for this one"
)]
pub trait Rule<B: Backend>: Send + Sync {
    /// Proposes one x' for each row of `x`, of shape `(n_chains, n_sites)`. `rngs` has a generator for each row.
    ///
    /// # Errors
    /// [`Error::Isolated`](crate::Error::Isolated) for a state without moves;
    /// [`Error::Core`](crate::Error::Core) if the backend fails.
    fn propose(
        &self,
        place: Place<'_, B>,
        x: &B::Configurations,
        rngs: &mut [ChainRng],
    ) -> Result<Proposal<B>>;

    /// A name for messages; by default that of the type.
    fn describe(&self) -> String {
        short_name::<Self>()
    }

    /// The rows of `x` from which the rule has no move. Chains do not start there; usually there are none.
    ///
    /// # Errors
    /// As [`propose`](Self::propose).
    fn isolated(&self, _place: Place<'_, B>, _x: &B::Configurations) -> Result<Vec<usize>> {
        Ok(Vec::new())
    }

    /// What each block of the space keeps under the moves of the rule, in the order of
    /// [`blocks`](HilbertSpace::blocks); empty if it is not known. Diagnoses tell the user.
    ///
    /// # Errors
    /// As [`propose`](Self::propose).
    fn conserves(&self, _hilbert: &HilbertSpace) -> Result<Vec<Conserved>> {
        Ok(Vec::new())
    }

    /// Whether proposals are known to be states of the space, so that samplers need not check them.
    #[doc(hidden)]
    fn is_checked(&self) -> bool {
        false
    }

    /// The same rule for one chain at a time, if it can. Samplers use it if the wave function has a
    /// [`Walker`](operator_core::Walker).
    fn proposer<'a>(&'a self, _hilbert: &'a HilbertSpace) -> Option<Box<dyn Proposer + 'a>> {
        None
    }

    /// Chains at `x` that stay on their device and move by this rule, if the rule and the backend can.
    ///
    /// # Errors
    /// As [`propose`](Self::propose).
    #[doc(hidden)]
    fn device_chains<'a>(
        &'a self,
        _hilbert: &HilbertSpace,
        _x: &B::Configurations,
    ) -> Result<Option<Box<dyn DeviceChains<B> + 'a>>> {
        Ok(None)
    }

    /// Checks that the rule has a move from each row of `x`. Chains that stay on a device ask after a step that failed.
    ///
    /// # Errors
    /// [`Error::Isolated`](crate::Error::Isolated) for the first row without one.
    #[doc(hidden)]
    fn expect_moves(&self, _x: &B::Configurations) -> Result<()> {
        Ok(())
    }

    /// Checks that the rule works on a space. Called when a sampler is made.
    ///
    /// # Errors
    /// See each rule.
    fn check(&self, _hilbert: &HilbertSpace) -> Result<()> {
        Ok(())
    }

    /// Checks that the rule works on a device, which is the wave function's. Called when chains start.
    ///
    /// # Errors
    /// [`DeviceMismatch`](operator_core::Error::DeviceMismatch) if the rule holds something on another device.
    fn check_device(&self, _device: &B::Device) -> Result<()> {
        Ok(())
    }
}

/// Proposes for one chain at a time. Each thread has its own, with its working memory.
pub trait Proposer: Send {
    /// Adds the sites on which x' differs from `x`, (site, new quantum number), to `changes`, which is empty,
    /// and returns the correction `ln q(x' → x) − ln q(x → x')`.
    ///
    /// It draws as [`Rule::propose`] does. No site comes twice, and each value is new. `chain` is the number of the
    /// chain, for messages.
    ///
    /// # Errors
    /// As [`Rule::propose`].
    fn propose(
        &mut self,
        chain: usize,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64>;
}

/// A rule that changes one configuration on the host. It is a [`Rule`] on every backend.
///
/// A batch goes to the host, is changed row by row, and goes back to the device.
///
/// ```
/// use operator_core::{HilbertSpace, hilbert::Spin};
/// use rand::RngExt;
/// use sampler::{ChainRng, HostRule, MetropolisSampler};
///
/// /// Turns all spins over.
/// #[derive(Clone, Debug)]
/// struct Mirror;
///
/// impl HostRule for Mirror {
///     fn propose_row(&self, _: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> sampler::Result<f64> {
///         if rng.random() {
///             x.iter_mut().for_each(|spin| *spin = -*spin);
///         }
///         Ok(0.0)
///     }
/// }
///
/// let sampler = MetropolisSampler::<backend_flat::Flat, _>::from_rule(Spin::half(4)?, Mirror)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait HostRule: Send + Sync {
    /// Turns `x` into x' and returns the correction `ln q(x' → x) − ln q(x → x')`, 0 for symmetric rules.
    ///
    /// `x` is a state of `hilbert`, and must be one when this returns.
    ///
    /// # Errors
    /// See each rule.
    fn propose_row(&self, hilbert: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> Result<f64>;

    /// Adds the changes that [`propose_row`](Self::propose_row) would make, (site, new quantum number), to
    /// `changes`, which is empty, and returns the correction.
    ///
    /// The default changes a copy of `x` and compares.
    ///
    /// # Errors
    /// As [`propose_row`](Self::propose_row).
    fn propose_changes(
        &self,
        hilbert: &HilbertSpace,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64> {
        let mut to = x.to_vec();
        let log_correction = self.propose_row(hilbert, &mut to, rng)?;
        changes.extend(differences(x, &to));
        Ok(log_correction)
    }

    /// Checks that the rule works on a space. Called when a sampler is made.
    ///
    /// # Errors
    /// See each rule.
    fn check_space(&self, _hilbert: &HilbertSpace) -> Result<()> {
        Ok(())
    }

    /// What each block of the space keeps under the moves of the rule, as [`Rule::conserves`].
    fn conserves_of(&self, _hilbert: &HilbertSpace) -> Vec<Conserved> {
        Vec::new()
    }

    /// Whether proposals are known to be states of the space, so that samplers need not check them.
    #[doc(hidden)]
    fn stays(&self) -> bool {
        false
    }

    /// The rule as moves that kernels of devices know, if it is one of these.
    #[doc(hidden)]
    fn site_moves(&self) -> Option<SiteMoves> {
        None
    }
}

impl<B: Backend, R: HostRule> Rule<B> for R {
    fn propose(
        &self,
        place: Place<'_, B>,
        x: &B::Configurations,
        rngs: &mut [ChainRng],
    ) -> Result<Proposal<B>> {
        let mut x = B::to_host(x)?.as_standard_layout().into_owned();
        expect_count("generators", rngs.len(), x.nrows())?;
        let rows = x.axis_iter_mut(Axis(0)).zip(rngs);
        let log_correction = rows
            .map(|(row, rng)| {
                let row = row.into_slice().expect("rows of an array in standard layout are slices");
                self.propose_row(place.hilbert, row, rng)
            })
            .collect::<Result<Vec<f64>>>()?;
        Ok(Proposal::new(B::from_host(x.view(), place.device)?, log_correction))
    }

    fn proposer<'a>(&'a self, hilbert: &'a HilbertSpace) -> Option<Box<dyn Proposer + 'a>> {
        Some(Box::new(HostProposer { rule: self, hilbert }))
    }

    fn device_chains<'a>(
        &'a self,
        hilbert: &HilbertSpace,
        x: &B::Configurations,
    ) -> Result<Option<Box<dyn DeviceChains<B> + 'a>>> {
        let Some(moves) = self.site_moves() else { return Ok(None) };
        Ok(backend::device_chains(hilbert, &moves, x)?.map(|chains| chains as Box<dyn DeviceChains<B>>))
    }

    fn check(&self, hilbert: &HilbertSpace) -> Result<()> {
        self.check_space(hilbert)
    }

    fn conserves(&self, hilbert: &HilbertSpace) -> Result<Vec<Conserved>> {
        Ok(self.conserves_of(hilbert))
    }

    fn is_checked(&self) -> bool {
        self.stays()
    }
}

/// The name of a type without its path.
pub(crate) fn short_name<R: ?Sized>() -> String {
    let name = std::any::type_name::<R>();
    let (outer, inner) = name.split_once('<').map_or((name, ""), |(outer, inner)| (outer, inner));
    let outer = outer.rsplit("::").next().unwrap_or(outer);
    if inner.is_empty() { outer.into() } else { format!("{outer}<{inner}") }
}

struct HostProposer<'a, R> {
    rule: &'a R,
    hilbert: &'a HilbertSpace,
}

impl<R: HostRule> Proposer for HostProposer<'_, R> {
    fn propose(
        &mut self,
        _: usize,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64> {
        self.rule.propose_changes(self.hilbert, x, rng, changes)
    }
}
