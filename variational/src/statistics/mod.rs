//! Means over Markov chains and their reliability.

mod diagnosis;
mod error_of_mean;
mod moments;
mod online;
#[cfg(feature = "serde")]
mod serialised;

pub use diagnosis::{Diagnosis, Problem};
pub use online::OnlineStats;

use std::fmt;

use error_of_mean::Reliability;
use moments::Moments;
use ndarray::{Array1, ArrayView2, s};
use num_complex::Complex64;

use crate::error::{Error, Result};

/// Mean of a quantity over Markov chains, and its reliability.
///
/// Prints as `-12.78 ± 0.02 [σ²=0.35, R̂=1.002, τ=0.4]`. Exact means have error 0, no samples, and NaN for R̂ and τ.
/// An error that is not known is NaN, and prints as a question mark. Fields may be added later.
///
/// # The error
/// The true mean is within two errors in about 95 % of cases, also for few samples. For N samples with the variance σ²
/// and the autocorrelation time τ, the error is `sqrt(s² (1 + 2τ) / N) t(ν)/2`. Here `s² = σ² / (1 − (1 + 2τ)/N)`, and
/// `t(ν)` is what Student's distribution with `ν = N/(1 + 2τ) − 1` degrees of freedom exceeds as often as a normal one
/// exceeds two standard deviations. Chains of length L count with their finite length, `Σ_t (1 − t/L) ρ(t)`, where
/// ρ is that of a single decay.
///
/// τ is the larger of two estimates: the sum of autocorrelations up to a window of `5 (τ + 1/2)` (Madras and Sokal, 1988;
/// Wolff, 2004, with its bias correction), and the time `ρ(1) / (1 − ρ(1))` of a single decay, below which no
/// reversible chain can be. ρ(1) is corrected for its bias (Kendall, 1954) and raised by half its standard error, so
/// noise does not count as anticorrelation. Where the window is longer than half of the chains, the error comes from
/// the scatter of the means of C chains, and `ν = C − 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Stats {
    /// The mean.
    #[cfg_attr(feature = "serde", serde(with = "serialised::complex"))]
    pub mean: Complex64,
    /// Error of the mean, with correlations and with what is not known about the error itself; see [above](Stats#the-error).
    /// 0 only for exact means and for equal numbers; NaN for a single one.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub error_of_mean: f64,
    /// Variance `σ² = <|a − <a>|²>`; NaN for a single number.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub variance: f64,
    /// Split R̂ (Gelman et al., Bayesian Data Analysis, 3rd ed., 11.4): each chain is cut into halves, and the
    /// scatter between their means is compared with the scatter within them. It is 1 if chains agree. Above about
    /// 1.02 they still remember where they started; it is infinite if each is stuck at another number. Chains of two or
    /// three samples are not cut. NaN for single samples, and for a single chain of fewer than four.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub r_hat: f64,
    /// Integrated autocorrelation time `τ = Σ_{t≥1} ρ(t)` in samples; 0 for independent samples, as in NetKet. Negative
    /// down to −1/2 for anticorrelated ones, whose mean is known better.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub tau_corr: f64,
    /// Number of Markov chains, 0 for exact means.
    pub n_chains: usize,
    /// Number of samples of all chains together, 0 for exact means.
    pub n_samples: usize,
}

impl Stats {
    /// Statistics of values of shape `(n_chains, n_per_chain)`. All are NaN without values.
    ///
    /// ```
    /// use num_complex::Complex64;
    /// let values = ndarray::array![[1.0, 3.0, 1.0, 3.0], [3.0, 1.0, 3.0, 1.0]].mapv(Complex64::from);
    /// let stats = variational::Stats::of_chains(values.view());
    /// assert_eq!((stats.mean.re, stats.variance), (2.0, 1.0));
    /// ```
    pub fn of_chains(values: ArrayView2<'_, Complex64>) -> Self {
        let (n_chains, n_samples) = (values.nrows(), values.len());
        let mean = values.mean().unwrap_or(Complex64::new(f64::NAN, f64::NAN));
        let squares = values.iter().map(|value| (value - mean).norm_sqr());
        let variance = variance_of(squares.sum(), n_samples);
        let chains: Vec<_> = values.rows().into_iter().collect();
        let reliability = error_of_mean::of_series(&chains, mean, variance);
        let Reliability { tau_corr, error_of_mean, .. } = reliability;
        Stats { mean, error_of_mean, variance, r_hat: r_hat_of_chains(values), tau_corr, n_chains, n_samples }
    }

