use std::collections::HashMap;
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use num_complex::Complex64;
use operator_core::kernel::{Engine, Found, Scratch};
use operator_core::{ChangeSets, ConnBatch, DiscreteOperator, Element, Error, Result, Walker, WaveFunction};

use crate::packed::SAMPLES_AT_A_TIME;
use crate::{Flat, VisitConn, parallel};

/// Local estimators `O_loc(x) = Σ_x' <x|O|x'> ψ(x') / ψ(x)` of a batch of samples.
///
/// Where the wave function has a [`Walker`], each x' is a change of x, and no configuration is stored. Otherwise
/// connected elements are generated block by block, and each connected configuration of a block is evaluated
/// once, by [`log_psi_connected`](WaveFunction::log_psi_connected): with a `chunk_size`, the wave function is
/// never given more configurations at once, beside the samples that they came from, which are not more than
/// these; and memory does not grow with the number of samples.
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
    O: VisitConn + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    match chunk_size {
        Some(0) => Err(Error::ZeroChunkSize),
        _ if wave_function.walker().is_some() => by_walkers(operator, wave_function, x),
        _ => in_batches(operator, wave_function, x, chunk_size),
    }
}

/// Blocks of samples over threads, each with a walker of its own.
fn by_walkers<O, W>(operator: &O, wave_function: &W, x: ArrayView2<'_, i8>) -> Result<Array1<Complex64>>
where
    O: VisitConn + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    operator.hilbert().check(x)?;
    let x = x.as_standard_layout();
    let n_samples = x.nrows();
    let rows = x.as_slice().unwrap_or_default();
    let mut out = vec![Complex64::ZERO; n_samples];
    let blocks = parallel::blocks(n_samples);
    let parts = parallel::split(&mut out, blocks.iter().map(ExactSizeIterator::len));
    parallel::run(blocks.into_iter().zip(parts).collect(), |(block, out)| {
        let Some(walker) = wave_function.walker() else { return Ok(()) };
        let mut walk = Walk { operator, sum: RatioSum::new(walker) };
        match operator.engine() {
            Some(engine) => walk.in_blocks(engine, block, rows, out),
            None => walk.one_by_one(block, rows, out),
        }
    })?;
    Ok(out.into())
}

/// What one thread needs to estimate an operator at one sample after another.
struct Walk<'a, O: VisitConn + ?Sized> {
    operator: &'a O,
    sum: RatioSum<'a, O::Element>,
}

impl<O: VisitConn + ?Sized> Walk<'_, O> {
    /// Finds the connected elements of many samples together.
    fn in_blocks(
        &mut self,
        engine: &Engine<O::Element>,
        samples: Range<usize>,
        rows: &[i8],
        out: &mut [Complex64],
    ) -> Result<()> {
        let n_sites = self.operator.hilbert().n_sites();
        let (mut found, mut counts) = (Found::default(), [0; SAMPLES_AT_A_TIME]);
        for (first, out) in samples.step_by(SAMPLES_AT_A_TIME).zip(out.chunks_mut(SAMPLES_AT_A_TIME)) {
            let rows = &rows[first * n_sites..(first + out.len()) * n_sites];
            engine.find(rows, &mut counts[..out.len()], &mut found);
            for (k, (x, out)) in rows.chunks_exact(n_sites).zip(out).enumerate() {
                self.sum.start(first + k, x)?;
                engine.visit_found(&found, k, |connected, mel| self.sum.add(connected.changes(x), mel));
                *out = self.sum.finish()?;
            }
        }
        Ok(())
    }

    fn one_by_one(&mut self, samples: Range<usize>, rows: &[i8], out: &mut [Complex64]) -> Result<()> {
        let (operator, n_sites) = (self.operator, self.operator.hilbert().n_sites());
        let is_custom = operator.definition().is_none();
        let (mut scratch, mut changes) = (Scratch::default(), Vec::new());
        for (sample, out) in samples.zip(out) {
            let x = &rows[sample * n_sites..(sample + 1) * n_sites];
            self.sum.start(sample, x)?;
            operator.visit_conn(x, &mut scratch, &mut |connected, mel| {
                changes.clear();
                // Kernels of third parties may say that a site keeps its value, or leave the space.
                changes.extend(connected.changes(x).filter(|&(site, value)| x[site] != value));
                if is_custom && let Err(error) = check_changed(operator, x, &changes) {
                    self.sum.failure.get_or_insert(error);
                } else {
                    self.sum.add(changes.iter().copied(), mel);
                }
            })?;
            *out = self.sum.finish()?;
        }
        Ok(())
    }
}

/// Ratios that a walker is asked for at a time: enough for what they share, and few enough for the fastest cache.
const RATIOS_AT_A_TIME: usize = 256;

/// `Σ_x' <x|O|x'> ψ(x') / ψ(x)` of one sample after another.
struct RatioSum<'a, T> {
    walker: Box<dyn Walker + 'a>,
    sample: usize,
    changes: ChangeSets,
    mels: Vec<T>,
    ratios: Vec<Complex64>,
    sum: Complex64,
    failure: Option<Error>,
}

impl<'a, T: Element> RatioSum<'a, T> {
    fn new(walker: Box<dyn Walker + 'a>) -> Self {
        RatioSum {
            walker,
            sample: 0,
            changes: ChangeSets::new(),
            mels: Vec::new(),
            ratios: vec![Complex64::ZERO; RATIOS_AT_A_TIME],
            sum: Complex64::ZERO,
            failure: None,
        }
    }

