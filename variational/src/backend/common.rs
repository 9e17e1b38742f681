//! What several backends share.

use operator_core::{Backend, DiscreteOperator, Result, WaveFunction};

/// Subtracted from the logarithm of a probability that is 0, in place of ∞.
pub(super) const FORBIDDEN: f64 = 1e9;

/// # Errors
/// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) unless both are defined on one space.
pub(super) fn check_spaces<B, O, W>(operator: &O, wave_function: &W) -> Result<()>
where
    B: Backend,
    O: DiscreteOperator<Backend = B> + ?Sized,
    W: WaveFunction<B>,
{
    operator.hilbert().expect_same(wave_function.hilbert())
}

/// A wave function that takes host batches, passed to the kernel of a backend that has devices of type `D`.
pub(super) struct OnBackend<'a, W, D> {
    pub(super) wave_function: &'a W,
    /// Where the kernel runs.
    pub(super) device: D,
}
