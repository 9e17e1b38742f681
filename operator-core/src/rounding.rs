//! What counts as rounding: the core's tolerances, all relative.
//!
//! There are several because rounding has three origins. A few summands that cancel leave a few units in the last
//! place of the largest. [`CANCELLATION`] covers these; it is tight, because it removes elements from the operator.
//! [`CANCELLATION_F32`] is the same for single precision. Two ways to compute one operator (its adjoint, another
//! family of terms) go through products and transforms of whole tables, where errors of many operations add up.
//! [`AGREEMENT`] covers these; it only decides a yes or no and can be generous. Coefficients that were computed elsewhere
//! carry the rounding of that computation, which is relative to the largest of them: [`CUTOFF`].

use num_complex::Complex64;

/// A sum that falls below this fraction of its summands' size is taken for exact cancellation.
const CANCELLATION: f64 = 1e-14;
/// The same for sums in single precision.
const CANCELLATION_F32: f64 = 1e-6;
/// Coefficients of at most this fraction of an operator's largest one are dropped, unless the user chooses another
/// fraction. It is some 50 units in the last place of the largest: integrals and matrices that vanish by symmetry come out
/// of other programs as numbers of this size. Double precision cannot tell their effect on an energy.
pub(crate) const CUTOFF: f64 = 1e-14;
/// Two computations of one operator agree up to this fraction of its largest coefficient.
const AGREEMENT: f64 = 1e-12;

/// The factor without a real or imaginary part that is only the rounding of summands, whose absolute values
/// add up to `size`.
pub(crate) fn clean(factor: Complex64, size: f64) -> Complex64 {
    let limit = CANCELLATION * finite(size);
    let part = |value: f64| if value.abs() <= limit { 0.0 } else { value };
    Complex64::new(part(factor.re), part(factor.im))
}

/// Whether a sum is only the rounding of summands, whose absolute values add up to `size`.
pub(crate) fn cancels(sum: Complex64, size: f64, single_precision: bool) -> bool {
    let epsilon = if single_precision { CANCELLATION_F32 } else { CANCELLATION };
    sum.norm() <= epsilon * finite(size)
}

/// A size that overflowed as the largest number, so that a fraction of it does not pass for rounding.
fn finite(size: f64) -> f64 {
    size.min(f64::MAX)
}

/// Whether a difference of an absolute value is rounding between two computations of an operator whose largest
/// coefficient is `size`.
pub(crate) fn agrees(difference: f64, size: f64) -> bool {
    difference <= AGREEMENT * finite(size)
}