    /// Goes to x, with nothing added up.
    fn start(&mut self, sample: usize, x: &[i8]) -> Result<()> {
        (self.sample, self.sum) = (sample, Complex64::ZERO);
        let value = self.walker.start(x);
        if value.is_finite() { Ok(()) } else { Err(Error::LogPsiNotFinite { sample, value }) }
    }

    #[inline]
    fn add(&mut self, changes: impl Iterator<Item = (usize, i8)>, mel: T) {
        self.changes.push(changes);
        self.mels.push(mel);
        if self.mels.len() == RATIOS_AT_A_TIME {
            self.add_up();
        }
    }

    #[inline(never)]
    fn add_up(&mut self) {
        let ratios = &mut self.ratios[..self.mels.len()];
        self.walker.ratios(&self.changes, ratios);
        for (mel, ratio) in self.mels.iter().zip(&*ratios) {
            self.sum += mel.to_complex() * ratio;
        }
        if let Some(&value) = ratios.iter().find(|ratio| ratio.is_nan()) {
            self.failure.get_or_insert(Error::LogPsiNotFinite { sample: self.sample, value });
        }
        self.changes.clear();
        self.mels.clear();
    }

    fn finish(&mut self) -> Result<Complex64> {
        self.add_up();
        self.failure.take().map_or(Ok(self.sum), Err)
    }
}

/// Whether a custom operator stays in its space.
fn check_changed<O: VisitConn + ?Sized>(operator: &O, x: &[i8], changes: &[(usize, i8)]) -> Result<()> {
    let mut state = x.to_vec();
    changes.iter().for_each(|&(site, value)| state[site] = value);
    operator.hilbert().check_row(0, &state).map_err(|error| Error::Custom {
        operator: operator.describe(),
        reason: format!("it leaves its space ({error})"),
    })
}

fn in_batches<O, W>(
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
        let distinct = Distinct::connected(&conn);
        let connected = distinct.log_psi_in_chunks(wave_function, samples, chunk_size)?;
        ratios.clear();
        for (sample, bounds) in block.clone().zip(conn.offsets().windows(2)) {
            for &place in &distinct.places[bounds[0]..bounds[1]] {
                let value = connected[place];
                if value.is_nan() {
                    return Err(Error::LogPsiNotFinite { sample, value });
                }
                ratios.push((value - log_psi[sample]).exp());
            }
        }
        f(block, &conn, &ratios)?;
    }
    Ok(())
}

/// Connected configurations without repetition: samples of a peaked wave function, and their connected states,
/// come many times, and each is evaluated once.
struct Distinct {
    states: Array2<i8>,
    /// For each of these, the first sample that it is connected to; in increasing order.
    origins: Vec<usize>,
    /// For each connected configuration of the batch, its place among these.
    places: Vec<usize>,
}

impl Distinct {
    fn connected<T: Element>(conn: &ConnBatch<T>) -> Self {
        let x = conn.states();
        let (x, n_sites) = (x.as_standard_layout(), x.ncols());
        let rows = x.as_slice().unwrap_or_default();
        let mut known: HashMap<&[i8], usize> = HashMap::with_capacity(x.nrows());
        let (mut states, mut origins) = (Vec::new(), Vec::new());
        let mut place = |sample, row| {
            let next = known.len();
            *known.entry(row).or_insert_with(|| {
                states.extend_from_slice(row);
                origins.push(sample);
                next
            })
        };
        let mut rows = rows.chunks_exact(n_sites.max(1));
        let mut places = Vec::with_capacity(x.nrows());
        for (sample, bounds) in conn.offsets().windows(2).enumerate() {
            places.extend(rows.by_ref().take(bounds[1] - bounds[0]).map(|row| place(sample, row)));
        }
        let states = Array2::from_shape_vec((origins.len(), n_sites), states).unwrap_or_default();
        Distinct { states, origins, places }
    }

    /// ln ψ of each, with the samples that those of a chunk come from.
    fn log_psi_in_chunks<W: WaveFunction<Flat> + ?Sized>(
        &self,
        wave_function: &W,
        samples: ArrayView2<'_, i8>,
        chunk_size: usize,
    ) -> Result<Array1<Complex64>> {
        in_chunks(self.states.nrows(), chunk_size, |chunk| {
            let mut used = self.origins[chunk.clone()].to_vec();
            used.dedup();
            let mut place = 0;
            let origins = self.origins[chunk.clone()].iter().map(|&sample| {
                place += usize::from(used[place] != sample);
                place
            });
            let (x, origins) = (samples.select(Axis(0), &used), origins.collect::<Vec<_>>());
            wave_function.log_psi_connected(&x, &rows(self.states.view(), chunk), &origins)
        })
    }
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
    in_chunks(x.nrows(), chunk_size, |chunk| wave_function.log_psi(&rows(x, chunk)))
}

fn rows(x: ArrayView2<'_, i8>, range: Range<usize>) -> Array2<i8> {
    x.slice_axis(Axis(0), Slice::from(range)).to_owned()
}

/// The values that `log_psi` gives for one range of rows after another.
fn in_chunks(
    n_rows: usize,
    chunk_size: usize,
    log_psi: impl Fn(Range<usize>) -> Result<Array1<Complex64>>,
) -> Result<Array1<Complex64>> {
    let mut out = Array1::zeros(n_rows);
    let mut start = 0;
    while start < n_rows {
        let end = n_rows.min(start.saturating_add(chunk_size));
        let values = log_psi(start..end)?;
        if values.len() != end - start {
            let expected = (end - start).to_string();
            return Err(Error::Count { what: "log psi values".into(), got: values.len(), expected });
        }
        out.slice_axis_mut(Axis(0), Slice::from(start..end)).assign(&values);
        start = end;
    }
    Ok(out)
}
