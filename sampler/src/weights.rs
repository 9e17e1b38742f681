//! ln |ψ|² of batches.

use operator_core::metropolis::log_weight;
use operator_core::{Backend, WaveFunction};

use crate::check::expect_count;
use crate::error::{Error, Result};

/// ln |ψ|² of `n` configurations; −∞ where ψ is zero.
pub(crate) fn log_weights<B: Backend, W: WaveFunction<B> + ?Sized>(
    wave_function: &W,
    x: &B::Configurations,
    n: usize,
) -> Result<Vec<f64>> {
    let log_psi = B::amplitudes_to_host(&wave_function.log_psi(x)?)?;
    expect_count("values of log psi", log_psi.len(), n)?;
    let weight = |(chain, &value)| match log_weight(value) {
        Some(weight) => Ok(weight),
        None => {
            let state = B::to_host(&B::rows(x, chain..chain + 1)?)?.iter().copied().collect();
            Err(Error::LogPsi { chain, value, state })
        }
    };
    log_psi.iter().enumerate().map(weight).collect()
}

/// Whether this is the logarithm of a ratio of proposal probabilities. +∞ would be a move that the rule never proposes.
pub(crate) fn is_correction(value: f64) -> bool {
    value < f64::INFINITY
}
