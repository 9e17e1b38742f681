//! Local estimators: with walkers, or in batches.

mod one_by_one;

use ndarray::{Array1, ArrayView2};
use num_complex::Complex64;
use operator_core::parallel::{batched_estimators, walked_estimators};
use operator_core::{Result, WaveFunction};
use std::num::NonZeroUsize;

use crate::{Flat, VisitConn};
use one_by_one::one_by_one;

/// Local estimators `O_loc(x) = Σ_x' <x|O|x'> ψ(x') / ψ(x)` of a batch of samples.
///
/// If the wave function has a [`Walker`](operator_core::Walker), each x' is a change of x, and no configuration is
/// stored. Otherwise connected elements are generated block by block, and each distinct configuration of a block
/// is evaluated once, by [`log_psi_connected`](WaveFunction::log_psi_connected). At most
/// `chunk_size` connected configurations, together with the samples they came from, are passed to the wave
/// function at a time, so memory does not grow with the number of samples.
///
/// # Shapes
/// `x` is `(batch, n_sites)`; returns `(batch,)`.
///
/// # Errors
/// [`Error::HilbertMismatch`](operator_core::Error::HilbertMismatch) if operator and wave function live on different
/// spaces; [`Error::LogPsiNotFinite`](operator_core::Error::LogPsiNotFinite) if a sample's log ψ is not a number or
/// its amplitude is zero, or if a connected amplitude is not a number;
/// [`Error::WalkerDisappeared`](operator_core::Error::WalkerDisappeared) if `has_walker` and `walker` disagree; errors
/// of the operator and of the wave function.
pub fn local_estimators<O, W>(
    operator: &O,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<Array1<Complex64>>
where
    O: VisitConn + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    operator.hilbert().expect_same(wave_function.hilbert())?;
    let rows = operator.hilbert().check_rows(x)?;
    if !wave_function.has_walker() {
        return Ok(batched_estimators(operator, wave_function, x, chunk_size)?.into());
    }
    let mut out = vec![Complex64::ZERO; rows.len()];
    walked_estimators(wave_function, &mut out, |walk, block| match operator.engine() {
        Some(engine) => walk.in_blocks(engine, block, &rows),
        None => one_by_one(walk, operator, block, &rows),
    })?;
    Ok(out.into())
}
