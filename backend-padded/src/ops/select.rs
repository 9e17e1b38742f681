//! Counts and picks connected configurations other than the sample, for samplers.

use candle_core::{Device, Result, Tensor};
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

/// The `numbers[b]`-th x' ≠ x of each sample b; the sample itself beyond the last.
pub(crate) fn selected<T: Element>(engine: &Engine<T>, rows: &Rows, numbers: &[u32]) -> Rows {
    let mut chosen = rows.clone();
    let samples = chosen.par_iter_mut().zip(rows.par_iter()).zip(numbers);
    samples.for_each_init(Scratch::default, |scratch, ((chosen, x), &number)| {
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
    });
    chosen
}
