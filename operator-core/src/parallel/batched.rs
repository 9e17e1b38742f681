//! Estimators in batches: blocks of connected elements, where each distinct x' is evaluated once.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Range;

use foldhash::fast::FixedState;
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use num_complex::Complex64;

use crate::backend::Backend;
use crate::conn::ConnBatch;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::in_chunks::amplitudes_in_chunks;
use crate::operator::DiscreteOperator;
use crate::wave_function::WaveFunction;

/// Local estimators of a batch, shape `(batch,)`. Connected elements are made on the host, block by block, and each
/// distinct configuration of a block is evaluated once, by
/// [`log_psi_connected`](WaveFunction::log_psi_connected).
///
/// # Errors
/// [`Error::LogPsiNotFinite`]; errors of the operator and the wave function.
pub fn batched_estimators<O, B, W>(
    operator: &O,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<Vec<Complex64>>
where
    O: DiscreteOperator + ?Sized,
    B: Backend,
    W: WaveFunction<B> + ?Sized,
{
    let mut out = vec![Complex64::ZERO; x.nrows()];
    for_blocks(&mut &*operator, wave_function, x, chunk_size, |_, block, conn, ratios| {
        for (out, bounds) in out[block].iter_mut().zip(conn.offsets().windows(2)) {
            let bounds = bounds[0]..bounds[1];
            let mels = conn.mels();
            let elements = mels.slice(ndarray::s![bounds.clone()]).into_iter().zip(&ratios[bounds]);
            *out = elements.map(|(mel, ratio)| mel.to_complex() * ratio).sum();
        }
    })?;
    Ok(out)
}

/// Where the connected elements of a block of samples come from.
pub trait Source {
    type Element: Element;

    /// Number of elements of each sample.
    ///
    /// # Errors
    /// Errors of the operator.
    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>>;

    /// The elements of a block of samples.
    ///
    /// # Errors
    /// Errors of the operator.
    fn connect(&mut self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<Self::Element>) -> Result<()>;
}

impl<O: DiscreteOperator + ?Sized> Source for &O {
    type Element = O::Element;

    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        DiscreteOperator::n_conn(*self, x)
    }

    fn connect(&mut self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<O::Element>) -> Result<()> {
        self.get_conn_flattened_into(x, conn)?;
        let (got, expected) = ((conn.n_samples(), conn.states().ncols()), x.dim());
        if got.0 == expected.0 && (got.1 == expected.1 || conn.total() == 0) {
            return Ok(());
        }
        Err(Error::Custom {
            operator: self.describe(),
            reason: format!("it connected samples of shape {got:?}; it was given {expected:?}"),
        })
    }
}

/// Calls `f` with one block of samples after another: the source, which has just connected them, the numbers of
/// the samples, their connected elements, and `ψ(x') / ψ(x)` of each element.
///
/// # Errors
/// As [`batched_estimators`].
pub fn for_blocks<S, B, W>(
    source: &mut S,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<NonZeroUsize>,
    mut f: impl FnMut(&S, Range<usize>, &ConnBatch<S::Element>, &[Complex64]),
) -> Result<()>
where
    S: Source,
    B: Backend,
    W: WaveFunction<B> + ?Sized,
{
    // Wave functions need not cope with empty batches.
    if x.nrows() == 0 {
        return Ok(());
    }
    let device = wave_function.device();
    let log_psi = wave_function.log_psi_in_chunks(&B::from_host(x, &device)?, chunk_size)?;
    let log_psi = B::amplitudes_to_host(&log_psi)?;
    if let Some((sample, &value)) = log_psi.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Err(Error::LogPsiNotFinite { sample, value });
    }
    let (mut conn, mut ratios) = (ConnBatch::new(), Vec::new());
    for block in blocks(source, x, chunk_size)? {
        let samples = x.slice_axis(Axis(0), Slice::from(block.clone()));
        source.connect(samples, &mut conn)?;
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
        f(source, block, &conn, &ratios);
    }
    Ok(())
}

/// The distinct connected configurations of a block. Samples of a peaked wave function repeat, and so do their
/// connected configurations; each is evaluated once.
struct Distinct {
    states: Array2<i8>,
    /// For each of these, the first sample that is connected to it; in increasing order.
    origins: Vec<usize>,
    /// For each connected configuration of the batch, its place among these.
    places: Vec<usize>,
}

impl Distinct {
    fn connected<'a, T: Element>(conn: &'a ConnBatch<T>) -> Self {
        let x = conn.states();
        let n_sites = x.ncols();
        let rows = x.to_slice().expect("the states of a batch are contiguous");
        // Rows are long and many, so the hash counts. Which rows share one does not change the result.
        let mut known = HashMap::with_capacity_and_hasher(x.nrows(), FixedState::default());
        let (mut states, mut origins) = (Vec::new(), Vec::new());
        let mut place = |sample, row: &'a [i8]| {
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
        let states = Array2::from_shape_vec((origins.len(), n_sites), states)
            .expect("one row was added with each origin");
        Distinct { states, origins, places }
    }

    /// ln ψ of each. The wave function also gets the samples that a chunk is connected to.
    fn log_psi_in_chunks<B: Backend, W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        samples: ArrayView2<'_, i8>,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>> {
        if self.states.is_empty() {
            return Ok(Array1::zeros(0));
        }
        let device = wave_function.device();
        let log_psi = amplitudes_in_chunks::<B>(self.states.nrows(), chunk_size, |chunk| {
            let mut used = self.origins[chunk.clone()].to_vec();
            used.dedup();
            let mut place = 0;
            let origins = self.origins[chunk.clone()].iter().map(|&sample| {
                place += usize::from(used[place] != sample);
                place
            });
            let (x, origins) = (samples.select(Axis(0), &used), origins.collect::<Vec<_>>());
            let connected = self.states.slice_axis(Axis(0), Slice::from(chunk));
            let (x, connected) = (B::from_host(x.view(), &device)?, B::from_host(connected, &device)?);
            wave_function.log_psi_connected(&x, &connected, &origins)
        })?;
        B::amplitudes_to_host(&log_psi)
    }
}

/// Cuts a batch, which is not empty, into blocks of at most `chunk_size` connected elements and at least one
/// sample.
fn blocks(
    source: &impl Source,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<Vec<Range<usize>>> {
    let n_samples = x.nrows();
    let Some(chunk_size) = chunk_size else {
        return Ok(std::iter::once(0..n_samples).collect());
    };
    let (mut blocks, mut start, mut filled) = (Vec::new(), 0, 0);
    let counts = source.n_conn(x)?;
    if counts.len() != n_samples {
        let expected = format!("{n_samples}, one for each sample");
        return Err(Error::Count {
            what: "numbers of connected elements".into(),
            got: counts.len(),
            expected,
        });
    }
    for (sample, &n_conn) in counts.iter().enumerate() {
        if sample > start && n_conn.saturating_add(filled) > chunk_size.get() {
            blocks.push(start..sample);
            (start, filled) = (sample, 0);
        }
        filled = n_conn.saturating_add(filled);
    }
    blocks.push(start..n_samples);
    Ok(blocks)
}
