//! e^x and ln(1 + x) of real numbers without branches, so that loops of them become vectors.

use num_traits::Float;

use crate::element::Element;

/// `f32` and `f64` with exponentials and logarithms by their series, right to about the last digit.
///
/// `FUSED` says whether to multiply and add in one step, as processors do that have vectors beyond the baseline.
pub trait Elementary: Element<Real = Self> + Float + Into<f64> {
    /// Rounded to this type.
    fn from_f64(value: f64) -> Self;

    /// `self · b + c`, rounded once if `FUSED`, which the processor must support, else twice.
    fn mul_plus<const FUSED: bool>(self, b: Self, c: Self) -> Self;

    /// `(p, 2^n)` with `e^x = (1 + p) 2^n`, for x ≤ 0, by Taylor's series within half a power of two. It has
    /// no branches. Below the lowest power, x is clamped.
    fn exp_in_parts<const FUSED: bool>(self) -> (Self, Self);

    /// e^x for x ≤ 0.
    #[inline(always)]
    fn exp_of_negative<const FUSED: bool>(self) -> Self {
        let (p, power) = self.exp_in_parts::<FUSED>();
        p.mul_plus::<FUSED>(power, power)
    }

    /// `e^x − 1` for x ≤ 0, accurate at small x too.
    #[inline(always)]
    fn exp_m1_of_negative<const FUSED: bool>(self) -> Self {
        let (p, power) = self.exp_in_parts::<FUSED>();
        p.mul_plus::<FUSED>(power, power - Self::one())
    }

    /// `ln(1 + x)` for x from 0 to 1, `2 artanh(x / (2 + x))` by its series, without branches.
    fn ln_1p_of_fraction<const FUSED: bool>(self) -> Self;
}

/// Constants of a type, which follow from its range and precision.
macro_rules! elementary {
    (
        $real:ident, exponential from ($lowest:expr), $n_terms:literal terms, logarithm $n_log_terms:literal terms,
        round $round:literal, ln_2 ($ln_2_high:expr, $ln_2_low:expr), bias $bias:literal << $mantissa:literal
    ) => {
        impl Elementary for $real {
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $real
            }

            #[inline(always)]
            fn mul_plus<const FUSED: bool>(self, b: Self, c: Self) -> Self {
                if FUSED { self.mul_add(b, c) } else { self * b + c }
            }

            #[inline(always)]
            fn exp_in_parts<const FUSED: bool>(self) -> (Self, Self) {
                // Adding it rounds to an integer, which is then in the lowest bits.
                const ROUND: $real = $round;
                /// 1 / k! from k = 1.
                const SERIES: [$real; $n_terms] = {
                    let mut out = [1.0; $n_terms];
                    let mut k = 1;
                    while k < $n_terms {
                        out[k] = out[k - 1] / (k + 1) as $real;
                        k += 1;
                    }
                    out
                };
                let x = if self < $lowest { $lowest } else { self };
                let rounded = x.mul_plus::<FUSED>(std::$real::consts::LOG2_E, ROUND);
                let n = rounded - ROUND;
                // The last bits of the first part of ln 2 are 0, so that its product is exact.
                let rest = n.mul_plus::<FUSED>(-$ln_2_low, n.mul_plus::<FUSED>(-$ln_2_high, x));
                let power = $real::from_bits(rounded.to_bits().wrapping_add($bias) << $mantissa);
                (rest * series::<FUSED, _, $n_terms>(SERIES, rest), power)
            }

            #[inline(always)]
            fn ln_1p_of_fraction<const FUSED: bool>(self) -> Self {
                /// 2 / (2 k + 1)
                const SERIES: [$real; $n_log_terms] = {
                    let mut out = [2.0; $n_log_terms];
                    let mut k = 1;
                    while k < $n_log_terms {
                        out[k] = 2.0 / (2 * k + 1) as $real;
                        k += 1;
                    }
                    out
                };
                let u = self / (2.0 + self);
                let square = u * u;
                u * series::<FUSED, _, $n_log_terms>(SERIES, square)
            }
        }
    };
}

elementary!(
    f64, exponential from (-708.0), 13 terms, logarithm 17 terms, round 6_755_399_441_055_744.0, // 1.5 · 2^52
    ln_2 (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10), bias 1023 << 52
);

elementary!(
    f32, exponential from (-87.0), 7 terms, logarithm 8 terms, round 12_582_912.0, // 1.5 · 2^23
    ln_2 (355.0 / 512.0, -2.121_944_4e-4), bias 127 << 23
);

/// `Σ_k c_k x^k`
#[inline(always)]
fn series<const FUSED: bool, R: Elementary, const N: usize>(coefficients: [R; N], x: R) -> R {
    let mut sum = R::zero();
    for coefficient in coefficients.into_iter().rev() {
        sum = sum.mul_plus::<FUSED>(x, coefficient);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_exponentials<const FUSED: bool, R: Elementary>(lowest: f64, from_f64: fn(f64) -> R) {
        let epsilon: f64 = R::epsilon().into();
        let close =
            |found: R, expected: f64| (found.into() - expected).abs() <= 4.0 * epsilon * expected.abs();
        for k in 0..200_000 {
            let x = from_f64(lowest * f64::from(k) / 200_000.0);
            assert!(
                close(x.exp_of_negative::<FUSED>(), x.into().exp()),
                "{x}: {}",
                x.exp_of_negative::<FUSED>()
            );
            assert!(
                close(x.exp_m1_of_negative::<FUSED>(), x.into().exp_m1()),
                "{x}: {}",
                x.exp_m1_of_negative::<FUSED>()
            );
            let fraction = from_f64(f64::from(k) / 200_000.0);
            let found = fraction.ln_1p_of_fraction::<FUSED>();
            assert!(close(found, fraction.into().ln_1p()), "{fraction}: {found}");
        }
        for power in 1..30 {
            let small = from_f64(-10f64.powi(-power));
            assert!(close(small.exp_m1_of_negative::<FUSED>(), small.into().exp_m1()), "{small}");
        }
        assert!(
            R::nan().exp_of_negative::<FUSED>().is_nan() && R::nan().ln_1p_of_fraction::<FUSED>().is_nan()
        );
        assert!(R::neg_infinity().exp_of_negative::<FUSED>().into() <= 1.01 * lowest.exp());
    }

    #[test]
    fn exponentials_and_logarithms_are_right_to_the_last_digits() {
        check_exponentials::<true, f64>(-708.0, |x| x);
        check_exponentials::<true, f32>(-87.0, |x| x as f32);
        check_exponentials::<false, f64>(-708.0, |x| x);
        check_exponentials::<false, f32>(-87.0, |x| x as f32);
    }
}
