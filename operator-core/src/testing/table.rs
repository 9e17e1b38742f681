use std::marker::PhantomData;

use ndarray::{Array1, Axis};
use num_complex::Complex64;

use super::SplitMix;
use crate::backend::Backend;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::wave_function::WaveFunction;

/// A wave function that is a list of ln ψ, one of each state of a small space, on any backend.
#[derive(Clone, Debug)]
pub struct Table<B> {
    hilbert: HilbertSpace,
    /// In the order of [`HilbertSpace::all_states`], shape `(n_states,)`.
    pub log_psi: Array1<Complex64>,
    backend: PhantomData<B>,
}

impl<B: Backend> Table<B> {
    /// A wave function from its values.
    ///
    /// # Errors
    /// [`NotIndexable`](crate::Error::NotIndexable) for spaces that are too large;
    /// [`VectorLength`](crate::Error::VectorLength) if there is not one value a state.
    pub fn new(hilbert: impl Into<HilbertSpace>, log_psi: Array1<Complex64>) -> Result<Self> {
        let hilbert = hilbert.into();
        let (got, expected) = (log_psi.len(), hilbert.n_states()?);
        if got != expected {
            return Err(crate::Error::VectorLength { got, expected, hilbert: hilbert.to_string() });
        }
        Ok(Table { hilbert, log_psi, backend: PhantomData })
    }

    /// Amplitudes between 1/e and e with any phase.
    ///
    /// # Errors
    /// [`NotIndexable`](crate::Error::NotIndexable) for spaces that are too large.
    pub fn random(hilbert: impl Into<HilbertSpace>, seed: u64) -> Result<Self> {
        let (hilbert, mut random) = (hilbert.into(), SplitMix::new(seed));
        let mut value = |_| Complex64::new(random.number(), 3.0 * random.number());
        let log_psi = (0..hilbert.n_states()?).map(&mut value).collect();
        Self::new(hilbert, log_psi)
    }

    /// ψ itself, shape `(n_states,)`.
    pub fn psi(&self) -> Array1<Complex64> {
        self.log_psi.mapv(Complex64::exp)
    }

    /// The normalised |ψ|², shape `(n_states,)`.
    pub fn probabilities(&self) -> Array1<f64> {
        let weights = self.log_psi.mapv(|value| (2.0 * value.re).exp());
        let norm = weights.sum();
        weights / norm
    }

    /// The numbers of the states of a batch.
    ///
    /// # Errors
    /// Those of [`HilbertSpace::index_of`] and of the device.
    pub fn indices(&self, x: &B::Configurations) -> Result<Vec<usize>> {
        B::to_host(x)?.rows().into_iter().map(|x| self.hilbert.index_of(&x.to_vec())).collect()
    }
}

impl<B: Backend> WaveFunction<B> for Table<B> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let values = self.log_psi.select(Axis(0), &self.indices(x)?);
        B::amplitudes_from_host(values, &B::default_device())
    }
}
