//! Blocks of samples over threads: elements are found and counted, then written into buffers laid out for them.

use std::ops::Range;

use operator_core::kernel::{Engine, Found};
use operator_core::{ConnBatch, ConnScratch, Element, Result};

use crate::parallel;

/// Finds the elements of all samples, of which there are `scratch.counts.len()`, and counts them.
pub(crate) fn find<T: Element>(
    engine: &Engine<T>,
    rows: &[i8],
    n_sites: usize,
    scratch: &mut ConnScratch<T>,
) -> Result<()> {
    let ConnScratch { counts, found } = scratch;
    let blocks = parallel::blocks(counts.len());
    found.resize_with(blocks.len(), Found::default);
    let parts = parallel::split(counts, blocks.iter().map(ExactSizeIterator::len));
    let jobs = blocks.into_iter().zip(parts).zip(found).collect();
    parallel::run(jobs, |((block, counts), found)| {
        engine.find(&rows[block.start * n_sites..block.end * n_sites], counts, found);
        Ok(())
    })
}

/// Finds the elements of all samples and writes them into `conn`, by one of the engine's ways to write; their
/// states are `width` long.
pub(crate) fn find_and_write<T: Element, S: Copy + Default + Send>(
    engine: &Engine<T>,
    rows: &[i8],
    width: usize,
    scratch: &mut ConnScratch<T>,
    conn: &mut ConnBatch<T, S>,
    write: impl Fn(&Engine<T>, &[i8], &Found<T>, &mut [S], &mut [T]) + Sync,
) -> Result<()> {
    let n_sites = rows.len().checked_div(scratch.counts.len()).unwrap_or(0);
    find(engine, rows, n_sites, scratch)?;
    let blocks = parallel::blocks(scratch.counts.len());
    let (states, mels, offsets) = conn.reset(width, &scratch.counts);
    let total = |block: &Range<usize>| offsets[block.end] - offsets[block.start];
    let states = parallel::split(states, blocks.iter().map(|block| total(block) * width));
    let mels = parallel::split(mels, blocks.iter().map(total));
    let jobs = blocks.into_iter().zip(&scratch.found).zip(states).zip(mels).collect();
    parallel::run(jobs, |(((block, found), states), mels)| {
        write(engine, &rows[block.start * n_sites..block.end * n_sites], found, states, mels);
        Ok(())
    })
}
