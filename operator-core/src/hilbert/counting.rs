//! How many states a block has.

use std::f64::consts::{LN_2, TAU};

use num_complex::Complex64;

use super::block::Block;

/// `log2` of a number that a `u64` certainly holds. The rest of its range is left to rounding.
const LOG2_COUNTABLE: f64 = 63.5;

/// Logarithm of what is left out of a sum whose first term is 1.
const NEGLIGIBLE: f64 = -80.0;

/// The number of states of a block, if it fits in a `usize`, and its base-2 logarithm.
pub(super) fn count(block: &Block) -> (Option<usize>, f64) {
    let (n_sites, dim) = (block.n_sites, block.local.len);
    let Some(total) = block.total else {
        let n_states = u32::try_from(n_sites).ok().and_then(|n| dim.checked_pow(n));
        return (n_states, n_sites as f64 * (dim as f64).log2());
    };
    let log2_n_states = Tilted::new(n_sites, dim, total).log2_n_states();
    if log2_n_states > LOG2_COUNTABLE {
        return (None, log2_n_states);
    }
    let n_states = exact(n_sites, dim, total);
    (usize::try_from(n_states).ok(), (n_states as f64).log2())
}

/// The number of ways in which the local indices of `n_sites` sites sum to `total`. It must fit in a `u64`.
///
/// The numbers for all sums up to `total` are the coefficients of `(1 + x + … + x^(dim−1))^n_sites`, found by
/// repeated squaring.
fn exact(n_sites: usize, dim: usize, total: usize) -> u64 {
    // There are as many states with the local indices counted from the other end. Below the middle, counts grow with
    // the sum and with the number of sites, so none of those on the way is larger than the last.
    let total = total.min(n_sites * (dim - 1) - total);
    let times = |a: &[u64], b: &[u64]| -> Vec<u64> {
        (0..=total).map(|sum| (0..=sum).map(|part| a[part] * b[sum - part]).sum()).collect()
    };
    let mut power: Vec<u64> = (0..=total).map(|sum| u64::from(sum < dim)).collect();
    let mut ways: Vec<u64> = (0..=total).map(|sum| u64::from(sum == 0)).collect();
    let mut rest = n_sites;
    loop {
        if rest & 1 == 1 {
            ways = times(&ways, &power);
        }
        rest >>= 1;
        if rest == 0 {
            return ways[total];
        }
        power = times(&power, &power);
    }
}

/// Independent sites whose local index k has a weight `∝ z^k`, with z chosen such that the sum of all indices is
/// `total` on average.
///
/// All states with the same sum have the same weight. So these sites, given that their sum is `total`, are in a
/// uniformly random state of the constrained space.
#[derive(Clone, Debug)]
pub(super) struct Tilted {
    pub(super) n_sites: usize,
    pub(super) total: usize,
    /// The weight of each local index; they sum to 1.
    pub(super) weights: Vec<f64>,
    ln_z: f64,
    /// `ln Σ_k z^k`.
    ln_norm: f64,
}

impl Tilted {
    /// The sum must be possible: at most `n_sites · (dim − 1)`.
    pub(super) fn new(n_sites: usize, dim: usize, total: usize) -> Self {
        let mean = total as f64 / n_sites as f64;
        // Bisection, since the mean grows with z. Beyond the bounds only one state is left anyway.
        let (mut low, mut high) = (-800.0, 800.0);
        let mut tilted = Tilted { n_sites, total, weights: vec![0.0; dim], ln_z: 0.0, ln_norm: 0.0 };
        for _ in 0..64 {
            tilted.set(0.5 * (low + high));
            if tilted.mean() < mean {
                low = tilted.ln_z;
            } else {
                high = tilted.ln_z;
            }
        }
        tilted
    }

    fn set(&mut self, ln_z: f64) {
        let largest = if ln_z > 0.0 { ln_z * (self.weights.len() - 1) as f64 } else { 0.0 };
        let mut norm = 0.0;
        for (k, weight) in self.weights.iter_mut().enumerate() {
            *weight = (ln_z * k as f64 - largest).exp();
            norm += *weight;
        }
        self.weights.iter_mut().for_each(|weight| *weight /= norm);
        (self.ln_z, self.ln_norm) = (ln_z, norm.ln() + largest);
    }

