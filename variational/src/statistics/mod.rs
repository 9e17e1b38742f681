//! Means over Markov chains and their reliability.

mod diagnosis;
mod moments;
mod online;
#[cfg(feature = "serde")]
mod serialised;

pub use diagnosis::{Diagnosis, Problem};
pub use online::OnlineStats;

use std::fmt;

use moments::Moments;
use ndarray::{Array1, ArrayView1, ArrayView2, s};
use num_complex::Complex64;

/// The window of the autocorrelation time ends where it is this many times the time itself (Sokal, 1997).
const WINDOW: f64 = 5.0;

/// The error of a single chain comes from this many block means, as in NetKet.
const BLOCKS: usize = 32;

/// Mean of a quantity over Markov chains, and its reliability.
///
/// Prints as `-12.78 ± 0.02 [σ²=0.35, R̂=1.002, τ=0.4]`. Exact means have error 0, and NaN for R̂ and τ.
/// Fields may be added later.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Stats {
    /// The mean.
    #[cfg_attr(feature = "serde", serde(with = "serialised::complex"))]
    pub mean: Complex64,
    /// Standard error of the mean, including correlations: `sqrt(σ² (1 + 2τ) / n)` for several chains; for a
    /// single chain, from the scatter of 32 block means.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub error_of_mean: f64,
    /// Variance `σ² = <|a − <a>|²>`.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub variance: f64,
    /// Split R̂ (Gelman et al., Bayesian Data Analysis, 3rd ed., 11.4): each chain is cut into halves, and the
    /// scatter between their means is compared with the scatter within them. It is 1 if chains agree. Above about
    /// 1.02 they still remember where they started. NaN for fewer than four samples per chain.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub r_hat: f64,
    /// Integrated autocorrelation time `τ = Σ_{t≥1} ρ(t)` in samples; 0 for independent samples, as in NetKet.
    #[cfg_attr(feature = "serde", serde(with = "serialised::real"))]
    pub tau_corr: f64,
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
        let mean = values.mean().unwrap_or(Complex64::new(f64::NAN, f64::NAN));
        let deviations = values.mapv(|value| value - mean);
        let variance = deviations.iter().map(Complex64::norm_sqr).sum::<f64>() / values.len() as f64;
        let tau_corr = autocorrelation_time(deviations.view(), variance);
        let error_of_mean = match values.dim() {
            (1, n_samples) if n_samples >= 2 * BLOCKS => block_error(&block_means(deviations.row(0))),
            _ => correlated_error(variance, tau_corr, values.len()),
        };
        Stats { mean, error_of_mean, variance, r_hat: split_r_hat(values), tau_corr }
    }

    /// The exact mean of `values` with normalised `weights`, both of shape `(n_states,)`.
    pub fn exact(values: &Array1<Complex64>, weights: &Array1<f64>) -> Self {
        let terms = || values.iter().zip(weights);
        let mean: Complex64 = terms().map(|(value, weight)| value * weight).sum();
        // Multiply by the root of the weight first: where ψ is tiny, the square of an estimator may overflow.
        let variance = terms().map(|(value, weight)| ((value - mean) * weight.sqrt()).norm_sqr()).sum();
        Stats { mean, error_of_mean: 0.0, variance, r_hat: f64::NAN, tau_corr: f64::NAN }
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
        write!(f, " ± {error:.digits$} [σ²={:.2e}", self.variance)?;
        if self.r_hat.is_finite() {
            write!(f, ", R̂={:.4}", self.r_hat)?;
        }
        if self.tau_corr.is_finite() {
            write!(f, ", τ={:.1}", self.tau_corr)?;
        }
        f.write_str("]")
    }
}

/// ρ averaged over chains and integrated.
///
/// Deviations are from the mean of all chains, so chains stuck at different values count as correlated.
fn autocorrelation_time(deviations: ArrayView2<'_, Complex64>, variance: f64) -> f64 {
    let (n_chains, n_per_chain) = deviations.dim();
    let rho = |t: usize| {
        let products: f64 = deviations
            .rows()
            .into_iter()
            .flat_map(|chain| (t..n_per_chain).map(move |k| (chain[k - t].conj() * chain[k]).re))
            .sum();
        // The unbiased estimate: a constant shift between chains shows as ρ = 1 at all times.
        products / ((n_per_chain - t) * n_chains) as f64 / variance
    };
    if variance > 0.0 { integrate((1..n_per_chain).map(rho)).time() } else { variance * 0.0 }
}

