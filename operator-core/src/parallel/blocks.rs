//! Batches on threads. The way the work is split never changes a result.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::Result;

/// Blocks for each thread: several, so that samples with many elements do not leave other threads idle.
const BLOCKS_PER_THREAD: usize = 4;

/// Cuts `0..n` into blocks for the present thread pool.
pub fn blocks(n: usize) -> Vec<Range<usize>> {
    let threads = rayon::current_num_threads();
    let n_blocks = if threads == 1 { 1 } else { (threads * BLOCKS_PER_THREAD).min(n).max(1) };
    // Engines go through 64 samples at once: cut many samples at multiples of that.
    let step = if n >= 64 * n_blocks { 64 } else { 1 };
    let bound = |k: usize| if k == n_blocks { n } else { k * n / n_blocks / step * step };
    (0..n_blocks).map(|k| bound(k)..bound(k + 1)).collect()
}

/// The results of all jobs in their order, or the error of the first job in that order that fails.
pub fn map<J: Send, R: Send>(jobs: Vec<J>, f: impl Fn(J) -> Result<R> + Send + Sync) -> Result<Vec<R>> {
    if jobs.len() == 1 {
        return jobs.into_iter().map(f).collect();
    }
    let results: Vec<Result<R>> = jobs.into_par_iter().map(f).collect();
    results.into_iter().collect()
}

/// Runs every job. The error is that of the first job, in their order, that fails.
pub fn run<J: Send>(jobs: Vec<J>, f: impl Fn(J) -> Result<()> + Send + Sync) -> Result<()> {
    map(jobs, f).map(drop)
}

/// Runs every job. Jobs cannot fail.
pub fn for_each<J: Send>(jobs: Vec<J>, f: impl Fn(J) + Send + Sync) {
    if jobs.len() == 1 {
        jobs.into_iter().for_each(f);
    } else {
        jobs.into_par_iter().for_each(f);
    }
}

/// Cuts a slice into consecutive parts of the given lengths.
pub fn split<T>(mut slice: &mut [T], lengths: impl IntoIterator<Item = usize>) -> Vec<&mut [T]> {
    lengths
        .into_iter()
        .map(|length| {
            let (part, rest) = std::mem::take(&mut slice).split_at_mut(length);
            slice = rest;
            part
        })
        .collect()
}
