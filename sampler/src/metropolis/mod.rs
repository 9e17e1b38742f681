//! Metropolis–Hastings sampling: the sampler, [`batch`] for chains that take each step together, [`on_device`] for those
//! that stay on a device, and [`walk`] for chains that run one by one.

mod batch;
mod on_device;
pub(crate) mod walk;

use ndarray::{Array2, s};
use operator_core::{Backend, DiscreteOperator, Graph, HilbertSpace, WaveFunction};

use crate::backend::HamiltonianBackend;
use crate::chain::Chains;
use crate::check::{at_least_one, check_samples, expect_count};
use crate::error::{Error, Result};
use crate::rng::ChainRng;
use crate::rule::{ExchangeRule, HamiltonianRule, LocalRule, Place, Rule, Sector};
use crate::samples::Samples;
use crate::setup::{Setup, setup_methods};
use crate::weights::log_weights;

/// Random states to try for each chain before the wave function counts as zero.
const START_ATTEMPTS: usize = 100;

/// Random states to try for each chain before the rule counts as one without moves.
const MOVE_ATTEMPTS: usize = 1000;

/// A Metropolis sampler of |ψ|² whose moves come from the matrix elements of an operator.
///
/// The compiler resolves `HamiltonianSampler::new(&operator)` by the operator's backend marker.
pub type HamiltonianSampler<O> = MetropolisSampler<<O as DiscreteOperator>::Backend, HamiltonianRule<O>>;

/// A Metropolis sampler of |ψ|² that changes one site at a time, `LocalSampler::<Flat>::new(hilbert)`.
pub type LocalSampler<B> = MetropolisSampler<B, LocalRule>;

/// A Metropolis sampler of |ψ|² that exchanges two sites at a time, `ExchangeSampler::<Flat>::new(hilbert, &graph)`.
pub type ExchangeSampler<B> = MetropolisSampler<B, ExchangeRule>;

/// Metropolis–Hastings sampling of |ψ|² with any rule.
///
/// If the wave function has a [`Walker`](operator_core::Walker) and the rule a [`Proposer`](crate::Proposer),
/// chains run one by one in parallel. Otherwise all chains take each step together, as a batch. Both ways give the
/// same samples.
///
/// On CUDA devices, chains of the rules of this crate stay there as one batch, walkers or not, and
/// [`sample`](Self::sample) copies to the host once, at its end. Their random numbers are others than on the CPU.
/// Operators with a custom kernel and rules of third parties take each step on the host.
///
/// A sampler holds only settings; what changes is in [`Chains`]. Every chain has its own random numbers, which
/// follow from the seed and the chain's number. So a chain does not depend on the number of threads or of other
/// chains. Chains are on the wave function's device.
#[derive(Clone, Debug)]
pub struct MetropolisSampler<B: Backend, R> {
    setup: Setup<B>,
    rule: R,
    sweep_size: usize,
    /// Whether chains on the CPU go the way of other devices.
    like_a_device: bool,
}

impl<O> MetropolisSampler<O::Backend, HamiltonianRule<O>>
where
    O: DiscreteOperator + Clone,
{
    /// A sampler with the moves of an operator. The operator and the wave function must be on one device.
    ///
    /// # Errors
    /// [`NotHermitian`](operator_core::Error::NotHermitian).
    pub fn new(operator: &O) -> Result<Self>
    where
        O::Backend: HamiltonianBackend<O>,
    {
        let rule = HamiltonianRule::new(operator.clone())?;
        Self::from_rule(operator.hilbert().clone(), rule)
    }
}

impl<B: Backend> MetropolisSampler<B, LocalRule> {
    /// A sampler that changes one site at a time.
    ///
    /// # Errors
    /// [`Error::Constrained`] if the space fixes a sum; [`Error::NoMoves`] if it has one state.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Result<Self> {
        Self::from_rule(hilbert, LocalRule)
    }
}

impl<B: Backend> MetropolisSampler<B, ExchangeRule> {
    /// A sampler that exchanges the sites of an edge. For fermions the graph may be that of the orbitals.
    ///
    /// # Errors
    /// [`Error::GraphSize`] if the graph has another number of sites than the space; [`Error::NoMoves`] if it has no
    /// edges; [`Error::Exchange`] for an edge whose exchange leaves the space.
    pub fn new(hilbert: impl Into<HilbertSpace>, graph: &Graph) -> Result<Self> {
        let hilbert = hilbert.into();
        let rule = ExchangeRule::new(graph).with_space(&hilbert);
        Self::from_rule(hilbert, rule)
    }
}

