mod walk;

use ndarray::{Array2, ArrayView1, Axis, s};
use operator_core::{Backend, DiscreteOperator, Graph, HilbertSpace, WaveFunction};
use rand::RngExt;
use rayon::prelude::*;

pub(crate) use self::walk::WalkedWeight;
use self::walk::{ChainWalk, Guide};
use crate::backend::HamiltonianBackend;
use crate::chain::{ChainRng, Chains, Samples, generators, log_weights};
use crate::error::{Error, Result};
use crate::rule::{ExchangeRule, HamiltonianRule, LocalRule, Place, Rule, expect_count};

/// Random states that are tried for each chain before its wave function counts as zero.
const START_ATTEMPTS: usize = 100;

/// The largest array of samples that is collected, in bytes.
const MAX_BYTES: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

/// A Metropolis sampler of |ψ|² whose moves come from the matrix elements of an operator.
///
/// `HamiltonianSampler::new(&operator)` resolves by the operator's backend marker, when it is compiled.
pub type HamiltonianSampler<O> = MetropolisSampler<<O as DiscreteOperator>::Backend, HamiltonianRule<O>>;

/// A Metropolis sampler of |ψ|² that changes one site at a time, `LocalSampler::<Flat>::new(hilbert)`.
pub type LocalSampler<B> = MetropolisSampler<B, LocalRule>;

/// A Metropolis sampler of |ψ|² that exchanges two sites at a time, `ExchangeSampler::<Flat>::new(hilbert, &graph)`.
pub type ExchangeSampler<B> = MetropolisSampler<B, ExchangeRule>;

/// Metropolis–Hastings sampling of |ψ|² with any rule.
///
/// Where the wave function has a [`Walker`](operator_core::Walker) and the rule a
/// [`Proposer`](crate::Proposer), chains run one by one in parallel; otherwise all chains take each step
/// together, as a batch. Both ways lead to the same samples.
///
/// Settings only: what changes is in [`Chains`]. Every chain has its own random numbers, which follow from
/// the seed and the chain's number, so chains do not depend on the number of threads or of other chains.
#[derive(Clone, Debug)]
pub struct MetropolisSampler<B: Backend, R> {
    hilbert: HilbertSpace,
    rule: R,
    n_chains: usize,
    sweep_size: usize,
    seed: u64,
    device: B::Device,
}

