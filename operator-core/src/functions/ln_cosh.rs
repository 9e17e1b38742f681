//! ln cosh and its derivative tanh, of real numbers in vectors and of complex ones.

use std::f64::consts::LN_2;

use num_complex::Complex64;
use pulp::{Arch, Simd, WithSimd};

use super::elementary::Elementary;

/// `|x| + ln(1 + e^−2|x|) − ln 2`, which neither overflows nor loses digits at large |x|.
///
/// `FUSED` as for [`Elementary`], and no branches.
#[inline(always)]
pub fn ln_cosh<const FUSED: bool, R: Elementary>(x: R) -> R {
    let size = x.abs();
    size + ((-(size + size)).exp_of_negative::<FUSED>().ln_1p_of_fraction::<FUSED>() - R::from_f64(LN_2))
}

/// `(1 − e^−2|x|) / (1 + e^−2|x|)` with the sign of x.
#[inline(always)]
pub fn tanh<const FUSED: bool, R: Elementary>(x: R) -> R {
    let size = x.abs();
    let below_one = -(-(size + size)).exp_m1_of_negative::<FUSED>();
    (below_one / (R::from_f64(2.0) - below_one)).copysign(x)
}

/// Replaces each number by its ln cosh, in the widest vectors of the processor.
pub fn ln_cosh_each<R: Elementary>(values: &mut [R]) {
    Arch::new().dispatch(Each { values, portable: ln_cosh::<false, R>, fused: ln_cosh::<true, R> });
}

/// Replaces each number by its tanh, in the widest vectors of the processor.
pub fn tanh_each<R: Elementary>(values: &mut [R]) {
    Arch::new().dispatch(Each { values, portable: tanh::<false, R>, fused: tanh::<true, R> });
}

struct Each<'a, R, P, F> {
    values: &'a mut [R],
    portable: P,
    fused: F,
}

impl<R: Copy, P: Fn(R) -> R, F: Fn(R) -> R> WithSimd for Each<'_, R, P, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // Processors with vectors also multiply and add in one step. Without branches the compiler makes vectors.
        if S::IS_SCALAR {
            self.values.iter_mut().for_each(|value| *value = (self.portable)(*value));
        } else {
            self.values.iter_mut().for_each(|value| *value = (self.fused)(*value));
        }
    }
}

/// `1 + q` for `q = e^(−2z')`, where z' is z or −z so that its real part x is not negative. Its parts contain `1 − |q|` as
/// it is, so that nothing cancels near the zeros of cosh.
struct OnePlus {
    x: f64,
    angle: f64,
    /// |q| and 1 − |q|.
    size: f64,
    below_one: f64,
    sum: Complex64,
    squared_size: f64,
}

impl OnePlus {
    fn new(z: Complex64) -> Self {
        let (x, angle) = (z.re.abs(), if z.re < 0.0 { -z.im } else { z.im });
        let below_one = -(-(x + x)).exp_m1_of_negative::<false>();
        let (size, (sin, cos)) = (1.0 - below_one, angle.sin_cos());
        let sum = Complex64::new(below_one + 2.0 * size * cos * cos, -2.0 * size * sin * cos);
        let squared_size = below_one * below_one + 4.0 * size * cos * cos;
        OnePlus { x, angle, size, below_one, sum, squared_size }
    }
}

/// `z' + ln(1 + q) − ln 2` with z' = ±z of real part ≥ 0 and `q = e^(−2z')`; the function is even. Its imaginary part is
/// that of any branch.
pub fn complex_ln_cosh(z: Complex64) -> Complex64 {
    let OnePlus { x, angle, sum, squared_size, .. } = OnePlus::new(z);
    Complex64::new(x + (0.5 * squared_size.ln() - LN_2), angle + sum.im.atan2(sum.re))
}