impl<B: Backend, R: Rule<B>> MetropolisSampler<B, R> {
    /// A sampler with any rule.
    ///
    /// # Errors
    /// As [`Rule::check`].
    pub fn from_rule(hilbert: impl Into<HilbertSpace>, rule: R) -> Result<Self> {
        let hilbert = hilbert.into();
        rule.check(&hilbert)?;
        let sweep_size = hilbert.n_sites();
        Ok(MetropolisSampler { setup: Setup::new(hilbert), rule, sweep_size, like_a_device: false })
    }

    setup_methods!();

    /// Sets the number of moves proposed between samples, the number of sites unless set.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn with_sweep_size(mut self, sweep_size: usize) -> Result<Self> {
        self.sweep_size = at_least_one("sweep_size", sweep_size)?;
        Ok(self)
    }

    /// Lets chains on the CPU go the way of CUDA devices, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn like_a_device(mut self) -> Self {
        self.like_a_device = true;
        self
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// Number of moves proposed between samples.
    pub fn sweep_size(&self) -> usize {
        self.sweep_size
    }

    /// Starts chains at random states with an amplitude and a move, on the wave function's device. The same sampler starts the
    /// same chains.
    ///
    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if the wave function is defined on another
    /// space; [`DeviceMismatch`](operator_core::Error::DeviceMismatch) if it is on another device than the
    /// operator of the rule or [`with_device`](Self::with_device) says; [`Error::NoStart`] if the rule has no move from
    /// any of 1000 states; [`Error::ZeroWaveFunction`] if no state with an amplitude is found among 100;
    /// [`Error::LogPsi`] for NaN; [`TooLarge`](operator_core::Error::TooLarge) for too many chains; [`Error::Core`] if
    /// the wave function fails.
    pub fn start<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W) -> Result<Chains<B>> {
        let device = self.setup.device_of(wave_function)?;
        self.rule.check_device(&device)?;
        let mut rngs = self.setup.generators()?;
        let (configurations, log_weights) = self.random_states(wave_function, &device, &mut rngs)?;
        let hilbert = self.setup.hilbert.clone();
        Ok(Chains { hilbert, device, configurations, log_weights, rngs, n_accepted: 0, n_proposed: 0 })
    }

    /// Puts the chains at new random states and sets the numbers of moves to 0. Random numbers go on.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::Count`] if these are not this sampler's chains.
    pub fn reset<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
    ) -> Result<()> {
        self.check_chains(wave_function, chains)?;
        (chains.configurations, chains.log_weights) =
            self.random_states(wave_function, &chains.device, &mut chains.rngs)?;
        chains.reset_acceptance();
        Ok(())
    }

    /// Proposes [`sweep_size`](Self::sweep_size) moves to each chain.
    ///
    /// A move to x' is accepted with probability `min(1, |ψ(x')/ψ(x)|² exp(log_correction))`. After a change
    /// of the wave function, call [`Chains::refresh`] first.
    ///
    /// # Errors
    /// [`Error::Count`] or [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if these are not this
    /// sampler's chains; [`DeviceMismatch`](operator_core::Error::DeviceMismatch) if the wave function is on
    /// another device than the chains; [`Error::LogPsi`] and [`Error::Correction`] for NaN; errors of [`Rule::propose`];
    /// [`Error::ChangedSite`] and [`Error::Gone`] for rules and wave functions that break their promises;
    /// [`Error::Core`] if the wave function fails. After an error the chains are where they were before the failed
    /// move, or before the sweep if they follow walkers or stay on a device.
    pub fn sweep<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
    ) -> Result<()> {
        self.check_chains(wave_function, chains)?;
        if let Some(mut on_device) = self.on_device(chains)? {
            self.sweep_on_device(wave_function, chains, &mut *on_device, 1, 0).map(|_| ())
        } else if self.is_guided(wave_function) {
            self.walk(wave_function, chains, 1, &mut [])
        } else {
            self.sweep_batch(wave_function, chains)
        }
    }

    /// Makes `n_discard` sweeps, and then draws a sample after each of `n_per_chain` sweeps.
    ///
    /// It first evaluates the wave function where the chains are, so its parameters may have changed.
    ///
    /// # Errors
    /// [`Error::Setting`] if `n_per_chain` is 0; [`TooLarge`](operator_core::Error::TooLarge) beyond the [memory limit](operator_core::memory) of
    /// samples; otherwise as [`sweep`](Self::sweep).
    pub fn sample<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
        n_per_chain: usize,
        n_discard: usize,
    ) -> Result<Samples<B>> {
        at_least_one("n_per_chain", n_per_chain)?;
        self.check_chains(wave_function, chains)?;
        check_samples(&self.setup.hilbert, self.setup.n_chains, n_per_chain)?;
        let n_chains = self.setup.n_chains;
        if let Some(mut on_device) = self.on_device(chains)? {
            let times =
                self.sweep_on_device(wave_function, chains, &mut *on_device, n_discard, n_per_chain)?;
            return Samples::new(on_device.samples(&times)?, n_chains, n_per_chain);
        }
        let mut samples = Array2::zeros((n_chains * n_per_chain, self.setup.hilbert.n_sites()));
        if self.is_guided(wave_function) {
            let rows = samples.as_slice_mut().expect("a new array is contiguous");
            self.walk(wave_function, chains, n_discard, rows)?;
        } else {
            chains.refresh(wave_function)?;
            for _ in 0..n_discard {
                self.sweep_batch(wave_function, chains)?;
            }
            for k in 0..n_per_chain {
                self.sweep_batch(wave_function, chains)?;
                samples.slice_mut(s![k..;n_per_chain, ..]).assign(&B::to_host(&chains.configurations)?);
            }
        }
        Samples::new(B::from_host(samples.view(), &chains.device)?, n_chains, n_per_chain)
    }

    /// One random state with an amplitude and a move for each chain, and ln |ψ|² there. Each chain draws until it has
    /// one, so where it starts does not depend on other chains.
    fn random_states<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        device: &B::Device,
        rngs: &mut [ChainRng],
    ) -> Result<(B::Configurations, Vec<f64>)> {
        let hilbert = &self.setup.hilbert;
        let mut x = Array2::zeros((rngs.len(), hilbert.n_sites()));
        let mut weights = vec![f64::NEG_INFINITY; rngs.len()];
        let mut first_at_zero = 0;
        for _ in 0..START_ATTEMPTS {
            let waiting = (0..rngs.len()).filter(|&chain| weights[chain] == f64::NEG_INFINITY).collect();
            let configurations = self.draw_movable(device, rngs, &mut x, waiting)?;
            weights = log_weights::<B, W>(wave_function, &configurations, rngs.len())?;
            match weights.iter().position(|&weight| weight == f64::NEG_INFINITY) {
                None => return Ok((configurations, weights)),
                Some(chain) => first_at_zero = chain,
            }
        }
        let hilbert = hilbert.to_string();
        Err(Error::ZeroWaveFunction { chain: first_at_zero, attempts: START_ATTEMPTS, hilbert })
    }

    /// Draws random states for the chains that wait for one, until the rule has a move from each of them.
    fn draw_movable(
        &self,
        device: &B::Device,
        rngs: &mut [ChainRng],
        x: &mut Array2<i8>,
        mut waiting: Vec<usize>,
    ) -> Result<B::Configurations> {
        let hilbert = &self.setup.hilbert;
        let draw = hilbert.random();
        for _ in 0..MOVE_ATTEMPTS {
            for &chain in &waiting {
                let mut row = x.row_mut(chain);
                draw.write(
                    &mut rngs[chain],
                    row.as_slice_mut().expect("rows of a new array are contiguous"),
                )?;
            }
            let configurations = B::from_host(x.view(), device)?;
            waiting = self.rule.isolated(Place { hilbert, device }, &configurations)?;
            if waiting.is_empty() {
                return Ok(configurations);
            }
            if let Some(&got) = waiting.iter().find(|&&chain| chain >= rngs.len()) {
                return Err(Error::Count {
                    what: "is the number of an isolated row",
                    got,
                    expected: rngs.len(),
                });
            }
        }
        let (chain, attempts) = (waiting[0], MOVE_ATTEMPTS);
        let (rule, hilbert, state) = (self.rule.describe(), hilbert.to_string(), x.row(chain).to_vec());
        Err(Error::NoStart { chain, attempts, rule, hilbert, state })
    }

    /// What chains keep although the space does not fix it, if that is known: they stay in the sector where they start.
    ///
    /// # Errors
    /// As [`Rule::propose`].
    pub fn sector(&self) -> Result<Option<Sector>> {
        Ok(Sector::first(&self.setup.hilbert, &self.rule.conserves(&self.setup.hilbert)?))
    }

    fn check_chains<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W, chains: &Chains<B>) -> Result<()> {
        self.setup.hilbert.expect_same(wave_function.hilbert())?;
        self.setup.hilbert.expect_same(&chains.hilbert)?;
        B::expect_same_device(["batch of chains", "wave function"], &chains.device, &wave_function.device())?;
        expect_count("chains", chains.n_chains(), self.setup.n_chains)
    }
}
