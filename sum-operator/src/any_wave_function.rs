//! Wave functions of one backend for operators of any.

use std::marker::PhantomData;

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, Result, Walker, WaveFunction};

use crate::Any;

/// A wave function of backend `B` for operators of any backend.
///
/// Batches come from the host and go to the wave function's device.
#[derive(Clone, Debug)]
pub struct AnyWaveFunction<B: Backend, W> {
    wave_function: W,
    backend: PhantomData<B>,
}

impl<B: Backend, W: WaveFunction<B>> AnyWaveFunction<B, W> {
    /// Wraps a wave function.
    pub fn new(wave_function: W) -> Self {
        AnyWaveFunction { wave_function, backend: PhantomData }
    }

    fn on_device(&self, x: &Array2<i8>) -> Result<B::Configurations> {
        B::from_host(x.view(), &self.wave_function.device())
    }
}

impl<B: Backend, W: WaveFunction<B>> WaveFunction<Any> for AnyWaveFunction<B, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.wave_function.hilbert()
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        B::amplitudes_to_host(&self.wave_function.log_psi(&self.on_device(x)?)?)
    }

    fn log_psi_connected(
        &self,
        x: &Array2<i8>,
        connected: &Array2<i8>,
        origins: &[usize],
    ) -> Result<Array1<Complex64>> {
        let (x, connected) = (self.on_device(x)?, self.on_device(connected)?);
        B::amplitudes_to_host(&self.wave_function.log_psi_connected(&x, &connected, origins)?)
    }

    fn has_walker(&self) -> bool {
        self.wave_function.has_walker()
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        self.wave_function.walker()
    }
}
