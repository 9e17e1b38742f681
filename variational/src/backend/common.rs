//! What the backends here have in common.

use operator_core::{Backend, DiscreteOperator, Result, WaveFunction};

/// What is taken from the logarithm of a probability that is 0, instead of ∞.
pub(super) const FORBIDDEN: f64 = 1e9;

/// # Errors
/// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) unless both live on one space.
pub(super) fn check_spaces<B, O, W>(operator: &O, wave_function: &W) -> Result<()>
where
    B: Backend,
    O: DiscreteOperator<Backend = B> + ?Sized,
    W: WaveFunction<B>,
{
    operator.hilbert().expect_same(wave_function.hilbert())
}
