//! Estimators with walkers: blocks of samples on threads, without storing connected configurations.

use std::ops::Range;

use num_complex::Complex64;
use operator_core::kernel::{Connected, Engine, Found};
use operator_core::{ChangeSets, Element, Error, HostRows, Result, Walker, WaveFunction};

use super::Consumer;
use crate::finder::SAMPLES_AT_A_TIME;
use crate::{Flat, VisitConn, parallel};

/// Ratios that a walker is asked for at a time: enough to share work, few enough for the fastest cache.
const RATIOS_AT_A_TIME: usize = 256;

/// Runs `follow` for each block of samples and its consumer on threads. Each block has its own walker.
pub(crate) fn with_walkers<W, C>(
    wave_function: &W,
    jobs: Vec<(Range<usize>, C)>,
    follow: impl Fn(&mut Walk<'_, C>, Range<usize>) -> Result<()> + Send + Sync,
) -> Result<()>
where
    W: WaveFunction<Flat> + ?Sized,
    C: Send,
{
    parallel::run(jobs, |(block, consumer)| {
        let walker = wave_function
            .walker()
            .ok_or(Error::WalkerDisappeared { wave_function: std::any::type_name::<W>() })?;
        follow(&mut Walk::new(walker, consumer), block)
    })
}

/// Passes one sample after another to a consumer, on one thread.
pub(crate) struct Walk<'a, C> {
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
    pub(crate) fn in_blocks<T: Element>(
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

    /// Visits one sample after another of an operator, which may be a custom kernel.
    pub(crate) fn one_by_one<O: VisitConn + ?Sized>(
        &mut self,
        operator: &O,
        samples: Range<usize>,
        rows: &HostRows<'_>,
    ) -> Result<()>
    where
        C: Consumer<O::Element>,
    {
        let is_custom = operator.definition().is_none();
        let (mut visitor, mut changes) = (operator.visitor(), Vec::new());
        let mut checked = Vec::new();
        for sample in samples {
            let x = rows.row(sample);
            self.start(sample, x)?;
            visitor.visit(x, |connected, mel| {
                changes.clear();
                // A custom kernel may pass on a site that keeps its value, or leave the space.
                changes.extend(connected.changes(x).filter(|&(site, value)| x[site] != value));
                if is_custom && let Err(error) = check_changed(operator, x, &changes, &mut checked) {
                    self.failure.get_or_insert(error);
                } else {
                    self.add(changes.iter().copied(), connected, mel);
                }
            })?;
            self.finish::<O::Element>()?;
        }
        Ok(())
    }

    /// Goes to x.
    fn start(&mut self, sample: usize, x: &[i8]) -> Result<()> {
        self.sample = sample;
        let value = self.walker.start(x);
        if value.is_finite() { Ok(()) } else { Err(Error::LogPsiNotFinite { sample, value }) }
    }

    #[inline]
    fn add<T>(&mut self, changes: impl Iterator<Item = (usize, i8)>, connected: Connected<'_>, mel: T)
    where
        C: Consumer<T>,
    {
        self.changes.push(changes);
        self.consumer.element(connected, mel);
        if self.changes.len() == RATIOS_AT_A_TIME {
            self.pass_ratios::<T>();
        }
    }

    #[inline(never)]
    fn pass_ratios<T>(&mut self)
    where
        C: Consumer<T>,
    {
        let ratios = &mut self.ratios[..self.changes.len()];
        self.walker.ratios(&self.changes, ratios);
        self.consumer.ratios(ratios);
        if let Some(&value) = ratios.iter().find(|ratio| ratio.is_nan()) {
            self.failure.get_or_insert(Error::LogPsiNotFinite { sample: self.sample, value });
        }
        self.changes.clear();
    }

    fn finish<T>(&mut self) -> Result<()>
    where
        C: Consumer<T>,
    {
        self.pass_ratios::<T>();
        self.consumer.finish();
        self.failure.take().map_or(Ok(()), Err)
    }
}

/// Whether a custom operator stays in its space; `state` is a buffer.
fn check_changed<O: VisitConn + ?Sized>(
    operator: &O,
    x: &[i8],
    changes: &[(usize, i8)],
    state: &mut Vec<i8>,
) -> Result<()> {
    state.clear();
    state.extend_from_slice(x);
    changes.iter().for_each(|&(site, value)| state[site] = value);
    operator.hilbert().check_row(0, state).map_err(|error| Error::leaves_space(operator.describe(), &error))
}
