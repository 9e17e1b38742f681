//! ln |ψ|² of batches.

use num_complex::Complex64;
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
    match log_psi.iter().position(|value| !is_amplitude(value)) {
        None => Ok(log_psi.iter().map(|value| 2.0 * value.re).collect()),
        Some(chain) => {
            let state = B::to_host(&B::rows(x, chain..chain + 1)?)?.iter().copied().collect();
            Err(Error::LogPsi { chain, value: log_psi[chain], state })
        }
    }
}

/// Whether this is the logarithm of a ratio of proposal probabilities. +∞ would be a move that the rule never proposes.
pub(crate) fn is_correction(value: f64) -> bool {
    value < f64::INFINITY
}

/// Whether this is the logarithm of a finite number. The phase of a zero does not matter.
pub(crate) fn is_amplitude(log_psi: &Complex64) -> bool {
    log_psi.re == f64::NEG_INFINITY || (log_psi.re.is_finite() && log_psi.im.is_finite())
}
