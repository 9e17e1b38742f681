//! Counts and picks connected configurations other than the sample, for samplers.

use candle_core::{DType, Device, Result, Tensor};
use operator_core::Element;
use operator_core::kernel::{Engine, Scratch};
use rayon::prelude::*;

use crate::rows::Rows;

/// Number of connected x' ≠ x of each sample, shape `(batch,)`, u32.
pub(crate) fn n_off_diagonal<T: Element>(engine: &Engine<T>, rows: &Rows, device: &Device) -> Result<Tensor> {
    let count = |scratch: &mut Scratch<T>, x: &[i8]| {
        let mut n = 0u32;
        engine.visit(x, scratch, |connected, _| n += u32::from(!connected.is_diagonal()));
        n
    };
    let counts: Vec<u32> = rows.par_iter().map_init(Scratch::default, count).collect();
    Tensor::from_vec(counts, rows.n_samples(), device)
}

/// The `numbers[b]`-th x' ≠ x of each sample b, shape `(batch, n_sites)`; the sample itself beyond the last.
pub(crate) fn select_off_diagonal<T: Element>(
    engine: &Engine<T>,
    rows: &Rows,
    numbers: &[u32],
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    let n_sites = rows.n_sites();
    let mut out = vec![0f32; rows.n_samples() * n_sites];
    let samples = out.par_chunks_exact_mut(n_sites).zip(rows.par_iter()).zip(numbers);
    samples.for_each_init(
        || (Scratch::default(), vec![0; n_sites]),
        |(scratch, chosen), ((out, x), &number)| {
            chosen.copy_from_slice(x);
            let mut before = 0;
            engine.visit(x, scratch, |connected, _| {
                if connected.is_diagonal() {
                    return;
                }
                if before == number {
                    connected.write(chosen);
                }
                before += 1;
            });
            out.iter_mut().zip(&*chosen).for_each(|(out, &q)| *out = f32::from(q));
        },
    );
    Tensor::from_vec(out, (rows.n_samples(), n_sites), device)?.to_dtype(dtype)
}
