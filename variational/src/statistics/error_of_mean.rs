//! The error of a mean over Markov chains, honest for short ones too.
//!
//! The mean of N numbers has the variance `V = s² F / N` with `F = 1 + 2τ`, the number of samples that count as one.
//! F is the larger of two estimates:
//! - the sum of autocorrelations `1 + 2 Σ_{t≤W} ρ(t)` up to the first window `W ≥ 5 (1/2 + max(Σρ, 0))` (Madras and
//!   Sokal, 1988), times `1 + (2W + 1)/N` for its bias (Wolff, 2004, hep-lat/0306017);
//! - `(1 + ρ) / (1 − ρ)` from the first autocorrelation alone, the time of an AR(1) process. For reversible chains, as
//!   those of Metropolis are, no time is shorter: ρ(t) is a mean of powers λ^t, and `(1 + λ) / (1 − λ)` is convex.
//!   ρ is `(N r + 1) / (N − 3)` from the sample's r, which is too small (Kendall, 1954), plus half its standard error
//!   `sqrt((1 − ρ²) / N)`. So noise among few numbers does not count as anticorrelation.
//!
//! Numbers around their own mean scatter too little, so `s² = σ² / (1 − F/N)`. If the window is longer than half a chain,
//! autocorrelations say nothing: then V is the scatter of the means of the chains, divided by their number.
//!
//! The reported error is `sqrt(V) t(ν)/2`, where Student's `t(ν)` is exceeded as often as two standard deviations of a
//! normal distribution (4.6 %). There are `ν = N/F − 1` degrees of freedom, or one less than chains if V comes from these.
//! So the true mean is within two errors in about 95 % of cases, also for few samples.

use ndarray::ArrayView1;
use num_complex::Complex64;

use super::moments::Moments;

/// The window of the autocorrelation time is this many times the time itself (Sokal, 1997).
const WINDOW: f64 = 5.0;

/// Numbers below which anticorrelation cannot be told from noise.
const FEW: usize = 16;

/// The first autocorrelation is taken for at most this. It is 1 for numbers that only drift.
const MAX_RHO: f64 = 0.99;

/// The largest part of the variance that the mean may take, `F/N`.
const MAX_PART: f64 = 0.9;

/// What is known about some chains before their autocorrelations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chains {
    pub(super) n_chains: usize,
    /// Numbers in all chains together.
    pub(super) n: usize,
    /// Numbers in the longest chain.
    pub(super) longest: usize,
    /// `σ² = <|a − <a>|²>`
    pub(super) variance: f64,
    /// The variance of the mean according to the scatter of the chains' means; NaN for a single chain.
    pub(super) variance_of_means: f64,
}

/// How well a mean is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reliability {
    pub(super) tau_corr: f64,
    pub(super) error_of_mean: f64,
    /// Whether the window closed within half a chain.
    pub(super) is_closed: bool,
}

impl Reliability {
    fn unknown(value: f64) -> Self {
        Reliability { tau_corr: value, error_of_mean: value, is_closed: true }
    }
}

impl Chains {
    /// From `covariance(t) = Re <(a_k − <a>)* (a_{k+t} − <a>)>`, the mean over all pairs of a chain at this distance.
    /// It is asked for t from 1 to `max_lag` at most.
    pub(super) fn reliability(self, max_lag: usize, covariance: impl Fn(usize) -> f64) -> Reliability {
        let Chains { n_chains, n, longest, variance, variance_of_means } = self;
        if n < 2 || !variance.is_finite() {
            return Reliability::unknown(if variance == f64::INFINITY { variance } else { f64::NAN });
        }
        if variance == 0.0 {
            return Reliability::unknown(0.0);
        }
        let size = n as f64;
        let rho = |lag| covariance(lag) / variance;
        let single = if longest > 1 { first_autocorrelation(rho(1), n) } else { 0.0 };
        let window = Window::of(rho, max_lag.min(longest / 2));
        // Of chains of this length, and of endless ones.
        let length = size / n_chains as f64;
        let least = (1.0 + single) / (1.0 - single);
        let least_here =
            least - 2.0 * single * (1.0 - single.powf(length.round())) / (length * (1.0 - single).powi(2));
        let variance_with = |factor: f64| variance / (1.0 - (factor / size).min(MAX_PART)) * factor / size;
        if n_chains > 1 && !window.is_closed {
            let error = variance_of_means.sqrt() * student(n_chains as f64 - 1.0);
            let factor = (variance_of_means / (variance + variance_of_means) * size).max(least_here);
            return Reliability {
                tau_corr: 0.5 * (factor - 1.0),
                // Means of few chains may be close by chance.
                error_of_mean: error.max(variance_with(least_here).sqrt()),
                is_closed: false,
            };
        }
        let summed = window.factor(size);
        let (factor, factor_here) = (least.max(summed).min(size), least_here.max(summed).min(size));
        let freedom = (size / factor).min(size) - 1.0;
        Reliability {
            tau_corr: 0.5 * (factor - 1.0),
            error_of_mean: variance_with(factor_here).sqrt() * student(freedom),
            is_closed: window.is_closed,
        }
    }
}

