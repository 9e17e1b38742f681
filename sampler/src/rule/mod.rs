//! What a chain may move to next.

pub(crate) mod exchange;
mod hamiltonian;
pub(crate) mod local;
mod mixture;

use ndarray::Axis;
use operator_core::{Backend, HilbertSpace};

pub use exchange::ExchangeRule;
pub use hamiltonian::HamiltonianRule;
pub use local::LocalRule;
pub use mixture::MixtureRule;

use crate::changes::differences;
use crate::check::expect_count;
use crate::error::Result;
use crate::rng::ChainRng;

/// Where a rule works: the space, and the device that its batches stay on. For authors of a [`Rule`].
#[derive(Clone, Copy, Debug)]
pub struct Place<'a, B: Backend> {
    /// The space of the configurations.
    pub hilbert: &'a HilbertSpace,
    /// The device of the configurations.
    pub device: &'a B::Device,
}

/// One proposed configuration for each chain. For authors of a [`Rule`].
#[derive(Clone, Debug)]
pub struct Proposal<B: Backend> {
    /// The proposed x', shape `(n_chains, n_sites)`, all of them states of the space.
    pub configurations: B::Configurations,
    /// `ln q(x' → x) − ln q(x → x')` for the probabilities q of the rule, 0 where they are equal. Length
    /// `n_chains`.
    pub log_correction: Vec<f64>,
}

/// Proposes where chains go, on the backend's own batches.
///
/// Rules that change one row at a time on the host are written as [`HostRule`] and are rules of every
/// backend. What a rule draws must come from the chain's own generator, so that chains depend neither on each
/// other nor on threads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampling rule for backend `{B}`",
    note = "implement `sampler::HostRule` for a rule of every backend, or `sampler::Rule<{B}>` for this one"
)]
pub trait Rule<B: Backend>: Send + Sync {
    /// Proposes one x' for each row of `x`, of shape `(n_chains, n_sites)`; `rngs` has a generator for each.
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

    /// The same rule for one chain at a time, if there is a way: it is taken where the wave function has a
    /// [`Walker`](operator_core::Walker).
    fn proposer<'a>(&'a self, _hilbert: &'a HilbertSpace) -> Option<Box<dyn Proposer + 'a>> {
        None
    }

    /// Whether the rule works on a space. Called before chains start.
    ///
    /// # Errors
    /// Whatever is wrong with it; see each rule.
    fn check(&self, _hilbert: &HilbertSpace) -> Result<()> {
        Ok(())
    }
}

/// Proposes for one chain at a time, with working memory of its own. One for each thread.
pub trait Proposer: Send {
    /// Adds the sites on which x' differs from `x`, (site, new quantum number), to `changes`, which is empty,
    /// and returns the correction `ln q(x' → x) − ln q(x → x')`.
    ///
    /// What is drawn is drawn as by [`Rule::propose`]. No site comes twice, and each value is new. `chain` is
    /// the number of the chain, for messages.
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

/// A rule that changes one configuration on the host; a [`Rule`] on every backend.
///
/// A batch is brought to the host, changed row by row, and brought back to the device.
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
///     fn propose_row(&self, _: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> f64 {
///         if rng.random() {
///             x.iter_mut().for_each(|spin| *spin = -*spin);
///         }
///         0.0
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
    fn propose_row(&self, hilbert: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> f64;

    /// Adds what [`propose_row`](Self::propose_row) would change, (site, new quantum number), to `changes`,
    /// which is empty, and returns the correction.
    ///
    /// Unless a rule knows it better, a copy of `x` is changed and compared.
    fn propose_changes(
        &self,
        hilbert: &HilbertSpace,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> f64 {
        let mut to = x.to_vec();
        let log_correction = self.propose_row(hilbert, &mut to, rng);
        changes.extend(differences(x, &to));
        log_correction
    }

    /// Whether the rule works on a space. Called before chains start.
    ///
    /// # Errors
    /// Whatever is wrong with it; see each rule.
    fn check_space(&self, _hilbert: &HilbertSpace) -> Result<()> {
        Ok(())
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
            .collect();
        Ok(Proposal { configurations: B::from_host(x.view(), place.device)?, log_correction })
    }

    fn proposer<'a>(&'a self, hilbert: &'a HilbertSpace) -> Option<Box<dyn Proposer + 'a>> {
        Some(Box::new(HostProposer { rule: self, hilbert }))
    }

    fn check(&self, hilbert: &HilbertSpace) -> Result<()> {
        self.check_space(hilbert)
    }
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
        Ok(self.rule.propose_changes(self.hilbert, x, rng, changes))
    }
}
