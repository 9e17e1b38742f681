use candle_core::{DType, Device, Result, Tensor};
use operator_core::Element;

use super::Batch;

/// Connected configurations, shape `(batch, max_conn_size, n_sites)`; unused slots hold the sample.
pub(crate) fn states<T: Element>(batch: &Batch<'_, T>, dtype: DType, device: &Device) -> Result<Tensor> {
    let (n_sites, width) = (batch.n_sites, batch.engine.max_conn_size());
    let mut out = vec![0f32; batch.len() * width * n_sites];
    batch.fill(&mut out, width * n_sites, |x, out, scratch| {
        let mut row = x.to_vec();
        let mut slots = out.chunks_exact_mut(n_sites);
        batch.engine.visit(x, scratch, |connected, _| {
            if let Some(slot) = slots.next() {
                row.copy_from_slice(x);
                connected.write(&mut row);
                copy(&row, slot);
            }
        });
        slots.for_each(|slot| copy(x, slot));
    });
    Tensor::from_vec(out, (batch.len(), width, n_sites), device)?.to_dtype(dtype)
}

fn copy(from: &[i8], to: &mut [f32]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = f32::from(from));
}