impl<O> MetropolisSampler<O::Backend, HamiltonianRule<O>>
where
    O: DiscreteOperator + Clone,
{
    /// A sampler with the moves of an operator, on the operator's device.
    ///
    /// # Errors
    /// [`NotHermitian`](operator_core::Error::NotHermitian).
    pub fn new(operator: &O) -> Result<Self>
    where
        O::Backend: HamiltonianBackend<O>,
    {
        let rule = HamiltonianRule::new(operator.clone())?;
        let device = O::Backend::device(operator);
        Ok(Self::from_rule(operator.hilbert().clone(), rule)?.with_device(device))
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
    /// [`Error::GraphSize`] if the graph has other sites than the space; [`Error::NoMoves`] if it has no
    /// edges; [`Error::Exchange`] for an edge whose exchange leaves the space.
    pub fn new(hilbert: impl Into<HilbertSpace>, graph: &Graph) -> Result<Self> {
        let hilbert = hilbert.into();
        let rule = ExchangeRule::new(graph).for_space(&hilbert);
        Self::from_rule(hilbert, rule)
    }
}

impl<B: Backend, R: Rule<B>> MetropolisSampler<B, R> {
    /// A sampler with any rule.
    ///
    /// # Errors
    /// Those of [`Rule::check`].
    pub fn from_rule(hilbert: impl Into<HilbertSpace>, rule: R) -> Result<Self> {
        let hilbert = hilbert.into();
        rule.check(&hilbert)?;
        let (n_chains, sweep_size) = (16, hilbert.n_sites());
        Ok(MetropolisSampler { hilbert, rule, n_chains, sweep_size, seed: 0, device: B::default_device() })
    }

    /// Sets the number of chains, 16 unless set.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn with_n_chains(mut self, n_chains: usize) -> Result<Self> {
        self.n_chains = at_least_one("n_chains", n_chains)?;
        Ok(self)
    }

    /// Sets the number of moves proposed between samples, the number of sites unless set.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn with_sweep_size(mut self, sweep_size: usize) -> Result<Self> {
        self.sweep_size = at_least_one("sweep_size", sweep_size)?;
        Ok(self)
    }

    /// Sets the seed, 0 unless set.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the device of the chains: the operator's for [`HamiltonianSampler`], otherwise the backend's
    /// default, unless set.
    #[must_use]
    pub fn with_device(mut self, device: B::Device) -> Self {
        self.device = device;
        self
    }

    /// The space that is sampled.
    pub fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    /// The rule.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// Number of chains.
    pub fn n_chains(&self) -> usize {
        self.n_chains
    }

    /// Number of moves proposed between samples.
    pub fn sweep_size(&self) -> usize {
        self.sweep_size
    }

    /// Where the chains live.
    pub fn device(&self) -> &B::Device {
        &self.device
    }

    /// Starts chains at random states with an amplitude. The same sampler starts the same chains.
    ///
    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if the wave function is defined on another
    /// space; [`Error::ZeroWaveFunction`] if no state with an amplitude is found; [`Error::LogPsi`] for NaN;
    /// [`Error::Core`] if the wave function fails.
    pub fn start<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W) -> Result<Chains<B>> {
        same_space(&self.hilbert, wave_function.hilbert())?;
        check_bytes(&self.hilbert, self.n_chains, 1)?;
        let mut rngs = generators(self.seed, self.n_chains);
        let (configurations, log_weights) = self.random_states(wave_function, &mut rngs)?;
        let hilbert = self.hilbert.clone();
        Ok(Chains { hilbert, configurations, log_weights, rngs, n_accepted: 0, n_proposed: 0 })
    }

    /// Puts the chains at new random states and counts moves from 0 again; random numbers go on.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`Error::Count`] if these are not this sampler's chains.
    pub fn reset<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
    ) -> Result<()> {
        self.check_chains(wave_function, chains)?;
        (chains.configurations, chains.log_weights) = self.random_states(wave_function, &mut chains.rngs)?;
        chains.reset_acceptance();
        Ok(())
    }

    /// Proposes [`sweep_size`](Self::sweep_size) moves to each chain.
    ///
    /// A move to x' is accepted with probability `min(1, |ψ(x')/ψ(x)|² exp(log_correction))`. After a change
    /// of the wave function, [`Chains::refresh`] comes first.
    ///
    /// # Errors
    /// [`Error::Count`] or [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if these are not this
    /// sampler's chains; [`Error::LogPsi`] and [`Error::Correction`] for NaN; those of [`Rule::propose`];
    /// [`Error::Core`] if the wave function fails. The chains stay where they were before the failed move, and
    /// before the sweep where they follow walkers.
    pub fn sweep<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
    ) -> Result<()> {
        self.check_chains(wave_function, chains)?;
        match self.guide(wave_function) {
            Some(_) => self.walk(wave_function, chains, 1, &mut []),
            None => self.sweep_batch(wave_function, chains),
        }
    }

    /// Draws samples, one after each sweep, after `n_discard` sweeps of which none is kept.
    ///
    /// The wave function is evaluated anew where the chains are, so its parameters may have changed.
    ///
    /// # Errors
    /// [`Error::Setting`] if `n_per_chain` is 0; [`TooLarge`](operator_core::Error::TooLarge) beyond 8 GiB of
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
        check_bytes(&self.hilbert, self.n_chains, n_per_chain)?;
        let n_chains = self.n_chains;
        let mut samples = Array2::zeros((n_chains * n_per_chain, self.hilbert.n_sites()));
        if self.guide(wave_function).is_some() {
            self.walk(wave_function, chains, n_discard, samples.as_slice_mut().unwrap_or_default())?;
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
        let configurations = B::from_host(samples.view(), &self.device)?;
        Ok(Samples { configurations, n_chains, n_per_chain })
    }

    /// What leads chains one by one, where the wave function has a walker and the rule can keep up with it.
    fn guide<'a, W: WaveFunction<B> + ?Sized>(&'a self, wave_function: &'a W) -> Option<Guide<'a>> {
        let (walker, proposer) = (wave_function.walker()?, self.rule.proposer(&self.hilbert)?);
        Some(Guide::new(WalkedWeight::new(walker), proposer, &self.hilbert))
    }

    /// Takes every chain through `n_discard` sweeps, and one more before each of its samples, in parallel.
    ///
    /// `samples` has as many rows of each chain, one chain after another. On an error the chains are as they
    /// were; it is that of the earliest step, as in batches.
    fn walk<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
        n_discard: usize,
        samples: &mut [i8],
    ) -> Result<()> {
        let start = B::to_host(&chains.configurations)?;
        let mut samples = samples.chunks_mut((samples.len() / self.n_chains).max(1));
        let mut walks: Vec<ChainWalk<'_>> = (start.rows().into_iter().zip(&chains.rngs).enumerate())
            .map(|(chain, (x, rng))| {
                ChainWalk::new(chain, x.to_vec(), rng.clone(), samples.next().unwrap_or_default())
            })
            .collect();
        let results: Vec<_> = walks
            .par_iter_mut()
            .map_init(
                || self.guide(wave_function),
                |guide, walk| match guide {
                    Some(guide) => guide.lead(walk, n_discard, self.sweep_size),
                    None => Ok(()),
                },
            )
            .collect();
        let failures = results.into_iter().filter_map(std::result::Result::err);
        if let Some((_, error)) = failures.min_by_key(|(step, _)| *step) {
            return Err(error);
        }
        let mut x = start;
        for (mut row, walk) in x.rows_mut().into_iter().zip(&walks) {
            row.assign(&ArrayView1::from(walk.configuration()));
        }
        chains.configurations = B::from_host(x.view(), &self.device)?;
        chains.log_weights = walks.iter().map(ChainWalk::log_weight).collect();
        chains.n_accepted += walks.iter().map(ChainWalk::n_accepted).sum::<u64>();
        chains.n_proposed += walks.iter().map(ChainWalk::n_proposed).sum::<u64>();
        chains.rngs = walks.into_iter().map(ChainWalk::into_rng).collect();
        Ok(())
    }

    fn sweep_batch<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
    ) -> Result<()> {
        (0..self.sweep_size).try_for_each(|_| self.step(wave_function, chains))
    }

    fn step<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W, chains: &mut Chains<B>) -> Result<()> {
        let n = self.n_chains;
        let place = Place { hilbert: &self.hilbert, device: &self.device };
        let proposal = self.rule.propose(place, &chains.configurations, &mut chains.rngs)?;
        expect_count("proposed configurations", B::batch_len(&proposal.configurations), n)?;
        expect_count("values of log_correction", proposal.log_correction.len(), n)?;
        if let Some(chain) = proposal.log_correction.iter().position(|value| value.is_nan()) {
            return Err(Error::Correction { chain });
        }
        let proposed = log_weights::<B, W>(wave_function, &proposal.configurations, n)?;
        let present = chains.log_weights.iter().zip(&proposed).zip(&proposal.log_correction);
        let accept: Vec<bool> = present
            .zip(&mut chains.rngs)
            .map(|(((&from, &to), &correction), rng)| {
                // Each chain draws in every step, so that what it draws later does not depend on ψ.
                rng.random::<f64>() < acceptance(from, to, correction)
            })
            .collect();
        B::replace_rows(&mut chains.configurations, &proposal.configurations, &accept)?;
        for ((weight, proposed), _) in
            chains.log_weights.iter_mut().zip(proposed).zip(&accept).filter(|(_, accept)| **accept)
        {
            *weight = proposed;
        }
        chains.n_accepted += accept.iter().filter(|&&accept| accept).count() as u64;
        chains.n_proposed += n as u64;
        Ok(())
    }

    /// One random state with an amplitude for each chain, and ln |ψ|² there.
    fn random_states<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        rngs: &mut [ChainRng],
    ) -> Result<(B::Configurations, Vec<f64>)> {
        let mut x = Array2::zeros((rngs.len(), self.hilbert.n_sites()));
        let mut weights = vec![f64::NEG_INFINITY; rngs.len()];
        for _ in 0..START_ATTEMPTS {
            for ((mut row, rng), weight) in x.axis_iter_mut(Axis(0)).zip(&mut *rngs).zip(&weights) {
                if *weight == f64::NEG_INFINITY {
                    let state = self.hilbert.random_states(1, rng);
                    row.assign(&ArrayView1::from(state.as_slice().unwrap_or_default()));
                }
            }
            let configurations = B::from_host(x.view(), &self.device)?;
            weights = log_weights::<B, W>(wave_function, &configurations, rngs.len())?;
            if weights.iter().all(|&weight| weight > f64::NEG_INFINITY) {
                return Ok((configurations, weights));
            }
        }
        let chain = weights.iter().position(|&weight| weight == f64::NEG_INFINITY).unwrap_or(0);
        let hilbert = self.hilbert.to_string();
        Err(Error::ZeroWaveFunction { chain, attempts: START_ATTEMPTS, hilbert })
    }

    fn check_chains<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W, chains: &Chains<B>) -> Result<()> {
        same_space(&self.hilbert, wave_function.hilbert())?;
        same_space(&self.hilbert, &chains.hilbert)?;
        expect_count("chains", chains.n_chains(), self.n_chains)
    }
}

