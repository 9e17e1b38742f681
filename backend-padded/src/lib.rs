//! The padded backend: operators as static-shape kernels on candle tensors.
//!
//! No shape depends on data: every sample has [`max_conn_size`](operator_core::DiscreteOperator::max_conn_size)
//! slots, of which the unused hold the sample itself with matrix element 0. Matrix elements can be
//! differentiated in the operator's own parameters.
//!
//! ```
//! use backend_padded::{Padded, TensorConn};
//! use candle_core::{Device, Tensor};
//! use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
//!
//! let chain = Graph::chain(3, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Padded>()?;
//! let x = Tensor::new(&[[1f32, 1.0, -1.0]], &Device::Cpu).unwrap();
//! let conn = ising.conn(&x)?;
//! assert_eq!(conn.states.dims(), [1, 4, 3]);
//! assert_eq!(conn.mels.re.to_vec2::<f64>().unwrap(), [[-1.0, -0.5, -0.5, -0.5]]);
//! # Ok::<(), operator_core::Error>(())
//! ```
//!
//! Operators of third parties implement [`PaddedKernel`] and become a [`PaddedOperator`] by
//! [`PaddedOperator::custom`].
//!
//! The fused kernels run on the CPU, over all threads. On another device, samples are brought to the host for
//! them and the results taken back; everything else stays on the device.

mod complex;
mod custom;
mod device;
mod differentiable;
mod forward;
mod local_kernel;
mod operator;
mod operator_gradient;
mod ops;
mod values;

pub use complex::ComplexTensor;
pub use custom::PaddedKernel;
pub use device::device;
pub use local_kernel::{local_estimator_tensor, local_estimators};
pub use operator::{ConnTensors, PaddedOperator, TensorConn};
pub use operator_gradient::local_estimators_and_operator_grad;

use std::ops::Range;

use candle_core::{DType, Device, Tensor};
use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::{Backend, Definition, Element, Error, Lower, Result};

/// Marker of this backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Padded;

impl Backend for Padded {
    const NAME: &'static str = "padded";
    type Device = Device;
    /// Quantum numbers as `f32` (they are small integers, so this is exact), shape `(batch, n_sites)`.
    type Configurations = Tensor;
    /// Shape `(batch,)`.
    type Amplitudes = ComplexTensor;

    fn default_device() -> Device {
        Device::Cpu
    }

    fn from_host(x: ArrayView2<'_, i8>, device: &Device) -> Result<Tensor> {
        let values: Vec<f32> = x.iter().map(|&q| f32::from(q)).collect();
        Tensor::from_vec(values, x.dim(), device).map_err(failed)
    }

    fn to_host(x: &Tensor) -> Result<Array2<i8>> {
        let (shape, values) = ops::host_rows(x).map_err(failed)?;
        Array2::from_shape_vec(shape, values).map_err(|error| Error::backend(Self::NAME, error))
    }

    fn amplitudes_to_host(amplitudes: &ComplexTensor) -> Result<Array1<Complex64>> {
        amplitudes.to_host().map(Array1::from).map_err(failed)
    }

    fn amplitudes_from_host(amplitudes: Array1<Complex64>, device: &Device) -> Result<ComplexTensor> {
        let (re, im): (Vec<f64>, Vec<f64>) = amplitudes.iter().map(|value| (value.re, value.im)).unzip();
        let dtype = if device.is_metal() { DType::F32 } else { DType::F64 };
        let part = |values: Vec<f64>| {
            let n = values.len();
            Tensor::from_vec(values, n, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)
        };
        let both =
            |re, im| -> candle_core::Result<_> { Ok(ComplexTensor { re: part(re)?, im: Some(part(im)?) }) };
        both(re, im).map_err(failed)
    }

    fn add_amplitudes(left: &ComplexTensor, right: &ComplexTensor) -> Result<ComplexTensor> {
        left.add(right).map_err(failed)
    }

    fn concat_amplitudes(parts: &[ComplexTensor]) -> Result<ComplexTensor> {
        ComplexTensor::cat(parts, 0).map_err(failed)
    }

    fn amplitudes_len(amplitudes: &ComplexTensor) -> usize {
        amplitudes.re.dims().first().copied().unwrap_or(0)
    }

    fn batch_len(x: &Tensor) -> usize {
        x.dims().first().copied().unwrap_or(0)
    }

    fn rows(x: &Tensor, range: Range<usize>) -> Result<Tensor> {
        let end = range.end.min(Self::batch_len(x));
        let start = range.start.min(end);
        x.narrow(0, start, end - start).map_err(failed)
    }

    fn replace_rows(x: &mut Tensor, y: &Tensor, replace: &[bool]) -> Result<()> {
        let n = replace.len();
        let mask: Vec<u8> = replace.iter().map(|&replace| u8::from(replace)).collect();
        let merged = Tensor::from_vec(mask, (n, 1), x.device())
            .and_then(|mask| mask.broadcast_as(x.shape())?.where_cond(y, x));
        *x = merged.map_err(failed)?;
        Ok(())
    }
}

impl<T: Element> Lower<T> for Padded {
    type Operator = PaddedOperator<T>;

    fn lower(definition: &Definition, device: &Device) -> Result<PaddedOperator<T>> {
        PaddedOperator::new(definition.clone(), device)
    }
}

/// An error of candle as one of this backend.
fn failed(error: candle_core::Error) -> Error {
    Error::backend(Padded::NAME, error)
}

/// The tensors' dtype for elements of type `T`.
fn real_dtype<T: Element>() -> DType {
    if size_of::<T::Real>() == size_of::<f64>() { DType::F64 } else { DType::F32 }
}
