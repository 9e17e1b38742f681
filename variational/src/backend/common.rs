//! What several backends share.

/// Subtracted from the logarithm of a probability that is 0, in place of ∞.
pub(super) const FORBIDDEN: f64 = 1e9;

/// A wave function that takes host batches, passed to the kernel of a backend that has devices of type `D`.
pub(super) struct OnBackend<'a, W, D> {
    pub(super) wave_function: &'a W,
    /// Where the kernel runs.
    pub(super) device: D,
}
