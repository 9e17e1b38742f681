//! When a move is accepted.

/// The probability of accepting a move, from ln |ψ|² before and after it.
pub(crate) fn acceptance(from: f64, to: f64, log_correction: f64) -> f64 {
    if to == f64::NEG_INFINITY {
        0.0
    } else if from == f64::NEG_INFINITY {
        1.0
    } else {
        (to - from + log_correction).exp().min(1.0)
    }
}
