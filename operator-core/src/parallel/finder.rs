//! Blocks of samples on threads: elements are found and counted, then written into buffers of the right size.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::blocks;
use crate::conn::ConnBatch;
use crate::element::Element;
use crate::error::Result;
use crate::host_rows::HostRows;
use crate::kernel::{Engine, Found};

/// Number of samples whose elements are found together, where they are visited and not stored. Engines go through
/// this many at a time.
pub const SAMPLES_AT_A_TIME: usize = 64;

/// Where padded elements go: `width` slots a sample, and a number of used ones a sample.
#[derive(Debug)]
pub struct Slots<'a, R> {
    /// Slots of each sample.
    pub width: usize,
    /// Numbers of changes, as [`Engine::changes`] has them, `(batch, width)`.
    pub items: &'a mut [u32],
    /// Real parts of matrix elements, `(batch, width)`.
    pub re: &'a mut [R],
    /// Imaginary parts, `(batch, width)`; empty for real elements.
    pub im: &'a mut [R],
    /// Number of used slots, `(batch,)`.
    pub counts: &'a mut [u32],
}

impl<R> Slots<'_, R> {
    /// The slots of the next `n` samples, which are taken away.
    fn take<T: Element<Real = R>>(&mut self, n: usize) -> Self {
        let n_slots = n * self.width;
        Slots {
            width: self.width,
            items: self.items.split_off_mut(..n_slots).unwrap_or_default(),
            re: self.re.split_off_mut(..n_slots).unwrap_or_default(),
            im: self.im.split_off_mut(..if T::IS_COMPLEX { n_slots } else { 0 }).unwrap_or_default(),
            counts: self.counts.split_off_mut(..n).unwrap_or_default(),
        }
    }
}

/// Consecutive samples whose elements one thread writes to slots.
struct PaddedBlock<'a, T: Element> {
    samples: Range<usize>,
    found: &'a mut Found<T>,
    counts: &'a mut [usize],
    slots: Slots<'a, T::Real>,
}

impl<T: Element> PaddedBlock<'_, T> {
    fn write(mut self, engine: &Engine<T>, rows: &HostRows<'_>) {
        let (width, starts) = (self.slots.width, self.samples.clone().step_by(SAMPLES_AT_A_TIME));
        for (start, counts) in starts.zip(self.counts.chunks_mut(SAMPLES_AT_A_TIME)) {
            engine.find(rows.block(start..start + counts.len()), counts, self.found);
            let slots = self.slots.take::<T>(counts.len());
            engine.write_items(self.found, width, slots.items, slots.re, slots.im);
            slots.counts.iter_mut().zip(counts).for_each(|(to, n)| *to = *n as u32);
        }
    }
}

/// The elements of a batch after they are found and before they are written. The memory is kept.
#[derive(Debug, Default)]
pub struct Finder<T> {
    /// Number of elements of each sample.
    counts: Vec<usize>,
    /// The samples of each block, and their elements.
    blocks: Vec<Range<usize>>,
    found: Vec<Found<T>>,
}

impl<T: Element> Finder<T> {
    /// Finds the elements of all samples.
    pub fn find(&mut self, engine: &Engine<T>, rows: &HostRows<'_>) {
        self.cut(rows.len());
        let parts = blocks::split(&mut self.counts, self.blocks.iter().map(ExactSizeIterator::len));
        let jobs = self.blocks.iter().zip(parts).zip(&mut self.found).collect();
        blocks::for_each(jobs, |((block, counts), found): ((&Range<usize>, _), _)| {
            engine.find(rows.block(block.clone()), counts, found);
        });
    }

    /// Cuts a batch into blocks.
    fn cut(&mut self, n_samples: usize) {
        self.counts.clear();
        self.counts.resize(n_samples, 0);
        self.blocks = blocks::blocks(n_samples);
        if self.found.len() < self.blocks.len() {
            self.found.resize_with(self.blocks.len(), Found::default);
        }
    }

    /// Finds the elements of all samples and writes them to slots, a few samples at a time.
    pub(super) fn write_items(&mut self, engine: &Engine<T>, rows: &HostRows<'_>, slots: Slots<'_, T::Real>) {
        self.cut(rows.len());
        let (mut rest, mut counts) = (slots, self.counts.as_mut_slice());
        let jobs = self.blocks.iter().zip(&mut self.found).map(|(block, found)| PaddedBlock {
            samples: block.clone(),
            found,
            counts: counts.split_off_mut(..block.len()).unwrap_or_default(),
            slots: rest.take::<T>(block.len()),
        });
        blocks::for_each(jobs.collect(), |block| block.write(engine, rows));
    }

    /// Number of elements of each sample.
    pub fn into_counts(self) -> Vec<usize> {
        self.counts
    }

    /// Consecutive blocks of samples, and their elements.
    pub fn blocks(&self) -> impl Iterator<Item = (Range<usize>, &Found<T>)> {
        self.blocks.iter().cloned().zip(&self.found)
    }

    /// Writes the elements that were found in `rows` into `conn`, with states `width` long. `write` is one of the
    /// engine's methods that write.
    pub fn write_into<S: Copy + Default + Send>(
        &self,
        engine: &Engine<T>,
        rows: &HostRows<'_>,
        width: usize,
        conn: &mut ConnBatch<T, S>,
        write: impl Fn(&Engine<T>, &[i8], &Found<T>, &mut [S], &mut [T]) + Sync,
    ) -> Result<()> {
        let (states, mels, offsets) = conn.reset(width, &self.counts)?;
        let total = |block: &Range<usize>| offsets[block.end] - offsets[block.start];
        let states = blocks::split(states, self.blocks.iter().map(|block| total(block) * width));
        let mels = blocks::split(mels, self.blocks.iter().map(total));
        let jobs = self.blocks().zip(states).zip(mels).collect();
        blocks::for_each(jobs, |(((block, found), states), mels)| {
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
pub(super) struct Finders<T>(Mutex<Vec<Finder<T>>>);

impl<T: Element> Finders<T> {
    /// Lends a finder to `f`.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Finder<T>) -> R) -> R {
        // A panic under the lock loses a finder at worst, so the others can be used after it.
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut finder = taken.unwrap_or_default();
        let result = f(&mut finder);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(finder);
        result
    }
}
