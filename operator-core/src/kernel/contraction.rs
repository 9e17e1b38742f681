//! Sums of an element over all configurations, with random weights for each site.
//!
//! A product of functions of single sites is summed site by site, however many sites there are. Two sums of such
//! products are the same function if they agree for weights without a relation among them. This is a polynomial
//! identity test: the sum is linear in the weights of each site, so it vanishes for almost all weights only if the
//! function does. (J. T. Schwartz, J. ACM 27, 701 (1980).)

use num_complex::Complex64;

use super::engine::generic;
use crate::rounding::agrees;

/// How many independent sets of weights a test uses.
pub(crate) const N_TESTS: u64 = 3;

/// Weights of the local states of each site. They add up to 1 on each site, so that sites that a product does not
/// look at need no factor. On two-level sites their difference has the absolute value 1, so that parities of any number
/// of sites keep their size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    test: u64,
}

impl Weights {
    pub(crate) fn new(test: u64) -> Self {
        Weights { test }
    }

    /// The weights of a site with `dim` local states.
    pub(crate) fn of(self, site: usize, dim: usize) -> Vec<Complex64> {
        let random = |k: usize| generic((self.test << 48 | (site as u64) << 16 | k as u64) + 1);
        let sign = |random: f64| if (random * (1u64 << 30) as f64) as u64 & 1 == 0 { 1.0 } else { -1.0 };
        if dim == 2 {
            // A phase from 60 to 120 degrees, so that neither weight is small.
            let angle = sign(random(0)) * random(0) * std::f64::consts::FRAC_PI_3;
            let difference = Complex64::cis(angle);
            return vec![(1.0 + difference) / 2.0, (1.0 - difference) / 2.0];
        }
        // From −1.2 to −0.7 or from 0.7 to 1.2.
        let number = |k: usize| Complex64::from(sign(random(k)) * (0.7 + (random(k) - 1.0) / 2.0));
        let mut weights: Vec<Complex64> = (0..dim).map(number).collect();
        let rest = (1.0 - weights.iter().sum::<Complex64>()) / dim as f64;
        weights.iter_mut().for_each(|weight| *weight += rest);
        weights
    }
}

/// A product of any number of factors, `mantissa · 2^exponent`, which neither overflows nor vanishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    mantissa: Complex64,
    exponent: i64,
}

impl Scaled {
    /// Beyond this power of two a mantissa is scaled.
    const POWER: i32 = 32;

    /// The product of some factors.
    pub(crate) fn product(factors: impl IntoIterator<Item = Complex64>) -> Self {
        let one = Scaled { mantissa: Complex64::ONE, exponent: 0 };
        factors.into_iter().fold(one, Self::times)
    }

    pub(crate) fn times(self, factor: Complex64) -> Self {
        let Scaled { mut mantissa, mut exponent } = self;
        mantissa *= factor;
        let (size, large) = (mantissa.norm(), 2f64.powi(Self::POWER));
        if size > large {
            (mantissa, exponent) = (mantissa / large, exponent + i64::from(Self::POWER));
        } else if size < 1.0 / large && size > 0.0 {
            (mantissa, exponent) = (mantissa * large, exponent - i64::from(Self::POWER));
        }
        Scaled { mantissa, exponent }
    }

    /// The product with another one.
    pub(crate) fn and(self, other: Self) -> Self {
        let Scaled { mantissa, exponent } = self.times(other.mantissa);
        Scaled { mantissa, exponent: exponent + other.exponent }
    }
}

/// Whether two sums are equal up to rounding of their summands.
pub(crate) fn sums_agree(a: &[Scaled], b: &[Scaled]) -> bool {
    let nonzero = a.iter().chain(b).filter(|term| term.mantissa != Complex64::ZERO);
    let Some(largest) = nonzero.map(|term| term.exponent).max() else { return true };
    let sum = |terms: &[Scaled]| {
        terms.iter().fold((Complex64::ZERO, 0.0), |(sum, size), term| {
            // Anything smaller is lost beside the largest.
            let power = (term.exponent - largest).max(-1100) as i32;
            let value = term.mantissa * 2f64.powi(power);
            (sum + value, size + value.norm())
        })
    };
    let ((a, size), (b, other)) = (sum(a), sum(b));
    agrees((a - b).norm(), size.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_one_and_differ() {
        for dim in [2, 3, 101] {
            let of = |test, site| Weights::new(test).of(site, dim);
            assert!((of(0, 4).iter().sum::<Complex64>() - 1.0).norm() < 1e-12);
            assert!(of(0, 4) != of(1, 4) && of(0, 4) != of(0, 5));
            assert!(of(2, 7).iter().all(|weight| weight.norm() < 3.0));
        }
    }

    #[test]
    fn long_products_neither_overflow_nor_vanish() {
        let power = |z: f64, n: usize| Scaled::product(std::iter::repeat_n(Complex64::from(z), n));
        for z in [1e-3, 1.5e3] {
            let (a, b) = (power(z, 100_000), power(z, 99_999));
            assert!(sums_agree(&[a], &[b.times(z.into())]) && !sums_agree(&[a], &[b]));
            assert!(sums_agree(&[a, b], &[b, a]) && !sums_agree(&[a, b], &[a]));
            assert!(sums_agree(&[a.and(b)], &[power(z, 199_999)]));
        }
        assert!(!sums_agree(&[power(0.5, 5000)], &[]) && sums_agree(&[power(0.0, 2)], &[]));
    }
}
