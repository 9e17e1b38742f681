//! Matrix elements as functions of the values of the operator's slots.

use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, WithDType};
use operator_core::kernel::{Connected, Engine, Found};
use operator_core::parallel::SAMPLES_AT_A_TIME;
use rayon::prelude::*;

use super::BOUNDED;
use crate::rows::Rows;

/// The real or imaginary part of the matrix elements as a function of the slots' values on the CPU, through
/// which gradients flow. Values are `(n_slots,)`, or `(batch, n_slots)` if each sample has its own.
///
/// The `pattern` decides which elements exist: one that is 0 at the present values can still have a non-zero
/// derivative.
pub(crate) fn mels_of(pattern: &Engine<f64>, samples: Arc<Rows>, values: &Tensor) -> Result<Tensor> {
    let n_slots = pattern.values().len();
    let whose = if values.rank() == 1 { Whose::All } else { Whose::Each };
    let expected = match whose {
        Whose::All => vec![n_slots],
        Whose::Each => vec![samples.n_samples(), n_slots],
    };
    if values.dims() != expected {
        candle_core::bail!("values of slots have the shape {:?}; expected {expected:?}", values.dims());
    }
    let width = pattern.max_conn_size();
    values.contiguous()?.apply_op1(Mels { pattern: pattern.clone(), samples, width, whose })
}

/// Partial sums of a gradient.
const PARTIAL_SUMS: usize = 16;

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
    samples: Arc<Rows>,
    width: usize,
    whose: Whose,
}

impl Mels {
    fn n_slots(&self) -> usize {
        self.pattern.values().len()
    }

    /// The elements of each sample, from one row of `values` for all samples or one for each.
    fn sums<V: WithDType>(&self, values: &[V]) -> Vec<V> {
        let (width, n_slots) = (self.width, self.n_slots());
        let mut out = vec![V::zero(); self.samples.n_samples() * width];
        if width == 0 {
            return out;
        }
        let blocks = out.par_chunks_mut(width * SAMPLES_AT_A_TIME).enumerate();
        blocks.for_each_init(Found::default, |found, (block, out)| {
            let mut rows = out.chunks_exact_mut(width);
            self.for_each_sample(block, found, |sample, elements| {
                let values = match self.whose {
                    Whose::All => values,
                    Whose::Each => &values[sample * n_slots..(sample + 1) * n_slots],
                };
                let mut places = rows.next().into_iter().flatten();
                elements(&mut |connected| {
                    let mut mel = V::zero();
                    connected.for_each_slot(|slot, factor| mel += values[slot] * V::from_f64(factor));
                    *places.next().expect(BOUNDED) = mel;
                });
            });
        });
        out
    }

    /// Calls `f` with the number of each sample of a block and a function that visits its elements.
    fn for_each_sample(
        &self,
        block: usize,
        found: &mut Found<f64>,
        mut f: impl FnMut(usize, &dyn Fn(&mut dyn FnMut(Connected<'_>))),
    ) {
        let start = block * SAMPLES_AT_A_TIME;
        let end = self.samples.n_samples().min(start + SAMPLES_AT_A_TIME);
        let n_sites = self.samples.n_sites();
        let mut counts = [0; SAMPLES_AT_A_TIME];
        let rows = &self.samples.data()[start * n_sites..end * n_sites];
        self.pattern.find(rows, &mut counts[..end - start], found);
        for sample in start..end {
            f(sample, &|visit| {
                self.pattern.visit_found(found, sample - start, |connected, _| visit(connected));
            });
        }
    }

    /// The gradient with respect to the values, from that with respect to the elements.
    fn slot_gradients(&self, gradient: &[f64]) -> Vec<f64> {
        let (width, n_slots, n_samples) = (self.width, self.n_slots(), self.samples.n_samples());
        let n_blocks = n_samples.div_ceil(SAMPLES_AT_A_TIME);
        let add = |block: usize, found: &mut Found<f64>, out: &mut [f64]| {
            let start = block * SAMPLES_AT_A_TIME;
            self.for_each_sample(block, found, |sample, elements| {
                let out = match self.whose {
                    Whose::All => &mut *out,
                    Whose::Each => &mut out[(sample - start) * n_slots..][..n_slots],
                };
                let mut gradients = gradient[sample * width..(sample + 1) * width].iter();
                elements(&mut |connected| {
                    let gradient = gradients.next().expect(BOUNDED);
                    connected.for_each_slot(|slot, factor| out[slot] += factor * gradient);
                });
            });
        };
        match self.whose {
            // Partial sums whose number depends on shapes only, so that rounding does not depend on threads.
            Whose::All => {
                let blocks_at_a_time = n_blocks.div_ceil(PARTIAL_SUMS).max(1);
                let runs = (0..n_blocks).into_par_iter().step_by(blocks_at_a_time);
                let sums: Vec<Vec<f64>> = runs
                    .map_init(Found::default, |found, first| {
                        let mut out = vec![0.0; n_slots];
                        let end = n_blocks.min(first + blocks_at_a_time);
                        (first..end).for_each(|block| add(block, found, &mut out));
                        out
                    })
                    .collect();
                let mut out = vec![0.0; n_slots];
                sums.iter().for_each(|sums| out.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum));
                out
            }
            Whose::Each => {
                let mut out = vec![0.0; n_samples * n_slots];
                out.par_chunks_mut((SAMPLES_AT_A_TIME * n_slots).max(1))
                    .enumerate()
                    .for_each_init(Found::default, |found, (block, out)| add(block, found, out));
                out
            }
        }
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
        Ok((storage, (self.samples.n_samples(), self.width).into()))
    }

    fn bwd(&self, values: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let slots = self.slot_gradients(&gradient);
        Ok(Some(Tensor::from_vec(slots, values.shape(), values.device())?.to_dtype(values.dtype())?))
    }
}
