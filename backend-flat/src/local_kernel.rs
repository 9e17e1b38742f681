use std::ops::Range;

use ndarray::{Array1, ArrayView2, Axis, Slice};
use num_complex::Complex64;
use operator_core::{ConnBatch, DiscreteOperator, Element, Error, Result, WaveFunction};

use crate::Flat;

/// Local estimators `O_loc(x) = Σ_x' <x|O|x'> ψ(x') / ψ(x)` of a batch of samples.
///
/// Connected elements are generated block by block: with a `chunk_size`, the wave function is never given
/// more configurations at once, and memory does not grow with the number of samples.
///
/// # Shapes
/// `x` is `(batch, n_sites)`; returns `(batch,)`.
///
/// # Errors
/// [`Error::ZeroChunkSize`]; [`Error::LogPsiNotFinite`] if a sample's log ψ is not a number or its amplitude
/// is zero, or if a connected amplitude is not a number; those of the operator and of the wave function.
pub fn local_estimators<O, W>(
    operator: &O,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<usize>,
) -> Result<Array1<Complex64>>
where
    O: DiscreteOperator<Backend = Flat> + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    let mut out = Array1::zeros(x.nrows());
    for_blocks(operator, wave_function, x, chunk_size, |block, conn, ratios| {
        for (sample, bounds) in block.zip(conn.offsets().windows(2)) {
            let elements = conn.mels().into_iter().zip(ratios).take(bounds[1]).skip(bounds[0]);
            out[sample] = elements.map(|(mel, ratio)| mel.to_complex() * ratio).sum();
        }
        Ok(())
    })?;
    Ok(out)
}

/// Calls `f` with one block of samples after another: their numbers, their connected elements, and
/// `ψ(x') / ψ(x)` of each element.
pub(crate) fn for_blocks<O, W>(
    operator: &O,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<usize>,
    mut f: impl FnMut(Range<usize>, &ConnBatch<O::Element>, &[Complex64]) -> Result<()>,
) -> Result<()>
where
    O: DiscreteOperator<Backend = Flat> + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    if chunk_size == Some(0) {
        return Err(Error::ZeroChunkSize);
    }
    let chunk_size = chunk_size.unwrap_or(usize::MAX);
    let log_psi = log_psi_in_chunks(wave_function, x, chunk_size)?;
    if let Some((sample, &value)) = log_psi.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(Error::LogPsiNotFinite { sample, value });
    }
    let (mut conn, mut ratios) = (ConnBatch::new(), Vec::new());
    for block in blocks(operator, x, chunk_size)? {
        let samples = x.slice_axis(Axis(0), Slice::from(block.clone()));
        operator.get_conn_flattened_into(samples, &mut conn)?;
        let connected = log_psi_in_chunks(wave_function, conn.states(), chunk_size)?;
        ratios.clear();
        for (sample, bounds) in block.clone().zip(conn.offsets().windows(2)) {
            let connected = connected.slice_axis(Axis(0), Slice::from(bounds[0]..bounds[1]));
            if let Some(&value) = connected.iter().find(|value| value.is_nan()) {
                return Err(Error::LogPsiNotFinite { sample, value });
            }
            ratios.extend(connected.iter().map(|value| (value - log_psi[sample]).exp()));
        }
        f(block, &conn, &ratios)?;
    }
    Ok(())
}

/// Consecutive samples whose connected elements number at most `chunk_size`, at least one a block.
fn blocks<O>(operator: &O, x: ArrayView2<'_, i8>, chunk_size: usize) -> Result<Vec<Range<usize>>>
where
    O: DiscreteOperator<Backend = Flat> + ?Sized,
{
    let n_samples = x.nrows();
    if chunk_size == usize::MAX {
        return Ok(if n_samples == 0 { Vec::new() } else { std::iter::once(0..n_samples).collect() });
    }
    let (mut blocks, mut start, mut filled) = (Vec::new(), 0, 0);
    for (sample, &n_conn) in operator.n_conn(x)?.iter().enumerate() {
        if sample > start && filled + n_conn > chunk_size {
            blocks.push(start..sample);
            (start, filled) = (sample, 0);
        }
        filled += n_conn;
    }
    if start < n_samples {
        blocks.push(start..n_samples);
    }
    Ok(blocks)
}

fn log_psi_in_chunks<W: WaveFunction<Flat> + ?Sized>(
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: usize,
) -> Result<Array1<Complex64>> {
    let mut out = Array1::zeros(x.nrows());
    let mut start = 0;
    while start < x.nrows() {
        let end = x.nrows().min(start.saturating_add(chunk_size));
        let chunk = Slice::from(start..end);
        let log_psi = wave_function.log_psi(&x.slice_axis(Axis(0), chunk).to_owned())?;
        if log_psi.len() != end - start {
            let expected = (end - start).to_string();
            return Err(Error::Count { what: "log psi values".into(), got: log_psi.len(), expected });
        }
        out.slice_axis_mut(Axis(0), chunk).assign(&log_psi);
        start = end;
    }
    Ok(out)
}
