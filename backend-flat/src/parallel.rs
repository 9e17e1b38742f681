//! Batches over threads. How the work is split never changes a result.

use std::ops::Range;

use operator_core::Result;
use rayon::prelude::*;

/// Blocks a thread, so that samples with many elements do not leave threads idle.
const BLOCKS_PER_THREAD: usize = 4;

/// Cuts `0..n` into blocks for the present thread pool.
pub(crate) fn blocks(n: usize) -> Vec<Range<usize>> {
    let threads = rayon::current_num_threads();
    let n_blocks = if threads == 1 { 1 } else { (threads * BLOCKS_PER_THREAD).min(n).max(1) };
    // Many samples are cut where 64 are gone through at once.
    let step = if n >= 64 * n_blocks { 64 } else { 1 };
    let bound = |k: usize| if k == n_blocks { n } else { k * n / n_blocks / step * step };
    (0..n_blocks).map(|k| bound(k)..bound(k + 1)).collect()
}

/// The results of all jobs, in their order; or the first error in that order, whichever fails first.
pub(crate) fn map<J: Send, R: Send>(
    jobs: Vec<J>,
    f: impl Fn(J) -> Result<R> + Send + Sync,
) -> Result<Vec<R>> {
    if jobs.len() == 1 {
        return jobs.into_iter().map(f).collect();
    }
    let results: Vec<Result<R>> = jobs.into_par_iter().map(f).collect();
    results.into_iter().collect()
}

/// Runs every job; the first error in the order of the jobs is returned, whichever fails first.
pub(crate) fn run<J: Send>(jobs: Vec<J>, f: impl Fn(J) -> Result<()> + Send + Sync) -> Result<()> {
    map(jobs, f).map(drop)
}

/// Runs every job, none of which can fail.
pub(crate) fn for_each<J: Send>(jobs: Vec<J>, f: impl Fn(J) + Send + Sync) {
    if jobs.len() == 1 {
        jobs.into_iter().for_each(f);
    } else {
        jobs.into_par_iter().for_each(f);
    }
}

/// Cuts a slice into consecutive parts of given lengths.
pub(crate) fn split<T>(mut slice: &mut [T], lengths: impl IntoIterator<Item = usize>) -> Vec<&mut [T]> {
    lengths
        .into_iter()
        .map(|length| {
            let (part, rest) = std::mem::take(&mut slice).split_at_mut(length);
            slice = rest;
            part
        })
        .collect()
}
