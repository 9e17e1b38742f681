//! Sums of an element over all configurations, with random weights for each site.
//!
//! A product of functions of single sites is summed site by site, however many sites there are. Two sums of such
//! products are the same function if they agree for weights without a relation among them. This is a polynomial
//! identity test: the sum is linear in the weights of each site, so it vanishes for almost all weights only if the
//! function does. (J. T. Schwartz, J. ACM 27, 701 (1980).)

use super::engine::generic;

/// How many independent sets of weights a test uses.
pub(crate) const N_TESTS: u64 = 3;

/// Weights of the local states of each site. They add up to 1 on each site, so that sites that a product does not
/// look at need no factor. They are of order 1, so that long products keep their size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    test: u64,
}

impl Weights {
    pub(crate) fn new(test: u64) -> Self {
        Weights { test }
    }

    /// The weights of a site with `dim` local states.
    pub(crate) fn of(self, site: usize, dim: usize) -> Vec<f64> {
        let number = |k: usize| {
            let random = generic((self.test << 48 | (site as u64) << 16 | k as u64) + 1);
            // From −1.2 to −0.7 or from 0.7 to 1.2.
            let sign = if (random * (1u64 << 30) as f64) as u64 & 1 == 0 { 1.0 } else { -1.0 };
            sign * (0.7 + (random - 1.0) / 2.0)
        };
        if dim == 2 {
            return vec![0.5 + number(0), 0.5 - number(0)];
        }
        let mut weights: Vec<f64> = (0..dim).map(number).collect();
        let rest = (1.0 - weights.iter().sum::<f64>()) / dim as f64;
        weights.iter_mut().for_each(|weight| *weight += rest);
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_one_and_differ() {
        for dim in [2, 3, 101] {
            let of = |test, site| Weights::new(test).of(site, dim);
            assert!((of(0, 4).iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(of(0, 4) != of(1, 4) && of(0, 4) != of(0, 5));
            assert!(of(2, 7).iter().all(|weight| weight.abs() < 3.0));
        }
    }
}
