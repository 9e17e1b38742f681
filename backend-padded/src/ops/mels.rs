use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, WithDType};
use operator_core::Element;
use operator_core::kernel::Engine;

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

/// The same as a function of the slots' values, shape `(n_slots,)` on the CPU, through which gradients flow.
///
/// Which elements exist is decided by the engine's own values; the tensor holds this part of them.
pub(crate) fn mels_of<T: Element>(
    engine: &Engine<T>,
    rows: Arc<[i8]>,
    n_sites: usize,
    part: Part,
    values: &Tensor,
) -> Result<Tensor> {
    values.apply_op1(Mels { engine: engine.clone(), rows, n_sites, part })
}

/// Elements are sums of slots with signs, so the derivative in a slot is ±1 in each element it enters.
struct Mels<T> {
    engine: Engine<T>,
    rows: Arc<[i8]>,
    n_sites: usize,
    part: Part,
}

impl<T: Element> Mels<T> {
    fn batch(&self) -> Batch<'_, T> {
        Batch { engine: &self.engine, rows: &self.rows, n_sites: self.n_sites }
    }

    /// Σ over samples and elements of the gradient, in order, so that rounding does not depend on threads.
    fn slot_gradients(&self, gradient: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.engine.values().len()];
        let mut scratch = Default::default();
        let width = self.engine.max_conn_size().max(1);
        for (x, gradient) in self.rows.chunks_exact(self.n_sites).zip(gradient.chunks_exact(width)) {
            let mut gradients = gradient.iter();
            self.engine.visit(x, &mut scratch, |connected, _| {
                let gradient = gradients.next().copied().unwrap_or(0.0);
                connected.for_each_slot(|slot, negative| {
                    out[slot] += if negative { -gradient } else { gradient };
                });
            });
        }
        out
    }
}

impl<T: Element> CustomOp1 for Mels<T> {
    fn name(&self) -> &'static str {
        "matrix-elements"
    }

    fn cpu_fwd(&self, values: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let batch = self.batch();
        let mels = host_mels(&batch, self.part);
        let storage = match values {
            CpuStorage::F32(_) => CpuStorage::F32(mels.into_iter().map(f32::from_f64).collect()),
            _ => CpuStorage::F64(mels),
        };
        Ok((storage, (batch.len(), self.engine.max_conn_size()).into()))
    }

    fn bwd(&self, values: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let slots = self.slot_gradients(&gradient);
        let n_slots = slots.len();
        Ok(Some(Tensor::from_vec(slots, n_slots, values.device())?.to_dtype(values.dtype())?))
    }
}
