//! The fused kernels. Each goes through a batch row by row with the core's engine, in parallel.

mod mels;
mod select;
mod states;

pub(crate) use mels::{Part, mels, mels_of};
pub(crate) use select::{n_off_diagonal, select_off_diagonal};
pub(crate) use states::states;

use candle_core::{DType, Result, Tensor};
use operator_core::Element;
use operator_core::kernel::{Engine, Scratch};
use rayon::prelude::*;

/// A checked batch on the host with the engine that runs on it.
#[derive(Clone)]
pub(crate) struct Batch<'a, T> {
    pub(crate) engine: &'a Engine<T>,
    pub(crate) rows: &'a [i8],
    pub(crate) n_sites: usize,
}

impl<T: Element> Batch<'_, T> {
    pub(crate) fn len(&self) -> usize {
        self.rows.len() / self.n_sites
    }

    /// Fills `width` numbers a sample: `f(x, its part of out, scratch)`.
    fn fill<V: Send>(
        &self,
        out: &mut [V],
        width: usize,
        f: impl Fn(&[i8], &mut [V], &mut Scratch<T>) + Sync,
    ) {
        if width == 0 {
            return;
        }
        out.par_chunks_mut(width)
            .zip(self.rows.par_chunks(self.n_sites))
            .for_each_init(Scratch::default, |scratch, (out, x)| f(x, out, scratch));
    }
}

/// A tensor of quantum numbers as bytes in row-major order, and its shape. What is no byte becomes −128,
/// which no space allows.
pub(crate) fn host_rows(x: &Tensor) -> Result<((usize, usize), Vec<i8>)> {
    let shape = x.dims2()?;
    if x.elem_count() == 0 {
        // Candle reads beyond the end where an empty tensor is a part of another.
        return Ok((shape, Vec::new()));
    }
    let values = x.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    let byte = |q: f32| if q.fract() == 0.0 && (-127.0..=127.0).contains(&q) { q as i8 } else { i8::MIN };
    Ok((shape, values.into_iter().map(byte).collect()))
}
