//! Local estimators: with walkers, or in batches.

mod batched;
mod consumer;
mod walked;

use ndarray::{Array1, ArrayView2};
use num_complex::Complex64;
use operator_core::{DiscreteOperator, Element, HostRows, Result, WaveFunction};
use std::num::NonZeroUsize;

pub(crate) use batched::{Source, for_blocks};
pub(crate) use consumer::{Consumer, Estimates};
pub(crate) use walked::with_walkers;

use crate::{Flat, VisitConn, parallel};

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
    let rows = checked(operator, wave_function, x)?;
    let mut out = vec![Complex64::ZERO; rows.len()];
    if wave_function.has_walker() {
        let blocks = parallel::blocks(rows.len());
        let parts = parallel::split(&mut out, blocks.iter().map(ExactSizeIterator::len));
        let jobs = blocks.into_iter().zip(parts.into_iter().map(Estimates::new)).collect();
        with_walkers(wave_function, jobs, |walk, block| match operator.engine() {
            Some(engine) => walk.in_blocks(engine, block, &rows),
            None => walk.one_by_one(operator, block, &rows),
        })?;
    } else {
        for_blocks(&mut &*operator, wave_function, x, chunk_size, |_, block, conn, ratios| {
            for (out, bounds) in out[block].iter_mut().zip(conn.offsets().windows(2)) {
                let bounds = bounds[0]..bounds[1];
                let mels = conn.mels();
                let elements = mels.slice(ndarray::s![bounds.clone()]).into_iter().zip(&ratios[bounds]);
                *out = elements.map(|(mel, ratio)| mel.to_complex() * ratio).sum();
            }
        })?;
    }
    Ok(out.into())
}

/// Checks the arguments of every estimator, and gives the rows of `x`.
pub(crate) fn checked<'a, O, W>(
    operator: &O,
    wave_function: &W,
    x: ArrayView2<'a, i8>,
) -> Result<HostRows<'a>>
where
    O: DiscreteOperator<Backend = Flat> + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    operator.hilbert().expect_same(wave_function.hilbert())?;
    operator.hilbert().check_rows(x)
}
