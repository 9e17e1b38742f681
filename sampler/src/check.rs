//! Checks before anything is drawn.

use operator_core::{HilbertSpace, memory};

use crate::error::{Error, Result};

/// Bytes that a chain takes besides configurations: its random numbers, its weight and what walks it.
const CHAIN_BYTES: f64 = 256.0;

pub(crate) fn expect_count(what: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::Count { what, got, expected }) }
}

pub(crate) fn at_least_one(what: &'static str, value: usize) -> Result<usize> {
    if value == 0 { Err(Error::Setting { what, value, expected: "at least 1" }) } else { Ok(value) }
}

/// Checks the memory that chains take, before they are made.
pub(crate) fn check_chains(hilbert: &HilbertSpace, n_chains: usize) -> Result<()> {
    // Where a chain is and where it may go next.
    let bytes = n_chains as f64 * (CHAIN_BYTES + 2.0 * hilbert.n_sites() as f64);
    Ok(memory::expect_fits(|| format!("{n_chains} chains on {hilbert}"), bytes, "take fewer chains")?)
}

/// Checks the memory that samples take, before they are drawn.
pub(crate) fn check_samples(hilbert: &HilbertSpace, n_chains: usize, n_per_chain: usize) -> Result<()> {
    let bytes = n_chains as f64 * n_per_chain as f64 * hilbert.n_sites() as f64;
    let what = || format!("{n_per_chain} samples of {n_chains} chains on {hilbert}");
    Ok(memory::expect_fits(what, bytes, "take fewer at a time")?)
}
