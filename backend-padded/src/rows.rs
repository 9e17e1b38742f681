//! Batches of configurations on the host, where the kernels read them.

use std::fmt;
use std::ops::Range;

use candle_core::{DType, Device, Tensor};
use ndarray::{Array2, ArrayView2};
use operator_core::{Error, HilbertSpace, HostRows, Result};
use rayon::prelude::*;

use crate::error::{BACKEND, failed};
use crate::memory::with_numbers;

/// States of a space, one row of bytes after another.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    values: Vec<i8>,
    n_samples: usize,
    n_sites: usize,
}

impl Rows {
    /// A batch on the host, checked to be states of the space.
    pub(crate) fn new(hilbert: &HilbertSpace, x: ArrayView2<'_, i8>) -> Result<Self> {
        hilbert.check(x)?;
        let (n_samples, n_sites) = x.dim();
        Ok(Rows { values: x.iter().copied().collect(), n_samples, n_sites })
    }

    /// A batch on any device, brought to the host and checked to be states of the space.
    pub(crate) fn from_tensor(hilbert: &HilbertSpace, x: &Tensor) -> Result<Self> {
        let ((n_samples, n_sites), values) = host_values(x)?;
        let rows = Rows { values, n_samples, n_sites };
        hilbert.check(rows.view())?;
        Ok(rows)
    }

    /// Some consecutive rows.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let values = self.values[range.start * self.n_sites..range.end * self.n_sites].to_vec();
        Rows { values, n_samples: range.len(), n_sites: self.n_sites }
    }

    pub(crate) fn n_samples(&self) -> usize {
        self.n_samples
    }

    pub(crate) fn n_sites(&self) -> usize {
        self.n_sites
    }

    /// All rows, one after another.
    pub(crate) fn data(&self) -> &[i8] {
        &self.values
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, i8> {
        ArrayView2::from_shape((self.n_samples, self.n_sites), &self.values)
            .expect("there are n_samples rows of n_sites values")
    }

    /// The same rows, as the core's engines take them.
    pub(crate) fn as_host(&self) -> HostRows<'_> {
        HostRows::of_states(self.view())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[i8]> {
        self.values.chunks_exact(self.n_sites)
    }

    /// Those of `others`, as many rows, where `is_replaced` is not 0.
    pub(crate) fn replaced(&self, others: &Self, is_replaced: &[u8]) -> Self {
        let pairs = self.iter().zip(others.iter()).zip(is_replaced);
        let values =
            pairs.flat_map(|((own, other), &is_replaced)| if is_replaced == 0 { own } else { other });
        Rows { values: values.copied().collect(), ..*self }
    }

    /// Quantum numbers in the type of a wave function, shape `(n_samples, n_sites)`.
    pub(crate) fn to_tensor(&self, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let values: Vec<f32> = self.values.iter().map(|&q| f32::from(q)).collect();
        Tensor::from_vec(values, (self.n_samples, self.n_sites), device)?.to_dtype(dtype)
    }

    pub(crate) fn par_iter_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [i8]> {
        self.values.par_chunks_exact_mut(self.n_sites)
    }

    pub(crate) fn par_iter(&self) -> impl IndexedParallelIterator<Item = &[i8]> {
        self.values.par_chunks_exact(self.n_sites)
    }
}

/// In a word of a device's memory: all samples are states of the space. Otherwise it holds the number of the first that
/// is none.
pub(crate) const ALL_STATES: u32 = u32::MAX;

/// Reads such a word, if there is one, and refuses a batch of which a sample is no state.
pub(crate) fn expect_states(hilbert: &HilbertSpace, x: &Tensor, status: Option<&Tensor>) -> Result<()> {
    let Some(status) = status else { return Ok(()) };
    match status.squeeze(0).and_then(|status| status.to_scalar::<u32>()).map_err(failed)? {
        ALL_STATES => Ok(()),
        _ => Err(refusal(hilbert, x)),
    }
}

/// Why a batch that a device refused is none of this space, found on the host.
pub(crate) fn refusal(hilbert: &HilbertSpace, x: &Tensor) -> Error {
    match Rows::from_tensor(hilbert, x) {
        Err(error) => error,
        Ok(_) => {
            Error::backend(BACKEND, format!("the device refused samples of {hilbert} that the host accepts"))
        }
    }
}

/// Why a tensor is not a batch of quantum numbers.
#[derive(Debug)]
pub(crate) enum NotRows {
    Device(candle_core::Error),
    NotWhole { sample: usize, site: usize, value: f64 },
}

impl fmt::Display for NotRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRows::Device(error) => error.fmt(f),
            NotRows::NotWhole { sample, site, value } => write!(
                f,
                "sample {sample} has the value {value} at site {site}; quantum numbers are whole numbers from -127 to 127"
            ),
        }
    }
}

impl From<NotRows> for Error {
    fn from(error: NotRows) -> Self {
        match error {
            NotRows::Device(error) => failed(error),
            NotRows::NotWhole { .. } => Error::backend(BACKEND, error.to_string()),
        }
    }
}

/// A batch of quantum numbers on the host, in row-major order.
pub(crate) fn to_host(x: &Tensor) -> Result<Array2<i8>, NotRows> {
    let (shape, values) = host_values(x)?;
    Ok(Array2::from_shape_vec(shape, values).expect("candle gives as many values as the shape says"))
}

fn host_values(x: &Tensor) -> Result<((usize, usize), Vec<i8>), NotRows> {
    let shape = x.dims2().map_err(NotRows::Device)?;
    if x.elem_count() == 0 {
        // Candle reads beyond the end where an empty tensor is a part of another.
        return Ok((shape, Vec::new()));
    }
    let x = x.to_device(&Device::Cpu).and_then(|x| match x.dtype() {
        DType::F32 | DType::F64 => x.contiguous(),
        _ => x.to_dtype(DType::F32)?.contiguous(),
    });
    let x = x.map_err(NotRows::Device)?;
    let values = match x.dtype() {
        DType::F64 => with_numbers(&x, |values: &[f64]| {
            // Adding 1.5 · 2⁵² leaves a whole number in the lowest bits.
            to_bytes(values, |value| value + 6_755_399_441_055_744.0, |sum| sum.to_bits() as i8)
        }),
        _ => with_numbers(&x, |values: &[f32]| {
            to_bytes(values, |value| value + 12_582_912.0, |sum| sum.to_bits() as i8)
        }),
    };
    values.map_err(NotRows::Device)?.map(|values| (shape, values)).map_err(|(k, value)| NotRows::NotWhole {
        sample: k / shape.1,
        site: k % shape.1,
        value,
    })
}

/// Whole numbers from −127 to 127 as bytes, or the first number that is none, and its place.
///
/// `shifted` adds so large a number that the rest is rounded away, and `byte` reads the sum's lowest bits. Unlike casts
/// these are few operations on vectors.
fn to_bytes<V>(
    values: &[V],
    shifted: impl Fn(V) -> V,
    byte: impl Fn(V) -> i8,
) -> Result<Vec<i8>, (usize, f64)>
where
    V: Copy + Into<f64> + PartialEq + From<i8>,
{
    let bytes: Vec<i8> = values.iter().map(|&value| byte(shifted(value))).collect();
    let differs = |(&value, &byte): (&V, &i8)| V::from(byte) != value || byte == i8::MIN;
    let pairs = || values.iter().zip(&bytes);
    // Without a branch for each, so that vectors are used.
    if !pairs().fold(false, |any, pair| any | differs(pair)) {
        return Ok(bytes);
    }
    let bad = pairs().position(differs).unwrap_or_default();
    Err((bad, values[bad].into()))
}