    /// The exact mean of `values` with normalised `weights`, both of shape `(n_states,)`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless each value has a weight.
    pub fn exact(values: &Array1<Complex64>, weights: &Array1<f64>) -> Result<Self> {
        if values.len() != weights.len() {
            let (got, expected) = (vec![weights.len()], vec![values.len()]);
            return Err(Error::Shape { what: "weights of an exact mean", got, expected });
        }
        let terms = || values.iter().zip(weights);
        let mean: Complex64 = terms().map(|(value, weight)| value * weight).sum();
        // Multiply by the root of the weight first: where ψ is tiny, the square of an estimator may overflow.
        let variance = terms().map(|(value, weight)| ((value - mean) * weight.sqrt()).norm_sqr()).sum();
        let (r_hat, tau_corr) = (f64::NAN, f64::NAN);
        Ok(Stats { mean, error_of_mean: 0.0, variance, r_hat, tau_corr, n_chains: 0, n_samples: 0 })
    }

    /// Whether this is an exact mean, not one over samples.
    pub fn is_exact(&self) -> bool {
        self.n_chains == 0
    }

    /// The number of independent samples with the same error, `N / (1 + 2τ)`, at most N; 0 for exact means.
    pub fn n_effective(&self) -> f64 {
        let n = self.n_samples as f64;
        if self.is_exact() || n < 2.0 { n } else { n / (1.0 + 2.0 * self.tau_corr).max(1.0) }
    }
}

/// `−40.77 ± 0.03 [σ²=…, R̂=…, τ=…]`, with as many digits as the error justifies.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.error_of_mean;
        let digits = if error.is_finite() && error > 0.0 {
            (1.0 - error.log10().floor()).clamp(0.0, 12.0) as usize
        } else {
            6
        };
        write!(f, "{:.digits$}", self.mean.re)?;
        // Smaller imaginary parts are noise, or would print as zero.
        if self.mean.im.abs() > error.max(0.5 * 0.1f64.powi(digits as i32)) {
            write!(f, "{:+.digits$}i", self.mean.im)?;
        }
        if error.is_nan() {
            f.write_str(" ± ?")?;
        } else {
            write!(f, " ± {error:.digits$}")?;
        }
        write!(f, " [σ²={:.2e}", self.variance)?;
        if self.r_hat == f64::INFINITY {
            f.write_str(", R̂=∞")?;
        } else if self.r_hat.is_finite() {
            write!(f, ", R̂={:.4}", self.r_hat)?;
        }
        if self.tau_corr.is_finite() {
            write!(f, ", τ={:.1}", self.tau_corr)?;
        }
        f.write_str("]")
    }
}

/// `<|a − <a>|²>` from the sum; NaN for fewer than two numbers, which show no scatter.
fn variance_of(sum: f64, n: usize) -> f64 {
    if n < 2 { f64::NAN } else { sum / n as f64 }
}

fn r_hat_of_chains(values: ArrayView2<'_, Complex64>) -> f64 {
    let length = piece_length(values.ncols());
    // With an odd number of samples, the middle one is left out.
    let starts = if length < values.ncols() { vec![0, values.ncols() - length] } else { vec![0] };
    let pieces: Vec<_> = starts.iter().map(|&start| values.slice(s![.., start..start + length])).collect();
    let mut moments = vec![Moments::default(); pieces.len() * values.nrows()];
    // All pieces advance together: a push waits for the one before it, but not for those of other pieces.
    for k in 0..length {
        let next = pieces.iter().flat_map(|piece| piece.column(k));
        moments.iter_mut().zip(next).for_each(|(moments, &value)| moments.push(value));
    }
    r_hat(&moments)
}

