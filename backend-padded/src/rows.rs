//! Batches of configurations on the host, where the kernels read them.

use std::fmt;
use std::ops::Range;

use candle_core::{DType, Tensor};
use ndarray::{Array2, ArrayView2};
use operator_core::{Error, HilbertSpace, Result};
use rayon::prelude::*;

use crate::error::{BACKEND, failed};

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

    pub(crate) fn view(&self) -> ArrayView2<'_, i8> {
        ArrayView2::from_shape((self.n_samples, self.n_sites), &self.values)
            .expect("there are n_samples rows of n_sites values")
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[i8]> {
        self.values.chunks_exact(self.n_sites)
    }

    pub(crate) fn par_iter(&self) -> impl IndexedParallelIterator<Item = &[i8]> {
        self.values.par_chunks_exact(self.n_sites)
    }
}

/// Why a tensor is not a batch of quantum numbers.
#[derive(Debug)]
pub(crate) enum NotRows {
    Device(candle_core::Error),
    NotWhole { sample: usize, site: usize, value: f32 },
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
    let values = x.to_dtype(DType::F32).and_then(|x| x.flatten_all()?.to_vec1::<f32>());
    let values = values.map_err(NotRows::Device)?;
    let is_byte = |&value: &f32| value.fract() == 0.0 && (-127.0..=127.0).contains(&value);
    match values.iter().position(|value| !is_byte(value)) {
        Some(k) => Err(NotRows::NotWhole { sample: k / shape.1, site: k % shape.1, value: values[k] }),
        None => Ok((shape, values.into_iter().map(|value| value as i8).collect())),
    }
}
