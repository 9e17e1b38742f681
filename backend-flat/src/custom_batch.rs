//! Custom kernels in batches, and what is found out by trying them.

use ndarray::ArrayView2;
use operator_core::parallel;
use operator_core::{ConnBatch, Element, HostRows, MergedRow, Result, probe_hermitian};

use crate::custom::FlatKernel;
use crate::visitor::Visitor;

/// In spaces of at most this many states, the largest row is searched for.
const SMALL_SPACE: usize = 1 << 14;

/// The elements of a block of samples.
struct Collected<T> {
    counts: Vec<usize>,
    states: Vec<i8>,
    mels: Vec<T>,
}

/// Connects all samples. The kernel runs only once for each, because it may be slow: blocks are collected first,
/// and put together when their sizes are known.
pub(crate) fn connect<T: Element>(
    kernel: &dyn FlatKernel<T>,
    rows: &HostRows<'_>,
    conn: &mut ConnBatch<T>,
) -> Result<()> {
    let n_sites = rows.n_sites();
    let blocks = parallel::blocks(rows.len());
    let collected: Vec<_> = parallel::map(blocks, |block| {
        let mut visitor = Visitor::of_kernel(kernel);
        let mut to =
            Collected { counts: Vec::with_capacity(block.len()), states: Vec::new(), mels: Vec::new() };
        for x in rows.block(block).chunks_exact(n_sites) {
            let before = to.mels.len();
            visitor.visit(x, |connected, mel| {
                let start = to.states.len();
                to.states.extend_from_slice(x);
                connected.write(&mut to.states[start..]);
                to.mels.push(mel);
            })?;
            to.counts.push(to.mels.len() - before);
        }
        Ok(to)
    })?;
    let counts: Vec<usize> = collected.iter().flat_map(|block| &block.counts).copied().collect();
    let (states, mels, _) = conn.reset(n_sites, &counts)?;
    let states = parallel::split(states, collected.iter().map(|block| block.states.len()));
    let mels = parallel::split(mels, collected.iter().map(|block| block.mels.len()));
    parallel::for_each(collected.iter().zip(states).zip(mels).collect(), |((block, states), mels)| {
        states.copy_from_slice(&block.states);
        mels.copy_from_slice(&block.mels);
    });
    Ok(())
}

/// Number of elements of each sample.
pub(crate) fn count<T: Element>(kernel: &dyn FlatKernel<T>, rows: &HostRows<'_>) -> Result<Vec<usize>> {
    let counts = parallel::map(parallel::blocks(rows.len()), |block| {
        let mut visitor = Visitor::of_kernel(kernel);
        rows.block(block).chunks_exact(rows.n_sites()).map(|x| visitor.n_conn(x)).collect::<Result<Vec<_>>>()
    })?;
    Ok(counts.concat())
}

/// Whether a kernel that does not say so is Hermitian, by [`probe_hermitian`].
pub(crate) fn is_hermitian<T: Element>(kernel: &dyn FlatKernel<T>) -> Result<bool> {
    let mut visitor = Visitor::of_kernel(kernel);
    probe_hermitian(&kernel, kernel.hilbert(), |x: ArrayView2<'_, i8>, merged: &mut [MergedRow<T>]| {
        let rows = HostRows::of_states(x);
        rows.iter().zip(merged).try_for_each(|(x, row)| {
            row.start(x);
            visitor.visit(x, |connected, mel| {
                row.add_connected(connected, mel);
            })
        })
    })
}

/// The largest number of elements of any state, or the number of states if these are too many to try.
pub(crate) fn largest_row<T: Element>(kernel: &dyn FlatKernel<T>) -> Result<usize> {
    let n_states = kernel.hilbert().n_states().unwrap_or(usize::MAX);
    if n_states > SMALL_SPACE {
        return Ok(n_states);
    }
    let states = kernel.hilbert().all_states()?;
    Ok(count(kernel, &HostRows::of_states(states.view()))?.into_iter().max().unwrap_or(0))
}