/// Refuses more samples than memory should be filled with.
pub(crate) fn check_bytes(hilbert: &HilbertSpace, n_chains: usize, n_per_chain: usize) -> Result<()> {
    let bytes = n_chains as f64 * n_per_chain as f64 * hilbert.n_sites() as f64;
    if bytes > MAX_BYTES {
        let what = format!("{n_per_chain} samples of {n_chains} chains on {hilbert}");
        let remedy = "take fewer at a time";
        return Err(operator_core::Error::TooLarge { what, bytes, limit: MAX_BYTES, remedy }.into());
    }
    Ok(())
}

/// The probability of accepting a move, from ln |ψ|² before and after it.
pub(crate) fn acceptance(from: f64, to: f64, log_correction: f64) -> f64 {
    if to == f64::NEG_INFINITY {
        0.0
    } else if from == f64::NEG_INFINITY {
        1.0
    } else {
        (to - from + log_correction).exp().min(1.0)
    }
}

pub(crate) fn same_space(left: &HilbertSpace, right: &HilbertSpace) -> Result<()> {
    Ok(left.expect_same(right)?)
}

pub(crate) fn at_least_one(what: &'static str, value: usize) -> Result<usize> {
    if value == 0 { Err(Error::Setting { what, value, expected: "at least 1" }) } else { Ok(value) }
}