/// The reliability of the mean of numbers that are all at hand, around their mean.
pub(super) fn of_series<'a>(
    chains: &[ArrayView1<'a, Complex64>],
    mean: Complex64,
    variance: f64,
) -> Reliability {
    let n = chains.iter().map(ArrayView1::len).sum();
    let longest = chains.iter().map(ArrayView1::len).max().unwrap_or(0);
    let deviations: Vec<Vec<Complex64>> =
        chains.iter().map(|chain| chain.iter().map(|value| value - mean).collect()).collect();
    let covariance = |lag: usize| {
        let (mut sum, mut pairs) = (0.0, 0);
        for chain in deviations.iter().filter(|chain| chain.len() > lag) {
            sum += chain[lag..].iter().zip(chain).map(|(a, b)| a.re * b.re + a.im * b.im).sum::<f64>();
            pairs += chain.len() - lag;
        }
        sum / pairs as f64
    };
    let means = deviations.iter().map(Moments::of);
    let variance_of_means = variance_of_means(means, n);
    Chains { n_chains: chains.len(), n, longest, variance, variance_of_means }
        .reliability(usize::MAX, covariance)
}

/// The variance of the mean of n numbers, from the scatter of the means of chains; NaN for a single one.
pub(super) fn variance_of_means(chains: impl ExactSizeIterator<Item = Moments> + Clone, n: usize) -> f64 {
    let n_chains = chains.len() as f64;
    let mean = chains.clone().fold(Moments::default(), Moments::and).mean;
    let square = |chain: Moments| (chain.n as f64 / n as f64).powi(2) * (chain.mean - mean).norm_sqr();
    if n_chains > 1.0 { chains.map(square).sum::<f64>() * n_chains / (n_chains - 1.0) } else { f64::NAN }
}

/// `Σ_{t≥1} ρ(t)` up to a window.
#[derive(Clone, Copy, Debug)]
struct Window {
    sum: f64,
    length: usize,
    /// Whether the autocorrelations ended the sum, rather than the end of the chains.
    is_closed: bool,
}

impl Window {
    fn of(rho: impl Fn(usize) -> f64, longest: usize) -> Self {
        let mut sum = 0.0;
        for lag in 1..=longest {
            sum += rho(lag);
            if lag as f64 >= WINDOW * (0.5 + f64::max(sum, 0.0)) {
                return Window { sum, length: lag, is_closed: true };
            }
        }
        Window { sum, length: longest, is_closed: false }
    }

    /// `1 + 2τ` for n numbers.
    fn factor(self, n: f64) -> f64 {
        (1.0 + 2.0 * self.sum) * (1.0 + (2 * self.length + 1) as f64 / n)
    }
}

/// A cautious estimate of ρ(1) from that of n numbers.
fn first_autocorrelation(sample: f64, n: usize) -> f64 {
    let size = n as f64;
    let unbiased = if n > 3 { (size * sample + 1.0) / (size - 3.0) } else { sample };
    let unbiased = unbiased.clamp(-1.0, 1.0);
    let cautious = unbiased + 0.5 * ((1.0 - unbiased * unbiased) / size).sqrt();
    cautious.clamp(if n < FEW { 0.0 } else { -MAX_RHO }, MAX_RHO)
}

/// Half of the number that Student's t with ν degrees of freedom, at least 1, exceeds in size as often as a normal
/// distribution exceeds two standard deviations. The cubic is within 0.1 % of it.
fn student(freedom: f64) -> f64 {
    let u = 1.0 / freedom.max(1.0);
    (u * (1.2277 + u * (0.9106 - 0.1939 * u))).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of Student's distribution at 95.45 %.
    #[test]
    fn students_factor_is_that_of_the_tables() {
        for (freedom, t) in [
            (1.0, 13.968),
            (2.0, 4.5265),
            (3.0, 3.3068),
            (4.0, 2.8693),
            (7.0, 2.4288),
            (15.0, 2.1812),
            (1e9, 2.0),
        ] {
            assert!((2.0 * student(freedom) / t - 1.0).abs() < 1e-3, "{freedom}");
        }
    }
}
