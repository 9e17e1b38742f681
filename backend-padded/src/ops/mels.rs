use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, WithDType};
use operator_core::Element;
use operator_core::kernel::{Engine, Scratch};
use rayon::prelude::*;

use super::Batch;

/// Real or imaginary part of complex elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Re,
    Im,
}

impl Part {
    fn of<T: Element>(self, mel: T) -> f64 {
        let mel = mel.to_complex();
        match self {
            Part::Re => mel.re,
            Part::Im => mel.im,
        }
    }
}

/// One part of the matrix elements, shape `(batch, max_conn_size)`; unused slots hold 0.
pub(crate) fn mels<T: Element>(
    batch: &Batch<'_, T>,
    part: Part,
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    let width = batch.engine.max_conn_size();
    Tensor::from_vec(host_mels(batch, part), (batch.len(), width), device)?.to_dtype(dtype)
}

fn host_mels<T: Element>(batch: &Batch<'_, T>, part: Part) -> Vec<f64> {
    let width = batch.engine.max_conn_size();
    let mut out = vec![0f64; batch.len() * width];
    batch.fill(&mut out, width, |x, out, scratch| {
        let mut slots = out.iter_mut();
        batch.engine.visit(x, scratch, |_, mel| {
            if let Some(slot) = slots.next() {
                *slot = part.of(mel);
            }
        });
    });
    out
}

/// One part of the matrix elements as a function of the slots' values on the CPU, through which gradients
/// flow. Values are `(n_slots,)`, or `(batch, n_slots)` where each sample has its own.
///
/// Which elements exist is decided by the `pattern`, so that those that happen to be 0 have their derivatives.
pub(crate) fn mels_of(
    pattern: &Engine<f64>,
    rows: Arc<[i8]>,
    n_sites: usize,
    values: &Tensor,
) -> Result<Tensor> {
    values.contiguous()?.apply_op1(Mels { pattern: pattern.clone(), rows, n_sites })
}

/// Elements are sums of slots with signs, so the derivative in a slot is ±1 in each element it enters.
struct Mels {
    pattern: Engine<f64>,
    rows: Arc<[i8]>,
    n_sites: usize,
}

impl Mels {
    fn batch(&self) -> Batch<'_, f64> {
        Batch { engine: &self.pattern, rows: &self.rows, n_sites: self.n_sites }
    }

    fn shape(&self) -> (usize, usize) {
        (self.batch().len(), self.pattern.max_conn_size())
    }

    /// The elements of each sample, from `values` of all samples or one after another.
    fn sums<V: WithDType>(&self, values: &[V]) -> Vec<V> {
        let (batch, width) = self.shape();
        let n_slots = self.pattern.values().len();
        let stride = if values.len() == n_slots { 0 } else { n_slots };
        let mut out = vec![V::zero(); batch * width];
        let jobs: Vec<_> = out.chunks_mut(width.max(1)).enumerate().collect();
        let of_sample = |scratch: &mut Scratch<f64>, (b, out): (usize, &mut [V])| {
            let values = &values[b * stride..b * stride + n_slots];
            let mut places = out.iter_mut();
            let x = &self.rows[b * self.n_sites..(b + 1) * self.n_sites];
            self.pattern.visit(x, scratch, |connected, _| {
                let mut mel = V::zero();
                connected.for_each_slot(|slot, negative| {
                    mel = if negative { mel - values[slot] } else { mel + values[slot] };
                });
                if let Some(place) = places.next() {
                    *place = mel;
                }
            });
        };
        jobs.into_par_iter().for_each_init(Scratch::default, of_sample);
        out
    }

    /// The gradient in the values, which are `n_values`: summed over samples in order, so that rounding does
    /// not depend on threads, or each by itself.
    fn slot_gradients(&self, gradient: &[f64], n_values: usize) -> Vec<f64> {
        let mut out = vec![0.0; n_values];
        let mut scratch = Default::default();
        let n_slots = self.pattern.values().len();
        let stride = if n_values == n_slots { 0 } else { n_slots };
        let width = self.pattern.max_conn_size().max(1);
        let samples = self.rows.chunks_exact(self.n_sites).zip(gradient.chunks_exact(width));
        for (b, (x, gradient)) in samples.enumerate() {
            let out = &mut out[b * stride..b * stride + n_slots];
            let mut gradients = gradient.iter();
            self.pattern.visit(x, &mut scratch, |connected, _| {
                let gradient = gradients.next().copied().unwrap_or(0.0);
                connected.for_each_slot(|slot, negative| {
                    out[slot] += if negative { -gradient } else { gradient };
                });
            });
        }
        out
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
        let slots = self.slot_gradients(&gradient, values.elem_count());
        Ok(Some(Tensor::from_vec(slots, values.shape(), values.device())?.to_dtype(values.dtype())?))
    }
}
