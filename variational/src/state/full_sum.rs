//! Averages over all states of a small space.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ndarray::{Array1, Axis};
use num_complex::Complex64;
use operator_core::{Backend, WaveFunction};

use super::{Ensemble, VariationalState};
use crate::error::{Error, Result};

/// A wave function on a small space, averaged over exactly: by sums over all states.
///
/// States whose probability is zero or underflows are left out. This changes neither means nor gradients. Local
/// estimators are undefined where ψ = 0, so variances do not include those states either.
///
/// ```
/// use variational::prelude::*;
/// use variational::{Boundary, Flat, FullSumState, Graph, Rbm, hilbert::Spin, models::Ising};
///
/// let (spins, chain) = (Spin::half(4)?, Graph::chain(4, Boundary::Periodic)?);
/// let field = Ising::new(spins.clone(), &chain, 1.0, 0.0)?.lower::<Flat>()?;
/// // All parameters zero: every spin points along x.
/// let mut state = FullSumState::new(Rbm::<Flat>::new(spins, 1.0)?.with_sigma(0.0)?)?;
/// assert_eq!(state.expect(&field)?.mean.re, -4.0);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FullSumState<B: Backend, W> {
    wave_function: W,
    states: B::Configurations,
    device: B::Device,
    chunk_size: Option<NonZeroUsize>,
    ensemble: Option<Arc<Ensemble<B>>>,
}

impl<B: Backend, W: WaveFunction<B>> FullSumState<B, W> {
    /// On the device of the wave function.
    ///
    /// # Errors
    /// [`NotIndexable`](operator_core::Error::NotIndexable) and
    /// [`TooLarge`](operator_core::Error::TooLarge) for spaces that are too large;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    pub fn new(wave_function: W) -> Result<Self> {
        let device = wave_function.device();
        let states = B::from_host(wave_function.hilbert().all_states()?.view(), &device)?;
        Ok(FullSumState { wave_function, states, device, chunk_size: None, ensemble: None })
    }

    /// Sets the largest number of configurations passed to the wave function at a time.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn with_chunk_size(mut self, chunk_size: usize) -> Result<Self> {
        self.chunk_size = Some(super::positive_chunk_size(chunk_size)?);
        Ok(self)
    }

    /// ln ψ of all states, shape `(n_states,)`.
    fn log_psi(&self) -> Result<Array1<Complex64>> {
        Ok(B::amplitudes_to_host(&self.wave_function.log_psi_in_chunks(&self.states, self.chunk_size)?)?)
    }

    fn weigh(&self) -> Result<Ensemble<B>> {
        let log_psi = self.log_psi()?;
        let bad = |value: &Complex64| value.is_nan() || value.re == f64::INFINITY;
        if let Some((sample, &value)) = log_psi.indexed_iter().find(|(_, value)| bad(value)) {
            return Err(operator_core::Error::LogPsiNotFinite { sample, value }.into());
        }
        let largest = log_psi.iter().map(|value| value.re).fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            let hilbert = self.wave_function.hilbert().to_string();
            return Err(Error::ZeroWaveFunction { n_states: log_psi.len(), hilbert });
        }
        let mut weights = log_psi.mapv(|value| (2.0 * (value.re - largest)).exp());
        weights /= weights.sum();
        let kept: Vec<usize> = (0..weights.len()).filter(|&state| weights[state] > 0.0).collect();
        if kept.len() == weights.len() {
            return Ensemble::exact(self.states.clone(), weights);
        }
        let states = B::to_host(&self.states)?.select(Axis(0), &kept);
        let configurations = B::from_host(states.view(), &self.device)?;
        Ensemble::exact(configurations, weights.select(Axis(0), &kept))
    }
}

impl<B: Backend, W: WaveFunction<B>> VariationalState for FullSumState<B, W> {
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
        let ensemble = Arc::new(self.weigh()?);
        self.ensemble = Some(ensemble.clone());
        Ok(ensemble)
    }

    fn chunk_size(&self) -> Option<NonZeroUsize> {
        self.chunk_size
    }
}
