//! Wave functions of one backend for operators of any.

use std::marker::PhantomData;

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, Result, Walker, WaveFunction};

use crate::Any;

/// A wave function of backend `B`, to be used with operators of any backend.
#[derive(Clone, Debug)]
pub struct AnyWaveFunction<B: Backend, W> {
    wave_function: W,
    backend: PhantomData<B>,
}

impl<B: Backend, W: WaveFunction<B>> AnyWaveFunction<B, W> {
    /// Wraps a wave function. It stays on its own device.
    pub fn new(wave_function: W) -> Self {
        AnyWaveFunction { wave_function, backend: PhantomData }
    }

    fn bring(&self, x: &Array2<i8>) -> Result<B::Configurations> {
        B::from_host(x.view(), &self.wave_function.device())
    }
}

impl<B: Backend, W: WaveFunction<B>> WaveFunction<Any> for AnyWaveFunction<B, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.wave_function.hilbert()
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        B::amplitudes_to_host(&self.wave_function.log_psi(&self.bring(x)?)?)
    }

    fn log_psi_connected(
        &self,
        x: &Array2<i8>,
        connected: &Array2<i8>,
        origins: &[usize],
    ) -> Result<Array1<Complex64>> {
        let (x, connected) = (self.bring(x)?, self.bring(connected)?);
        B::amplitudes_to_host(&self.wave_function.log_psi_connected(&x, &connected, origins)?)
    }

    fn has_walker(&self) -> bool {
        self.wave_function.has_walker()
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        self.wave_function.walker()
    }
}
