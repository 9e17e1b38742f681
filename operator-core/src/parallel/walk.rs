//! Estimators with walkers: blocks of samples on threads, without storing connected configurations.

use std::ops::Range;

use super::blocks::{self, blocks, split};
use super::consumer::{Consumer, Estimates};
use super::finder::SAMPLES_AT_A_TIME;
use crate::backend::Backend;
use crate::change_sets::ChangeSets;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::host_rows::HostRows;
use crate::kernel::{Connected, Engine, Found};
use crate::wave_function::{Walker, WaveFunction};
use num_complex::Complex64;

/// Ratios that a walker is asked for at a time: enough to share work, few enough for the fastest cache.
const RATIOS_AT_A_TIME: usize = 256;

/// Runs `follow` for each block of samples and its consumer on threads. Each block has its own walker.
///
/// # Errors
/// [`Error::WalkerDisappeared`] if the wave function has none; the errors of `follow`.
pub fn with_walkers<B, W, C>(
    wave_function: &W,
    jobs: Vec<(Range<usize>, C)>,
    follow: impl Fn(&mut Walk<'_, C>, Range<usize>) -> Result<()> + Send + Sync,
) -> Result<()>
where
    B: Backend,
    W: WaveFunction<B> + ?Sized,
    C: Send,
{
    blocks::run(jobs, |(block, consumer)| {
        let walker = wave_function
            .walker()
            .ok_or(Error::WalkerDisappeared { wave_function: std::any::type_name::<W>() })?;
        follow(&mut Walk::new(walker, consumer), block)
    })
}

/// Writes local estimators of `out.len()` samples, with walkers on all threads. `follow` passes the elements of a
/// block of samples to a walk.
///
/// # Errors
/// As [`with_walkers`].
pub fn walked_estimators<T, B, W>(
    wave_function: &W,
    out: &mut [Complex64],
    follow: impl Fn(&mut Walk<'_, Estimates<'_, T>>, Range<usize>) -> Result<()> + Send + Sync,
) -> Result<()>
where
    T: Element,
    B: Backend,
    W: WaveFunction<B> + ?Sized,
{
    let blocks = blocks(out.len());
    let parts = split(out, blocks.iter().map(ExactSizeIterator::len));
    let jobs = blocks.into_iter().zip(parts.into_iter().map(Estimates::new)).collect();
    with_walkers(wave_function, jobs, follow)
}

/// Passes one sample after another to a consumer, on one thread.
pub struct Walk<'a, C> {
    walker: Box<dyn Walker + 'a>,
    consumer: C,
    sample: usize,
    /// Elements whose ratios the walker has not been asked for yet.
    changes: ChangeSets,
    ratios: Vec<Complex64>,
    failure: Option<Error>,
}

impl<'a, C> Walk<'a, C> {
    fn new(walker: Box<dyn Walker + 'a>, consumer: C) -> Self {
        let ratios = vec![Complex64::ZERO; RATIOS_AT_A_TIME];
        Walk { walker, consumer, sample: 0, changes: ChangeSets::new(), ratios, failure: None }
    }

    /// Finds the connected elements of many samples together.
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`finish`](Self::finish).
    pub fn in_blocks<T: Element>(
        &mut self,
        engine: &Engine<T>,
        samples: Range<usize>,
        rows: &HostRows<'_>,
    ) -> Result<()>
    where
        C: Consumer<T>,
    {
        let (mut found, mut counts) = (Found::default(), [0; SAMPLES_AT_A_TIME]);
        let end = samples.end;
        for first in samples.step_by(SAMPLES_AT_A_TIME) {
            let block = first..end.min(first + SAMPLES_AT_A_TIME);
            let counts = &mut counts[..block.len()];
            let block = rows.block(block);
            engine.find(block, counts, &mut found);
            for (k, x) in block.chunks_exact(rows.n_sites()).enumerate() {
                self.start(first + k, x)?;
                engine
                    .visit_found(&found, k, |connected, mel| self.add(connected.changes(x), connected, mel));
                self.finish::<T>()?;
            }
        }
        Ok(())
    }

    /// Goes to x.
    ///
    /// # Errors
    /// [`Error::LogPsiNotFinite`].
    pub fn start(&mut self, sample: usize, x: &[i8]) -> Result<()> {
        self.sample = sample;
        let value = self.walker.start(x);
        if value.is_finite() { Ok(()) } else { Err(Error::LogPsiNotFinite { sample, value }) }
    }

    /// Passes on an element of the present sample, and its changes.
    #[inline]
    pub fn add<T>(&mut self, changes: impl Iterator<Item = (usize, i8)>, connected: Connected<'_>, mel: T)
    where
        C: Consumer<T>,
    {
        self.changes.push(changes);
        self.consumer.element(connected, mel);
        if self.changes.len() == RATIOS_AT_A_TIME {
            self.pass_ratios::<T>();
        }
    }

    /// Makes [`finish`](Self::finish) return an error.
    pub fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    #[inline(never)]
    fn pass_ratios<T>(&mut self)
    where
        C: Consumer<T>,
    {
        let ratios = &mut self.ratios[..self.changes.len()];
        // What a walker leaves out is no ratio.
        ratios.fill(Complex64::new(f64::NAN, f64::NAN));
        self.walker.ratios(&self.changes, ratios);
        self.consumer.ratios(ratios);
        if let Some(&value) = ratios.iter().find(|ratio| ratio.is_nan()) {
            self.fail(Error::LogPsiNotFinite { sample: self.sample, value });
        }
        self.changes.clear();
    }

    /// Ends the present sample.
    ///
    /// # Errors
    /// What [`fail`](Self::fail) was told first, or [`Error::LogPsiNotFinite`].
    pub fn finish<T>(&mut self) -> Result<()>
    where
        C: Consumer<T>,
    {
        self.pass_ratios::<T>();
        self.consumer.finish();
        self.failure.take().map_or(Ok(()), Err)
    }
}
