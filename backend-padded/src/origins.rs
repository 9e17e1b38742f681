//! Samples and the states that an operator connects to them, for chains that stay on a device.

use candle_core::{DType, Device, Result, Tensor};
use operator_core::kernel::Engine;
use operator_core::{Element, HilbertSpace};

#[cfg(feature = "cuda")]
use crate::complex::ComplexTensor;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::ops;
use crate::rows::Rows;

/// Samples where an operator counts and chooses the states x' ≠ x that it connects to them. On CUDA devices nothing is
/// copied to the host, and nothing is checked.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Origins<T: Element>(At<T>);

#[derive(Clone, Debug)]
enum At<T: Element> {
    Host {
        engine: Engine<T>,
        rows: Rows,
        device: Device,
    },
    #[cfg(feature = "cuda")]
    Cuda {
        samples: cuda::Samples,
        values: ComplexTensor,
    },
}

impl<T: Element> Origins<T> {
    pub(crate) fn new(engine: &Engine<T>, hilbert: &HilbertSpace, x: &Tensor) -> operator_core::Result<Self> {
        let rows = Rows::from_tensor(hilbert, x)?;
        Ok(Origins(At::Host { engine: engine.clone(), rows, device: x.device().clone() }))
    }

    #[cfg(feature = "cuda")]
    pub(crate) fn on_cuda(samples: cuda::Samples, values: &ComplexTensor) -> Self {
        Origins(At::Cuda { samples, values: values.clone() })
    }

    /// How many states are connected to each, shape `(batch,)`, u32.
    ///
    /// # Errors
    /// If the device fails.
    pub fn counts(&self) -> Result<Tensor> {
        match &self.0 {
            At::Host { engine, rows, device } => ops::n_off_diagonal(engine, rows, device),
            #[cfg(feature = "cuda")]
            At::Cuda { samples, values } => samples.n_off_diagonal(values),
        }
    }

    /// One of them for each, by its number, shape `(batch,)`, u32; the sample itself beyond the last.
    ///
    /// # Errors
    /// If the device fails.
    pub fn choose(&self, numbers: &Tensor) -> Result<Self> {
        Ok(Origins(match &self.0 {
            At::Host { engine, rows, device } => {
                let numbers = numbers.to_vec1::<u32>()?;
                let rows = ops::selected(engine, rows, &numbers);
                At::Host { engine: engine.clone(), rows, device: device.clone() }
            }
            #[cfg(feature = "cuda")]
            At::Cuda { samples, values } => {
                At::Cuda { samples: samples.select_off_diagonal(values, numbers)?, values: values.clone() }
            }
        }))
    }

    /// Their quantum numbers, shape `(batch, n_sites)`, in f32.
    ///
    /// # Errors
    /// If the device fails.
    pub fn quantum_numbers(&self) -> Result<Tensor> {
        match &self.0 {
            At::Host { rows, device, .. } => rows.to_tensor(DType::F32, device),
            #[cfg(feature = "cuda")]
            At::Cuda { samples, .. } => samples.quantum_numbers(DType::F32),
        }
    }

    /// Samples of `others` where `is_replaced`, `(batch,)` in u8, is not 0.
    ///
    /// # Errors
    /// If they are samples of another device, or the device fails.
    pub fn replaced(&self, others: &Self, is_replaced: &Tensor) -> Result<Self> {
        match (&self.0, &others.0) {
            (At::Host { engine, rows, device }, At::Host { rows: others, .. }) => {
                let rows = rows.replaced(others, &is_replaced.to_vec1::<u8>()?);
                Ok(Origins(At::Host { engine: engine.clone(), rows, device: device.clone() }))
            }
            #[cfg(feature = "cuda")]
            (At::Cuda { samples, values }, At::Cuda { samples: others, .. }) => {
                let samples = samples.replaced(others, is_replaced)?;
                Ok(Origins(At::Cuda { samples, values: values.clone() }))
            }
            #[cfg(feature = "cuda")]
            _ => candle_core::bail!("samples on a CUDA device and on the host"),
        }
    }
}
