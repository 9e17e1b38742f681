//! Averages over samples.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use operator_core::{Backend, WaveFunction};
use sampler::{Sampler, Sector};

use super::chains::{insert_chains, read_chains};
use super::{Ensemble, VariationalState, check_samples, local_estimators};
use crate::error::{Error, Result};
use crate::estimate::LocalKernel;
use crate::statistics::{Diagnosis, OnlineStats, Problem, Stats};
use crate::storage::Snapshot;

/// By default a tenth as many samples of each chain as are kept are dropped before each batch, but at least this
/// many.
const MIN_DISCARD: usize = 10;

/// A wave function averaged over samples: Markov chains of a
/// [`MetropolisSampler`](sampler::MetropolisSampler), or draws of another [`Sampler`].
///
/// Chains start from the sampler's seed when the state is made, and continue from batch to batch. A batch is kept
/// until the wave function changes or [`resample`](Self::resample) is called.
#[derive(Clone)]
pub struct MonteCarloState<B: Backend, S: Sampler<B, W>, W: WaveFunction<B>> {
    sampler: S,
    wave_function: W,
    chains: S::Chains,
    n_per_chain: usize,
    n_discard: usize,
    chunk_size: Option<NonZeroUsize>,
    ensemble: Option<Arc<Ensemble<B>>>,
    /// Fraction of accepted moves while the present samples were drawn.
    acceptance: Option<f64>,
    /// What chains cannot leave; found when it is first asked for.
    sector: OnceLock<Option<Sector>>,
}

impl<B: Backend, S: Sampler<B, W>, W: WaveFunction<B>> MonteCarloState<B, S, W> {
    /// A state with `n_samples` samples per batch, rounded up to a multiple of the number of chains.
    ///
    /// # Errors
    /// [`Error::Setting`] if `n_samples` is 0 or the sampler has no chains;
    /// [`TooLarge`](operator_core::Error::TooLarge) for more samples than fit into memory; [`Error::Sampler`] if the
    /// chains cannot start, for example because the sampler was put on another device than the wave function.
    pub fn new(sampler: S, wave_function: W, n_samples: usize) -> Result<Self> {
        if n_samples == 0 {
            let (what, expected) = ("n_samples", "it must be at least 1");
            return Err(Error::Setting { what, value: "0".into(), expected });
        }
        let n_chains = sampler.n_chains();
        if n_chains == 0 {
            let (what, expected) = ("the sampler's number of chains", "it must be at least 1");
            return Err(Error::Setting { what, value: "0".into(), expected });
        }
        let n_per_chain = n_samples.div_ceil(n_chains);
        check_samples(sampler.hilbert(), n_chains as f64 * n_per_chain as f64)?;
        let chains = sampler.start(&wave_function)?;
        let n_discard = MIN_DISCARD.max(n_per_chain / 10);
        let (chunk_size, ensemble, acceptance, sector) = (None, None, None, OnceLock::new());
        Ok(MonteCarloState {
            sampler,
            wave_function,
            chains,
            n_per_chain,
            n_discard,
            chunk_size,
            ensemble,
            acceptance,
            sector,
        })
    }

    /// Sets how many samples of each chain are dropped before each batch.
    #[must_use]
    pub fn with_n_discard(mut self, n_discard: usize) -> Self {
        self.n_discard = n_discard;
        self
    }

