//! Blocks of samples on threads: elements are found and counted, then written into buffers of the right size.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use operator_core::kernel::{Engine, Found};
use operator_core::{ConnBatch, Element, HostRows, Result};

use crate::parallel;

/// Number of samples whose elements are found together, where they are visited and not stored. Engines go through
/// this many at a time.
pub(crate) const SAMPLES_AT_A_TIME: usize = 64;

/// The elements of a batch after they are found and before they are written. The memory is kept.
#[derive(Debug, Default)]
pub(crate) struct Finder<T> {
    /// Number of elements of each sample.
    counts: Vec<usize>,
    /// The samples of each block, and their elements.
    blocks: Vec<Range<usize>>,
    found: Vec<Found<T>>,
}

impl<T: Element> Finder<T> {
    /// Finds the elements of all samples.
    pub(crate) fn find(&mut self, engine: &Engine<T>, rows: &HostRows<'_>) {
        self.counts.clear();
        self.counts.resize(rows.len(), 0);
        self.blocks = parallel::blocks(rows.len());
        if self.found.len() < self.blocks.len() {
            self.found.resize_with(self.blocks.len(), Found::default);
        }
        let parts = parallel::split(&mut self.counts, self.blocks.iter().map(ExactSizeIterator::len));
        let jobs = self.blocks.iter().zip(parts).zip(&mut self.found).collect();
        parallel::for_each(jobs, |((block, counts), found): ((&Range<usize>, _), _)| {
            engine.find(rows.block(block.clone()), counts, found);
        });
    }

    /// Number of elements of each sample.
    pub(crate) fn into_counts(self) -> Vec<usize> {
        self.counts
    }

    /// Consecutive blocks of samples, and their elements.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (Range<usize>, &Found<T>)> {
        self.blocks.iter().cloned().zip(&self.found)
    }

    /// Writes the elements that were found in `rows` into `conn`, with states `width` long. `write` is one of the
    /// engine's methods that write.
    pub(crate) fn write_into<S: Copy + Default + Send>(
        &self,
        engine: &Engine<T>,
        rows: &HostRows<'_>,
        width: usize,
        conn: &mut ConnBatch<T, S>,
        write: impl Fn(&Engine<T>, &[i8], &Found<T>, &mut [S], &mut [T]) + Sync,
    ) -> Result<()> {
        let (states, mels, offsets) = conn.reset(width, &self.counts)?;
        let total = |block: &Range<usize>| offsets[block.end] - offsets[block.start];
        let states = parallel::split(states, self.blocks.iter().map(|block| total(block) * width));
        let mels = parallel::split(mels, self.blocks.iter().map(total));
        let jobs = self.blocks().zip(states).zip(mels).collect();
        parallel::for_each(jobs, |(((block, found), states), mels)| {
            write(engine, rows.block(block), found, states, mels);
        });
        Ok(())
    }
}

/// Finders that are not in use. An operator keeps them, so that a call can use the memory of an earlier one.
///
/// There are at most as many as calls ran at the same time. A call takes the lock twice, for a pop and a push,
/// which is negligible beside the elements of a batch.
#[derive(Debug, Default)]
pub(crate) struct Finders<T>(Mutex<Vec<Finder<T>>>);

impl<T: Element> Finders<T> {
    /// Lends a finder to `f`.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Finder<T>) -> R) -> R {
        // A panic under the lock loses a finder at worst, so the others can be used after it.
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut finder = taken.unwrap_or_default();
        let result = f(&mut finder);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(finder);
        result
    }
}
