//! Checks before anything is drawn.

use operator_core::{HilbertSpace, memory};

use crate::error::{Error, Result};

pub(crate) fn expect_count(what: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(Error::Count { what, got, expected }) }
}

pub(crate) fn at_least_one(what: &'static str, value: usize) -> Result<usize> {
    if value == 0 { Err(Error::Setting { what, value, expected: "at least 1" }) } else { Ok(value) }
}

/// Refuses samples of more than the [memory limit](memory::limit).
pub(crate) fn check_bytes(hilbert: &HilbertSpace, n_chains: usize, n_per_chain: usize) -> Result<()> {
    let bytes = n_chains as f64 * n_per_chain as f64 * hilbert.n_sites() as f64;
    let what = || format!("{n_per_chain} samples of {n_chains} chains on {hilbert}");
    Ok(memory::expect_fits(what, bytes, "take fewer at a time")?)
}
