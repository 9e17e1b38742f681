//! What the backends here have in common.

use operator_core::{Backend, DiscreteOperator, Error, Result, WaveFunction};

/// What is taken from the logarithm of a probability that is 0, instead of ∞.
pub(super) const FORBIDDEN: f64 = 1e9;

/// # Errors
/// [`HilbertMismatch`](Error::HilbertMismatch) unless both live on one space.
pub(super) fn check_spaces<B, O, W>(operator: &O, wave_function: &W) -> Result<()>
where
    B: Backend,
    O: DiscreteOperator<Backend = B> + ?Sized,
    W: WaveFunction<B>,
{
    let (left, right) = (operator.hilbert(), wave_function.hilbert());
    if left != right {
        return Err(Error::HilbertMismatch { left: left.to_string(), right: right.to_string() });
    }
    Ok(())
}

/// A wave function that takes host batches, for a backend's own kernel.
pub(super) struct OnBackend<'a, W>(pub(super) &'a W);
