//! When a Metropolis move is accepted: for samplers, and for backends whose chains stay on a device.
//!
//! A move from x to x' is accepted with probability `min(1, |ψ(x')/ψ(x)|² q(x' → x)/q(x → x'))` for the probabilities q of
//! proposals. (W. K. Hastings, Biometrika 57, 97 (1970).)

use num_complex::Complex64;

/// The probability of accepting a move, from ln |ψ|² before and after it, and `ln q(x' → x) − ln q(x → x')`.
pub fn acceptance(from: f64, to: f64, log_correction: f64) -> f64 {
    if to == f64::NEG_INFINITY {
        0.0
    } else if from == f64::NEG_INFINITY {
        1.0
    } else {
        (to - from + log_correction).exp().min(1.0)
    }
}

/// `ln n(x) − ln n(x')`, the correction of a move that is drawn uniformly among the n(x) from x.
pub fn log_correction(n: usize, back: usize) -> f64 {
    // They are often equal, and then no logarithm is needed.
    if n == back { 0.0 } else { (n as f64 / back as f64).ln() }
}

/// ln |ψ|² from ln ψ; −∞ where ψ is zero, whose phase does not matter, and `None` where it is no finite number.
pub fn log_weight(log_psi: Complex64) -> Option<f64> {
    let Complex64 { re, im } = log_psi;
    (re == f64::NEG_INFINITY || (re.is_finite() && im.is_finite())).then_some(2.0 * re)
}