/// The length of the pieces that R̂ compares: halves of chains, or whole ones that are too short to be cut.
fn piece_length(n_per_chain: usize) -> usize {
    if n_per_chain < 4 { n_per_chain } else { n_per_chain / 2 }
}

/// R̂ from the moments of pieces of equal length; NaN for fewer than two, or fewer than two values in each.
fn r_hat(pieces: &[Moments]) -> f64 {
    let n = pieces.iter().map(|piece| piece.n).min().unwrap_or(0) as f64;
    if n < 2.0 || pieces.len() < 2 {
        return f64::NAN;
    }
    let means: Vec<Complex64> = pieces.iter().map(|piece| piece.mean).collect();
    let within = pieces.iter().map(Moments::scatter).sum::<f64>() / pieces.len() as f64;
    let between = Moments::of(&means).scatter();
    if between == 0.0 && within == 0.0 {
        return 1.0;
    }
    ((n - 1.0) / n + between / within).sqrt()
}

#[cfg(test)]
mod testing {
    use ndarray::Array2;
    use num_complex::Complex64;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// Chains `a ← φ a + ξ` with ξ of mean 0 and variance 1, started in equilibrium.
    pub(super) fn ar1(n_chains: usize, n_per_chain: usize, phi: f64, seed: u64) -> Array2<Complex64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        // A sum of twelve uniform numbers has variance 1 and is close to normal.
        let mut noise = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let mut values = Array2::zeros((n_chains, n_per_chain));
        for mut chain in values.rows_mut() {
            let mut a = noise() / (1.0 - phi * phi).sqrt();
            for value in &mut chain {
                *value = Complex64::from(a);
                a = phi * a + noise();
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::testing::ar1;
    use super::*;

    /// τ = φ / (1 − φ). Its relative error is about sqrt(2 (2M + 1) / N) (Madras and Sokal, 1988), here 5 %
    /// at most; bounds at four times that fail a correct program once in 10⁴ seeds.
    #[test]
    fn autocorrelation_time_and_error_of_ar1_chains_are_known() {
        for (phi, seed) in [(0.0, 1), (0.5, 2), (0.9, 3)] {
            let (n_chains, n_per_chain) = (16, 4000);
            let stats = Stats::of_chains(ar1(n_chains, n_per_chain, phi, seed).view());
            let (variance, tau) = (1.0 / (1.0 - phi * phi), phi / (1.0 - phi));
            let error = (variance * (1.0 + 2.0 * tau) / (n_chains * n_per_chain) as f64).sqrt();
            assert!((stats.tau_corr - tau).abs() < 0.2 * (tau + 0.5), "{stats:?}");
            assert!((stats.error_of_mean / error - 1.0).abs() < 0.2, "{stats:?}");
            assert!((stats.variance / variance - 1.0).abs() < 0.1, "{stats:?}");
            assert!(stats.mean.norm() < 5.0 * error && (stats.r_hat - 1.0).abs() < 0.02, "{stats:?}");
        }
    }

    /// Some statistics of this mean.
    fn some(mean: Complex64) -> Stats {
        Stats { mean, ..Stats::of_chains(Array2::zeros((4, 32)).view()) }
    }

    /// How often the true mean, 0, is within two errors, in percent.
    fn coverage(n_runs: usize, n_chains: usize, n_per_chain: usize, phi: f64) -> f64 {
        let seed = |run: usize| (run + 1000 * n_per_chain + 1_000_000 * n_chains) as u64;
        let inside = |run: &usize| {
            let stats = Stats::of_chains(ar1(n_chains, n_per_chain, phi, seed(*run)).view());
            assert!(stats.error_of_mean > 0.0, "{stats:?}");
            stats.mean.norm() <= 2.0 * stats.error_of_mean
        };
        100.0 * (0..n_runs).filter(inside).count() as f64 / n_runs as f64
    }

    /// The table of coverages by chains, length and correlation, in percent. From 500 runs each is known to 1.0 if it is
    /// 95; the bounds are 90 and 99.
    #[test]
    fn two_errors_hold_the_true_mean_in_90_to_99_of_100_cases() {
        const PHI: [f64; 4] = [-0.5, 0.0, 0.5, 0.9];
        let mut table = String::from("chains x length: two errors hold for phi = -0.5, 0, 0.5, 0.9\n");
        let mut outside = 0;
        for (n_chains, n_per_chain) in [
            (1, 16),
            (1, 24),
            (1, 64),
            (1, 256),
            (2, 8),
            (2, 32),
            (2, 100),
            (3, 6),
            (4, 4),
            (4, 16),
            (4, 64),
            (8, 2),
            (8, 8),
            (16, 1),
            (16, 2),
            (16, 5),
            (16, 64),
            (64, 1),
            (64, 4),
        ] {
            table += &format!("{n_chains:6} x {n_per_chain:3}:");
            for phi in PHI {
                let percent = coverage(500, n_chains, n_per_chain, phi);
                outside += usize::from(!(90.0..=99.0).contains(&percent));
                table += &format!(" {percent:5.1}");
            }
            table.push('\n');
        }
        println!("{table}");
        assert_eq!(outside, 0, "{table}");
    }

    /// Fewer than 16 numbers: no error is 0, and two still hold in most cases.
    #[test]
    fn a_handful_of_numbers_has_an_error_too() {
        for (n_chains, n_per_chain) in
            [(1, 2), (1, 3), (1, 5), (1, 10), (2, 1), (2, 2), (2, 5), (5, 1), (3, 3)]
        {
            for phi in [-0.5, 0.0, 0.5] {
                let percent = coverage(200, n_chains, n_per_chain, phi);
                assert!(percent > 70.0, "{n_chains} x {n_per_chain}, {phi}: {percent}");
            }
        }
    }

    /// Sets of two signs whose chains have equal means, or whose sum of autocorrelations is the most negative.
    #[test]
    fn numbers_that_differ_never_have_the_error_0() {
        for values in [
            ndarray::array![[1.0, -1.0], [-1.0, 1.0]],
            ndarray::array![[1.0, -1.0, 1.0, -1.0, 1.0, -1.0]],
            ndarray::array![[1.0], [1.0], [1.0 + f64::EPSILON]],
            Array2::from_shape_fn((1, 100), |(_, k)| if k % 2 == 0 { 1.0 } else { -1.0 }),
            Array2::from_shape_fn((8, 64), |(_, k)| if k % 2 == 0 { 1.0 } else { -1.0 }),
            Array2::from_shape_fn((2, 8), |(chain, k)| if (k + chain) % 4 < 2 { 1.0 } else { -1.0 }),
        ] {
            let values = values.mapv(Complex64::from);
            let mut online = OnlineStats::new(values.nrows()).unwrap();
            online.push(values.view()).unwrap();
            for stats in [Stats::of_chains(values.view()), online.stats()] {
                assert!(stats.error_of_mean > 0.0 && stats.tau_corr > -0.5, "{stats:?}");
            }
        }
    }

    /// Real and imaginary parts each have half of the variance: two errors hold all but e⁻⁴ = 1.8 % of normal means,
    /// and fewer of those of short chains.
    #[test]
    fn complex_means_are_within_two_errors_too() {
        for (n_chains, n_per_chain, phi) in [(1, 16, 0.0), (4, 4, 0.5), (2, 32, -0.5), (16, 16, 0.9)] {
            let inside = |run: &u64| {
                let parts = [1, 2].map(|part| ar1(n_chains, n_per_chain, phi, 10 * run + part));
                let stats = Stats::of_chains((&parts[0] + &parts[1] * Complex64::I).view());
                stats.mean.norm() <= 2.0 * stats.error_of_mean
            };
            let share = (0..400).filter(inside).count() as f64 / 400.0;
            assert!(share > 0.95, "{n_chains} x {n_per_chain}, {phi}: {share}");
        }
    }

    /// As NetKet, which needs two samples a chain.
    #[test]
    fn r_hat_is_a_number_from_two_samples_a_chain_on() {
        for n_per_chain in 2..6 {
            let r_hat = Stats::of_chains(ar1(16, n_per_chain, 0.0, 1).view()).r_hat;
            assert!(r_hat > 0.5 && r_hat < 1.6, "{n_per_chain}: {r_hat}");
        }
        assert!(Stats::of_chains(ar1(16, 1, 0.0, 1).view()).r_hat.is_nan());
        assert!(Stats::of_chains(ar1(1, 3, 0.0, 1).view()).r_hat.is_nan());
        let stuck = Array2::from_shape_fn((3, 9), |(chain, _)| Complex64::from(chain as f64));
        assert_eq!(Stats::of_chains(stuck.view()).r_hat, f64::INFINITY);
    }

    /// The time and so the error of a single chain are known to sqrt(2 (2W + 1) / N) / 2, with W = 22 here to 1.9 %;
    /// Bounds at four times that, and 3 % for the caution of short chains.
    #[test]
    fn autocorrelations_give_the_error_of_a_single_chain() {
        let (phi, n) = (0.8, 64_000);
        let stats = Stats::of_chains(ar1(1, n, phi, 4).view());
        let error = 1.0 / (1.0 - phi) / (n as f64).sqrt();
        assert!((stats.error_of_mean / error - 1.0).abs() < 0.1, "{stats:?}");
        assert!((stats.tau_corr - 4.0).abs() < 0.8, "{stats:?}");
    }

    #[test]
    fn r_hat_shows_chains_that_do_not_mix() {
        let mut values = ar1(4, 1000, 0.3, 5);
        values.row_mut(0).mapv_inplace(|value| value + 3.0);
        let stats = Stats::of_chains(values.view());
        assert!(stats.r_hat > 1.3 && stats.tau_corr > 50.0, "{stats:?}");
    }

    #[test]
    fn statistics_print_with_the_digits_that_the_error_allows() {
        let mean = Complex64::new(-40.7712, 1e-9);
        let stats =
            Stats { error_of_mean: 0.0312, variance: 0.35, r_hat: 1.0021, tau_corr: 0.44, ..some(mean) };
        assert_eq!(stats.to_string(), "-40.771 ± 0.031 [σ²=3.50e-1, R̂=1.0021, τ=0.4]");
        let stuck =
            Stats { error_of_mean: 0.5, variance: 2.0, r_hat: f64::INFINITY, tau_corr: 15.5, ..some(mean) };
        assert_eq!(stuck.to_string(), "-40.77 ± 0.50 [σ²=2.00e0, R̂=∞, τ=15.5]");
        let one = Stats::of_chains(ndarray::array![[mean]].view());
        assert_eq!(one.to_string(), "-40.771200 ± ? [σ²=NaN]");
        let exact = Stats::exact(&ndarray::array![mean], &ndarray::array![1.0]).unwrap();
        assert_eq!(exact.to_string(), "-40.771200 ± 0.000000 [σ²=0.00e0]");
    }

    #[test]
    fn no_values_and_equal_values_do_not_panic() {
        assert!(Stats::of_chains(Array2::zeros((0, 0)).view()).mean.re.is_nan());
        assert!(Stats::of_chains(Array2::zeros((1, 0)).view()).mean.re.is_nan());
        let stats = Stats::of_chains(Array2::from_elem((2, 8), Complex64::from(2.0)).view());
        assert_eq!((stats.variance, stats.error_of_mean, stats.r_hat, stats.tau_corr), (0.0, 0.0, 1.0, 0.0));
    }
}