    fn mean(&self) -> f64 {
        self.weights.iter().enumerate().map(|(k, weight)| k as f64 * weight).sum()
    }

    /// The logarithm of a bound of one site's factor at an angle from 0 to π, beyond which it only falls: the geometric
    /// series in `z e^(i angle)` is at most `(1 + z^dim) / |1 − z e^(i angle)|`, for z up to 1.
    fn ln_largest_factor(&self, angle: f64) -> f64 {
        let (first, last) = (self.weights[0], self.weights[self.weights.len() - 1]);
        // For larger z, the series is read from its end.
        let (first, last) = if self.ln_z > 0.0 { (last, first) } else { (first, last) };
        let z = (-self.ln_z.abs()).exp();
        (first + last * z).ln() - (Complex64::ONE - Complex64::from_polar(z, angle)).norm().ln()
    }

    /// Base-2 logarithm of the number of states with the sum `total`, to about 1e-9.
    ///
    /// The sum is `total` with the probability `n_states · z^total / (Σ_k z^k)^n_sites`. The probability is the
    /// Fourier coefficient of the characteristic function's power, which decays fast.
    pub(super) fn log2_n_states(&self) -> f64 {
        let mean = self.mean();
        let variance: f64 =
            self.weights.iter().enumerate().map(|(k, weight)| (k as f64 - mean).powi(2) * weight).sum();
        let deviation = (self.n_sites as f64 * variance).sqrt();
        // Sums further away than a period from the mean are counted wrongly, and have no weight.
        let period = ((40.0 * deviation).ceil() + 2.0 * self.weights.len() as f64 + 64.0) as u64 | 1;
        let n_sites = self.n_sites as f64;
        let shift = n_sites * mean - self.total as f64;
        // An angle and its opposite give the same; the period is odd, so only 0 is its own opposite.
        let mut probability = 1.0;
        for step in 1..=period / 2 {
            let angle = TAU * step as f64 / period as f64;
            if n_sites * self.ln_largest_factor(angle) < NEGLIGIBLE {
                break;
            }
            let factor: Complex64 = (self.weights.iter().enumerate())
                .map(|(k, weight)| Complex64::from_polar(*weight, angle * (k as f64 - mean)))
                .sum();
            let (ln_size, phase) = (factor.norm().ln(), factor.arg());
            probability += 2.0 * (n_sites * ln_size).exp() * (n_sites * phase + shift * angle).cos();
        }
        let period = period as f64;
        let ln_probability = (probability / period).ln();
        (ln_probability + self.n_sites as f64 * self.ln_norm - self.ln_z * self.total as f64) / LN_2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_agree_with_counts() {
        for (n_sites, dim) in [(1, 2), (1, 7), (2, 3), (9, 2), (30, 2), (60, 2), (12, 5), (7, 40)] {
            for total in 0..=n_sites * (dim - 1) {
                let (expected, log2) = (exact(n_sites, dim, total), Tilted::new(n_sites, dim, total));
                let error = log2.log2_n_states() - (expected as f64).log2();
                assert!(error.abs() < 1e-9, "{n_sites} {dim} {total}: {error}");
            }
        }
    }

    #[test]
    fn logarithms_of_huge_counts_are_binomial() {
        // ln C(n, k), each factorial by its logarithms.
        let ln_binomial =
            |n: u64, k: u64| -> f64 { (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum() };
        for (n, k) in [(1000, 500), (40_000, 20_000), (100_000, 3), (100_000, 99_000)] {
            let log2 = Tilted::new(n as usize, 2, k as usize).log2_n_states();
            let expected = ln_binomial(n, k) / LN_2;
            assert!((log2 - expected).abs() < 1e-9 * expected, "{n} {k}: {log2} {expected}");
        }
    }
}
