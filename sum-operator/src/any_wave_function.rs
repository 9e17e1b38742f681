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
    device: B::Device,
    backend: PhantomData<B>,
}

impl<B: Backend, W: WaveFunction<B>> AnyWaveFunction<B, W> {
    /// Wraps a wave function that runs on its backend's default device.
    pub fn new(wave_function: W) -> Self {
        AnyWaveFunction { wave_function, device: B::default_device(), backend: PhantomData }
    }
}

impl<B: Backend, W: WaveFunction<B>> WaveFunction<Any> for AnyWaveFunction<B, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.wave_function.hilbert()
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        let x = B::from_host(x.view(), &self.device)?;
        B::amplitudes_to_host(&self.wave_function.log_psi(&x)?)
    }

    fn log_psi_connected(
        &self,
        x: &Array2<i8>,
        connected: &Array2<i8>,
        origins: &[usize],
    ) -> Result<Array1<Complex64>> {
        let on_device = |x: &Array2<i8>| B::from_host(x.view(), &self.device);
        let (x, connected) = (on_device(x)?, on_device(connected)?);
        B::amplitudes_to_host(&self.wave_function.log_psi_connected(&x, &connected, origins)?)
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        self.wave_function.walker()
    }
}