/// `(1 − q) / (1 + q)` for z', and odd.
pub fn complex_tanh(z: Complex64) -> Complex64 {
    let OnePlus { size, below_one, sum, squared_size, .. } = OnePlus::new(z);
    // (1 − q) (1 + q*) = 1 − |q|² − 2i Im q
    let (re, im) = (below_one * (1.0 + size) / squared_size, -2.0 * sum.im / squared_size);
    Complex64::new(re.copysign(z.re), if z.re < 0.0 { -im } else { im })
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::*;

    #[test]
    fn ln_cosh_is_right_from_tiny_to_huge_arguments() {
        for theta in [1e-3, 0.1, 1.0, -3.0, 20.0] {
            assert!(
                (ln_cosh::<false, f64>(theta) - f64::cosh(theta).ln()).abs() < 1e-15 * theta.abs().max(1.0)
            );
        }
        assert_eq!(ln_cosh::<false, f64>(-1e6), 1e6 - LN_2);
        assert!(ln_cosh::<false, f64>(1e300).is_finite() && ln_cosh::<false, f64>(f64::NAN).is_nan());
    }

    #[test]
    fn complex_values_are_right_where_cosh_overflows_or_vanishes() {
        for re in [-3.0, -0.7, -1e-9, 0.0, 1e-5, 0.4, 2.5] {
            for im in [-1.5, -0.3, 0.0, 0.8, 1.57] {
                let z = Complex64::new(re, im);
                let (value, cosh) = (complex_ln_cosh(z).exp(), z.cosh());
                assert!((value - cosh).norm() < 1e-14 * (1.0 + cosh.norm()), "{z}: {value} {cosh}");
                // Beside a pole tanh is large, and depends on the last digits of z.
                let (tanh, expected) = (complex_tanh(z), z.sinh() / cosh);
                assert!(
                    (tanh - expected).norm() < 1e-14 * (1.0 + expected.norm_sqr()),
                    "{z}: {tanh} {expected}"
                );
            }
        }
        assert_eq!(complex_ln_cosh(Complex64::from(-1e4)), Complex64::from(1e4 - LN_2));
        assert_eq!(complex_ln_cosh(Complex64::from(0.0)), Complex64::ZERO);
        assert_eq!(complex_tanh(Complex64::from(-1e4)), Complex64::from(-1.0));
        assert!(complex_ln_cosh(Complex64::new(f64::NAN, 0.0)).is_nan());
    }

    /// With z = i π/2 + w, cosh z = i sinh w and tanh z = coth w.
    #[test]
    fn nothing_cancels_beside_the_zeros_of_cosh() {
        // The number nearest to π/2 is smaller by its cosine.
        let rest = FRAC_PI_2.cos();
        for by in [1e-3, 1e-8, 1e-15, 1e-100] {
            let (z, w) = (Complex64::new(by, FRAC_PI_2), Complex64::new(by, -rest));
            let value = complex_ln_cosh(z).re;
            assert!((value - w.sinh().norm().ln()).abs() < 1e-13, "{by}: {value}");
            let tanh = complex_tanh(z) * w.tanh();
            assert!((tanh - 1.0).norm() < 1e-13, "{by}: {tanh}");
        }
    }

    #[test]
    fn all_numbers_of_a_list_have_the_values_of_single_ones() {
        let sign = |k: i32| if k % 2 == 0 { 1.0 } else { -1.0 };
        let x: Vec<f64> = (0..1003).map(|k| sign(k) * 1e-9 * 1.023f64.powi(k)).collect();
        let (mut values, mut slopes) = (x.clone(), x.clone());
        ln_cosh_each(&mut values);
        tanh_each(&mut slopes);
        for ((x, value), slope) in x.into_iter().zip(values).zip(slopes) {
            let (expected, size) = (ln_cosh::<false, f64>(x), x.tanh().abs());
            assert!(
                (value - expected).abs() <= 4.0 * f64::EPSILON * (1.0 + expected),
                "{x}: {value} {expected}"
            );
            assert!((slope - x.tanh()).abs() <= 4.0 * f64::EPSILON * size, "{x}: {slope}");
        }
    }
}
