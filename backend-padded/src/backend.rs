//! The marker of this backend, and its batches of configurations and amplitudes.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};
use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::{Backend, Error, Result, check_row_range};

use crate::complex::ComplexTensor;
use crate::conn::ConnStates;
use crate::error::{BACKEND, failed};
use crate::rows;

/// Marker of this backend: batches and amplitudes are candle tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Padded;

impl Backend for Padded {
    const NAME: &'static str = BACKEND;
    type Device = Device;
    /// Quantum numbers as `f32` (they are small integers, so this is exact), shape `(batch, n_sites)`.
    type Configurations = Tensor;
    /// Shape `(batch,)`.
    type Amplitudes = ComplexTensor;
    type ConnStates = ConnStates;

    fn default_device() -> Device {
        Device::Cpu
    }

    fn same_device(left: &Device, right: &Device) -> bool {
        left.same_device(right)
    }

    fn from_host(x: ArrayView2<'_, i8>, device: &Device) -> Result<Tensor> {
        let values: Vec<f32> = x.iter().map(|&q| f32::from(q)).collect();
        Tensor::from_vec(values, x.dim(), device).map_err(failed)
    }

    /// [`Error::Backend`] also for a value that is not a whole number from −127 to 127.
    fn to_host(x: &Tensor) -> Result<Array2<i8>> {
        Ok(rows::to_host(x)?)
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
        part(re).and_then(|re| ComplexTensor::new(re, part(im)?)).map_err(failed)
    }

    fn add_amplitudes(left: &ComplexTensor, right: &ComplexTensor) -> Result<ComplexTensor> {
        left.add(right).map_err(failed)
    }

    fn concat_amplitudes(parts: &[ComplexTensor]) -> Result<ComplexTensor> {
        ComplexTensor::cat(parts, 0).map_err(failed)
    }

    fn amplitudes_len(amplitudes: &ComplexTensor) -> usize {
        amplitudes.dims().first().copied().unwrap_or(0)
    }

    /// The size of the first dimension. A tensor without dimensions is not a batch and counts as 0; whatever
    /// reads it refuses it.
    fn batch_len(x: &Tensor) -> usize {
        x.dims().first().copied().unwrap_or(0)
    }

    fn rows(x: &Tensor, range: Range<usize>) -> Result<Tensor> {
        check_row_range(&range, Self::batch_len(x))?;
        x.narrow(0, range.start, range.len()).map_err(failed)
    }

    fn conn_rows(states: &ConnStates) -> Result<Tensor> {
        states.rows().and_then(|rows| rows.flatten(0, 1)).map_err(failed)
    }

    fn replace_rows(x: &mut Tensor, y: &Tensor, replace: &[bool]) -> Result<()> {
        let (n, n_samples) = (replace.len(), Self::batch_len(x));
        if n != n_samples {
            let expected = format!("{n_samples}, one for each row");
            return Err(Error::Count { what: "choices of rows to replace".into(), got: n, expected });
        }
        let mask: Vec<u8> = replace.iter().map(|&replace| u8::from(replace)).collect();
        let merged = Tensor::from_vec(mask, (n, 1), x.device())
            .and_then(|mask| mask.broadcast_as(x.shape())?.where_cond(y, x));
        *x = merged.map_err(failed)?;
        Ok(())
    }
}
