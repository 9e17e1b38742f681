//! Matrix elements as functions of the values of the operator's slots.

use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, WithDType};
use operator_core::kernel::{Engine, Scratch};
use rayon::prelude::*;

use super::BOUNDED;
use crate::rows::Rows;

/// The real or imaginary part of the matrix elements as a function of the slots' values on the CPU, through
/// which gradients flow. Values are `(n_slots,)`, or `(batch, n_slots)` if each sample has its own.
///
/// The `pattern` decides which elements exist: one that is 0 at the present values can still have a non-zero
/// derivative.
pub(crate) fn mels_of(pattern: &Engine<f64>, rows: Arc<Rows>, values: &Tensor) -> Result<Tensor> {
    let n_slots = pattern.values().len();
    let whose = if values.rank() == 1 { Whose::All } else { Whose::Each };
    let expected = match whose {
        Whose::All => vec![n_slots],
        Whose::Each => vec![rows.n_samples(), n_slots],
    };
    if values.dims() != expected {
        candle_core::bail!("values of slots have the shape {:?}; expected {expected:?}", values.dims());
    }
    values.contiguous()?.apply_op1(Mels { pattern: pattern.clone(), rows, whose })
}

/// Which samples a row of slot values belongs to.
#[derive(Clone, Copy, Debug)]
enum Whose {
    /// One row for all samples.
    All,
    /// One row for each sample.
    Each,
}

/// An element is a sum of slots with factors, which are its derivatives by these slots.
struct Mels {
    pattern: Engine<f64>,
    rows: Arc<Rows>,
    whose: Whose,
}

impl Mels {
    fn shape(&self) -> (usize, usize) {
        (self.rows.n_samples(), self.pattern.max_conn_size())
    }

    /// The elements of each sample, from one row of `values` for all samples or one for each.
    fn sums<V: WithDType>(&self, values: &[V]) -> Vec<V> {
        let (n_samples, width) = self.shape();
        let n_slots = self.pattern.values().len();
        let mut out = vec![V::zero(); n_samples * width];
        let of_sample = |scratch: &mut Scratch<f64>, ((b, out), x): ((usize, &mut [V]), &[i8])| {
            let values = match self.whose {
                Whose::All => values,
                Whose::Each => &values[b * n_slots..(b + 1) * n_slots],
            };
            let mut places = out.iter_mut();
            self.pattern.visit(x, scratch, |connected, _| {
                let mut mel = V::zero();
                connected.for_each_slot(|slot, factor| mel += values[slot] * V::from_f64(factor));
                *places.next().expect(BOUNDED) = mel;
            });
        };
        if width > 0 {
            let samples = out.par_chunks_exact_mut(width).enumerate().zip(self.rows.par_iter());
            samples.for_each_init(Scratch::default, of_sample);
        }
        out
    }

    /// The gradient with respect to the values, from that with respect to the elements.
    fn slot_gradients(&self, gradient: &[f64]) -> Vec<f64> {
        let ((n_samples, width), n_slots) = (self.shape(), self.pattern.values().len());
        let n_rows = match self.whose {
            Whose::All => 1,
            Whose::Each => n_samples,
        };
        let mut out = vec![0.0; n_rows * n_slots];
        if width == 0 {
            return out;
        }
        match self.whose {
            // In order, so that rounding does not depend on threads.
            Whose::All => {
                let mut scratch = Scratch::default();
                for (x, gradient) in self.rows.iter().zip(gradient.chunks_exact(width)) {
                    self.add_gradient(x, gradient, &mut scratch, &mut out);
                }
            }
            Whose::Each => out
                .par_chunks_exact_mut(n_slots)
                .zip(self.rows.par_iter())
                .zip(gradient.par_chunks_exact(width))
                .for_each_init(Scratch::default, |scratch, ((out, x), gradient)| {
                    self.add_gradient(x, gradient, scratch, out);
                }),
        }
        out
    }

    /// Adds the contribution of one sample to the gradient of a row of values.
    fn add_gradient(&self, x: &[i8], gradient: &[f64], scratch: &mut Scratch<f64>, out: &mut [f64]) {
        let mut gradients = gradient.iter();
        self.pattern.visit(x, scratch, |connected, _| {
            let gradient = gradients.next().expect(BOUNDED);
            connected.for_each_slot(|slot, factor| out[slot] += factor * gradient);
        });
    }
}

impl CustomOp1 for Mels {
    fn name(&self) -> &'static str {
        "matrix-elements"
    }

    fn cpu_fwd(&self, values: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let range = layout.start_offset()..layout.start_offset() + layout.shape().elem_count();
        let storage = match values {
            CpuStorage::F32(values) => CpuStorage::F32(self.sums(&values[range])),
            CpuStorage::F64(values) => CpuStorage::F64(self.sums(&values[range])),
            _ => candle_core::bail!("matrix elements are f32 or f64, not {:?}", values.dtype()),
        };
        Ok((storage, self.shape().into()))
    }

    fn bwd(&self, values: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let slots = self.slot_gradients(&gradient);
        Ok(Some(Tensor::from_vec(slots, values.shape(), values.device())?.to_dtype(values.dtype())?))
    }
}