    /// Sets the largest number of configurations passed to the wave function at a time.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn with_chunk_size(mut self, chunk_size: usize) -> Result<Self> {
        self.chunk_size = Some(super::positive_chunk_size(chunk_size)?);
        Ok(self)
    }

    /// Number of samples per batch.
    pub fn n_samples(&self) -> usize {
        self.n_per_chain * self.sampler.n_chains()
    }

    /// The sampler.
    pub fn sampler(&self) -> &S {
        &self.sampler
    }

    /// The sampler's chains. Chains of a [`MetropolisSampler`](sampler::MetropolisSampler) know their acceptance.
    pub fn chains(&self) -> &S::Chains {
        &self.chains
    }

    /// The present samples, shape `(n_samples, n_sites)`, chain after chain. Draws them if there are none.
    ///
    /// # Errors
    /// [`Error::Sampler`] if sampling fails.
    pub fn samples(&mut self) -> Result<B::Configurations> {
        Ok(self.ensemble()?.configurations().clone())
    }

    /// Drops the present samples, so the next average draws new ones.
    pub fn resample(&mut self) {
        self.ensemble = None;
    }

    /// The mean of an operator, from as many batches as bring its error down to `target_error`, but at most
    /// `max_samples` samples, rounded up to whole batches.
    ///
    /// An error is believed once there are 50 independent samples and R̂ is known to 0.02, as in [`check`](Self::check).
    /// The present samples are the first batch, and the last batch is kept. The error of the result says whether the
    /// target was reached.
    ///
    /// # Errors
    /// [`Error::Setting`] unless `target_error` is positive; otherwise as
    /// [`expect`](VariationalState::expect).
    pub fn expect_to_precision<O>(
        &mut self,
        operator: &O,
        target_error: f64,
        max_samples: usize,
    ) -> Result<Stats>
    where
        O: ?Sized,
        B: LocalKernel<O>,
    {
        if target_error.is_nan() || target_error <= 0.0 {
            let (what, value) = ("target_error", target_error.to_string());
            return Err(Error::Setting { what, value, expected: "it must be a positive number" });
        }
        let mut online = OnlineStats::new(self.sampler.n_chains())?;
        loop {
            let ensemble = self.ensemble()?;
            let values = local_estimators(self, operator, &ensemble)?;
            online.push(ensemble.by_chain(&values)?)?;
            let stats = online.stats();
            let reached = stats.error_of_mean <= target_error && stats.has_enough_samples();
            if reached || online.n_samples() >= max_samples {
                return Ok(stats);
            }
            // The wave function is the same, so the chains go on in equilibrium.
            self.ensemble = Some(self.draw(0)?);
        }
    }

    /// Whether the chains sampled this operator well, and what to change if they did not.
    ///
    /// # Errors
    /// As [`expect`](VariationalState::expect).
    pub fn check<O>(&mut self, operator: &O) -> Result<Diagnosis>
    where
        O: ?Sized,
        B: LocalKernel<O>,
    {
        let stats = self.expect(operator)?;
        Ok(self.diagnose(&stats)?.with_bound(&stats, B::norm_bound(operator)))
    }

    /// Draws a new batch after `n_discard` sweeps.
    fn draw(&mut self, n_discard: usize) -> Result<Arc<Ensemble<B>>> {
        let (sampler, n_per_chain) = (&self.sampler, self.n_per_chain);
        let moves = |chains: &S::Chains| sampler.moves(chains).unwrap_or((0, 0));
        let before = moves(&self.chains);
        let samples = sampler.sample(&self.wave_function, &mut self.chains, n_per_chain, n_discard)?;
        let (got, expected) =
            ((samples.n_chains(), samples.n_per_chain()), (sampler.n_chains(), n_per_chain));
        if got != expected {
            let (got, expected) = (vec![got.0, got.1], vec![expected.0, expected.1]);
            return Err(Error::Shape { what: "samples by chain", got, expected });
        }
        let after = moves(&self.chains);
        let [accepted, proposed] =
            [(after.0, before.0), (after.1, before.1)].map(|(after, before)| after.saturating_sub(before));
        self.acceptance = (proposed > 0).then(|| accepted as f64 / proposed as f64);
        let n_chains = samples.n_chains();
        Ok(Arc::new(Ensemble::of_chains(samples.into_configurations(), n_chains)?))
    }
}

impl<B: Backend, S: Sampler<B, W>, W: WaveFunction<B>> VariationalState for MonteCarloState<B, S, W> {
    type Backend = B;
    type WaveFunction = W;

    fn wave_function(&self) -> &W {
        &self.wave_function
    }

    fn wave_function_mut(&mut self) -> &mut W {
        self.ensemble = None;
        &mut self.wave_function
    }

    fn ensemble(&mut self) -> Result<Arc<Ensemble<B>>> {
        if let Some(ensemble) = &self.ensemble {
            return Ok(ensemble.clone());
        }
        let ensemble = self.draw(self.n_discard)?;
        self.ensemble = Some(ensemble.clone());
        Ok(ensemble)
    }

    fn chunk_size(&self) -> Option<NonZeroUsize> {
        self.chunk_size
    }

    /// By the statistics, the fraction of moves accepted for the present samples, and what chains cannot leave.
    fn diagnose(&self, stats: &Stats) -> Result<Diagnosis> {
        let sector = match self.sector.get() {
            Some(sector) => sector,
            None => {
                let sector = self.sampler.sector()?;
                self.sector.get_or_init(|| sector)
            }
        };
        let diagnosis = stats.check(self.acceptance);
        Ok(match sector {
            Some(sector) => diagnosis.and(Problem::Sector(sector.clone())),
            None => diagnosis,
        })
    }

    fn restart(&mut self) -> Result<()> {
        self.ensemble = None;
        Ok(self.sampler.reset(&self.wave_function, &mut self.chains)?)
    }

    fn save(&self, snapshot: &mut Snapshot) -> Result<()> {
        insert_chains(snapshot, &self.sampler.snapshot(&self.chains)?)?;
        if let Some(ensemble) = &self.ensemble {
            snapshot.insert("samples", B::to_host(ensemble.configurations())?.view());
        }
        Ok(())
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let chains = read_chains(snapshot)?;
        let ensemble = if snapshot.has_array("samples") {
            let samples: Array2<i8> = snapshot.array("samples")?;
            let (got, n_chains) = (samples.nrows(), chains.rngs().len());
            if got == 0 || n_chains == 0 || !got.is_multiple_of(n_chains) {
                let expected = format!("as many of each of {n_chains} chains");
                return Err(snapshot.error(format!("{got} samples; expected {expected}")));
            }
            let checked = self.sampler.hilbert().check(samples.view());
            checked.map_err(|error| snapshot.error(error.to_string()))?;
            Some(Ensemble::of_chains(B::from_host(samples.view(), &self.wave_function.device())?, n_chains)?)
        } else {
            None
        };
        self.sampler.restore(&mut self.chains, &chains).map_err(|error| snapshot.error(error.to_string()))?;
        self.ensemble = ensemble.map(Arc::new);
        Ok(())
    }
}

impl<B: Backend, S: Sampler<B, W>, W: WaveFunction<B>> fmt::Debug for MonteCarloState<B, S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonteCarloState")
            .field("backend", &B::NAME)
            .field("n_per_chain", &self.n_per_chain)
            .field("n_discard", &self.n_discard)
            .field("chunk_size", &self.chunk_size)
            .finish_non_exhaustive()
    }
}
