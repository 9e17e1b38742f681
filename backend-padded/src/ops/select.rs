use candle_core::{DType, Device, Result, Tensor};
use operator_core::Element;

use super::Batch;

/// Number of connected x' ≠ x of each sample, shape `(batch,)`, u32.
pub(crate) fn n_off_diagonal<T: Element>(batch: &Batch<'_, T>, device: &Device) -> Result<Tensor> {
    let mut out = vec![0u32; batch.len()];
    batch.fill(&mut out, 1, |x, out, scratch| {
        batch.engine.visit(x, scratch, |connected, _| out[0] += u32::from(!connected.is_diagonal()));
    });
    Tensor::from_vec(out, batch.len(), device)
}

/// The `numbers[b]`-th x' ≠ x of each sample b, shape `(batch, n_sites)`; the sample itself beyond the last.
pub(crate) fn select_off_diagonal<T: Element>(
    batch: &Batch<'_, T>,
    numbers: &[u32],
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    let n_sites = batch.n_sites;
    let mut out = vec![(0u32, 0f32); batch.len() * n_sites];
    // The number travels in the sample's own part of the output.
    out.chunks_exact_mut(n_sites).zip(numbers).for_each(|(out, &number)| out[0].0 = number);
    batch.fill(&mut out, n_sites, |x, out, scratch| {
        let mut left = out[0].0;
        let mut chosen = x.to_vec();
        let mut found = false;
        batch.engine.visit(x, scratch, |connected, _| {
            if connected.is_diagonal() || found {
                return;
            }
            if left == 0 {
                connected.write(&mut chosen);
                found = true;
            }
            left = left.saturating_sub(1);
        });
        out.iter_mut().zip(&chosen).for_each(|(out, &q)| out.1 = f32::from(q));
    });
    let values: Vec<f32> = out.into_iter().map(|(_, q)| q).collect();
    Tensor::from_vec(values, (batch.len(), n_sites), device)?.to_dtype(dtype)
}