/// The sum of an autocorrelation function.
#[derive(Clone, Copy, Debug)]
struct Integral {
    sum: f64,
    /// Whether the window ended the sum, rather than the end of the values.
    closed: bool,
}

impl Integral {
    /// At least −1/2, below which the error of the mean would be imaginary.
    fn time(self) -> f64 {
        self.sum.max(-0.5)
    }
}

/// `Σ_{t≥1} ρ(t)` up to the first window `M ≥ 5 (1/2 + Σ_{t≤M} ρ(t))`.
fn integrate(rho: impl Iterator<Item = f64>) -> Integral {
    let mut sum = 0.0;
    for (before, rho) in rho.enumerate() {
        sum += rho;
        if (before + 1) as f64 >= WINDOW * (0.5 + sum) {
            return Integral { sum, closed: true };
        }
    }
    Integral { sum, closed: false }
}

/// The standard error of the mean of `n` samples with autocorrelation time τ.
fn correlated_error(variance: f64, tau_corr: f64, n: usize) -> f64 {
    (variance * (1.0 + 2.0 * tau_corr).max(0.0) / n as f64).sqrt()
}

/// The means of [`BLOCKS`] consecutive blocks.
fn block_means(values: ArrayView1<'_, Complex64>) -> Vec<Complex64> {
    let length = values.len() / BLOCKS;
    let blocks = values.exact_chunks(length).into_iter().take(BLOCKS);
    blocks.map(|block| block.sum() / length as f64).collect()
}

/// The standard error of the mean, from the means of blocks long enough to be independent.
fn block_error(means: &[Complex64]) -> f64 {
    (Moments::of(means).scatter() / means.len() as f64).sqrt()
}

fn split_r_hat(values: ArrayView2<'_, Complex64>) -> f64 {
    let half = values.ncols() / 2;
    // With an odd number of samples, the middle one is left out.
    let halves = [0, values.ncols() - half].map(|start| values.slice(s![.., start..start + half]));
    let mut moments = vec![Moments::default(); 2 * values.nrows()];
    // All halves advance together: a push waits for the one before it, but not for those of other halves.
    for k in 0..half {
        let next = halves.iter().flat_map(|half| half.column(k));
        moments.iter_mut().zip(next).for_each(|(moments, &value)| moments.push(value));
    }
    r_hat(&moments)
}

/// R̂ from the moments of half chains of equal length, NaN for fewer than two values in each.
fn r_hat(halves: &[Moments]) -> f64 {
    let n = halves.iter().map(|half| half.n).min().unwrap_or(0) as f64;
    if n < 2.0 {
        return f64::NAN;
    }
    let means: Vec<Complex64> = halves.iter().map(|half| half.mean).collect();
    let within = halves.iter().map(Moments::scatter).sum::<f64>() / halves.len() as f64;
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

    /// The error from 32 blocks is itself known to 1/sqrt(62) = 13 %; four times that is allowed.
    #[test]
    fn blocks_give_the_error_of_a_single_chain() {
        let (phi, n) = (0.8, 64_000);
        let stats = Stats::of_chains(ar1(1, n, phi, 4).view());
        let error = 1.0 / (1.0 - phi) / (n as f64).sqrt();
        assert!((stats.error_of_mean / error - 1.0).abs() < 0.52, "{stats:?}");
        assert!((stats.tau_corr - 4.0).abs() < 1.0, "{stats:?}");
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
        let stats = Stats { mean, error_of_mean: 0.0312, variance: 0.35, r_hat: 1.0021, tau_corr: 0.44 };
        assert_eq!(stats.to_string(), "-40.771 ± 0.031 [σ²=3.50e-1, R̂=1.0021, τ=0.4]");
        let exact = Stats::exact(&ndarray::array![mean], &ndarray::array![1.0]);
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
