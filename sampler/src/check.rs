//! Checks before anything is drawn.

use operator_core::HilbertSpace;

use crate::error::{Error, Result};

/// The largest array of chains or samples, in bytes.
const MAX_BYTES: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

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
    check_bytes(|| format!("{n_chains} chains on {hilbert}"), bytes, "take fewer chains")
}

/// Checks the memory that samples take, before they are drawn.
pub(crate) fn check_samples(hilbert: &HilbertSpace, n_chains: usize, n_per_chain: usize) -> Result<()> {
    let bytes = n_chains as f64 * n_per_chain as f64 * hilbert.n_sites() as f64;
    let what = || format!("{n_per_chain} samples of {n_chains} chains on {hilbert}");
    check_bytes(what, bytes, "take fewer at a time")
}

/// Refuses what takes more than [`MAX_BYTES`]. Sizes are in floating point, whose products do not overflow.
fn check_bytes(what: impl FnOnce() -> String, bytes: f64, remedy: &'static str) -> Result<()> {
    if bytes > MAX_BYTES {
        return Err(operator_core::Error::TooLarge { what: what(), bytes, limit: MAX_BYTES, remedy }.into());
    }
    Ok(())
}
