use std::fmt;
use std::sync::Arc;

use ndarray::Array1;
use operator_core::{Backend, WaveFunction};
use sampler::Sampler;

use super::{Ensemble, VariationalState};
use crate::error::{Error, Result};

/// Samples of each chain that are dropped before each batch, where nothing else is said: a tenth of those that
/// are kept, at least this many.
const MIN_DISCARD: usize = 10;

/// A wave function averaged over by samples: Markov chains of a
/// [`MetropolisSampler`](sampler::MetropolisSampler), or what another [`Sampler`] draws.
///
/// Chains start when the state is made, from the sampler's seed, and go on from batch to batch. A batch is
/// kept until the wave function changes, or until [`resample`](Self::resample).
#[derive(Clone)]
pub struct MonteCarloState<B: Backend, S: Sampler<B, W>, W: WaveFunction<B>> {
    sampler: S,
    wave_function: W,
    chains: S::Chains,
    n_per_chain: usize,
    n_discard: usize,
    chunk_size: Option<usize>,
    ensemble: Option<Arc<Ensemble<B>>>,
}

impl<B: Backend, S: Sampler<B, W>, W: WaveFunction<B>> MonteCarloState<B, S, W> {
    /// A state with `n_samples` samples a batch, rounded up to a multiple of the number of chains.
    ///
    /// # Errors
    /// [`Error::Setting`] if `n_samples` is 0; [`Error::Sampler`] if the chains cannot start.
    pub fn new(sampler: S, wave_function: W, n_samples: usize) -> Result<Self> {
        if n_samples == 0 {
            let (what, expected) = ("n_samples", "it must be at least 1");
            return Err(Error::Setting { what, value: "0".into(), expected });
        }
        let chains = sampler.start(&wave_function)?;
        let n_per_chain = n_samples.div_ceil(sampler.n_chains());
        let n_discard = MIN_DISCARD.max(n_per_chain / 10);
        let (chunk_size, ensemble) = (None, None);
        Ok(MonteCarloState { sampler, wave_function, chains, n_per_chain, n_discard, chunk_size, ensemble })
    }

    /// Sets the number of samples of each chain that are dropped before each batch.
    #[must_use]
    pub fn with_n_discard(mut self, n_discard: usize) -> Self {
        self.n_discard = n_discard;
        self
    }

    /// Sets the largest number of configurations that the wave function is given at once.
    ///
    /// # Errors
    /// [`ZeroChunkSize`](operator_core::Error::ZeroChunkSize).
    pub fn with_chunk_size(mut self, chunk_size: Option<usize>) -> Result<Self> {
        self.chunk_size = super::check_chunk_size(chunk_size)?;
        Ok(self)
    }

    /// Number of samples a batch.
    pub fn n_samples(&self) -> usize {
        self.n_per_chain * self.sampler.n_chains()
    }

    /// The sampler.
    pub fn sampler(&self) -> &S {
        &self.sampler
    }

    /// The sampler's chains; those of a [`MetropolisSampler`](sampler::MetropolisSampler) know their acceptance.
    pub fn chains(&self) -> &S::Chains {
        &self.chains
    }

    /// The present samples, shape `(n_samples, n_sites)`, chain after chain; drawn if there are none.
    ///
    /// # Errors
    /// [`Error::Sampler`] if sampling fails.
    pub fn samples(&mut self) -> Result<B::Configurations> {
        Ok(self.ensemble()?.configurations.clone())
    }

    /// Forgets the present samples, so that the next average draws new ones.
    pub fn resample(&mut self) {
        self.ensemble = None;
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
        let (n_per_chain, n_discard) = (self.n_per_chain, self.n_discard);
        let samples = self.sampler.sample(&self.wave_function, &mut self.chains, n_per_chain, n_discard)?;
        let n_samples = samples.n_chains * samples.n_per_chain;
        let ensemble = Arc::new(Ensemble {
            configurations: samples.configurations,
            weights: Array1::from_elem(n_samples, 1.0 / n_samples as f64),
            n_chains: Some(samples.n_chains),
        });
        self.ensemble = Some(ensemble.clone());
        Ok(ensemble)
    }

    fn chunk_size(&self) -> Option<usize> {
        self.chunk_size
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
