//! Statistics of more samples than fit in memory.

use std::collections::VecDeque;

use ndarray::{Array1, ArrayView1, ArrayView2};
use num_complex::Complex64;
use operator_core::memory;

use super::error_of_mean::{Chains, Reliability, of_series, variance_of_means};
use super::moments::Moments;
use super::{Stats, piece_length, r_hat, variance_of};
use crate::error::{Error, Result};

/// Autocorrelation is summed up to this lag; beyond it, block means take over.
const MAX_LAG: usize = 64;

/// A chain that is long enough is kept as at least this many blocks, and fewer than twice as many.
const MIN_BLOCKS: usize = 64;

/// Statistics of chains seen once, piece by piece. Memory does not grow with their length.
///
/// Up to rounding, the results are those of [`Stats::of_chains`] on all pieces together, with two exceptions:
/// - τ, and the error that follows from it, agree if its window closes within 64 samples, and for chains of up to 128
///   samples. For slower chains both come from the means of the 64 to 128 blocks kept per chain, which are a chain too.
/// - R̂ agrees for up to 128 samples, or for a length of 2^k. Otherwise halves are not whole numbers of blocks, and up
///   to two blocks of each chain are left out.
///
/// ```
/// use num_complex::Complex64;
/// use variational::{OnlineStats, Stats};
///
/// let values = ndarray::Array2::from_shape_fn((4, 64), |(i, k)| Complex64::from((7 * i + k * k) as f64 % 5.0));
/// let mut online = OnlineStats::new(4)?;
/// for piece in values.axis_chunks_iter(ndarray::Axis(1), 10) {
///     online.push(piece)?;
/// }
/// let (a, b) = (online.stats(), Stats::of_chains(values.view()));
/// assert!((a.mean - b.mean).norm() < 1e-12 && (a.error_of_mean - b.error_of_mean).abs() < 1e-12);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OnlineStats {
    chains: Vec<Chain>,
}

impl OnlineStats {
    /// `n_chains` chains without values.
    ///
    /// # Errors
    /// [`TooLarge`](operator_core::Error::TooLarge) if they do not fit into memory.
    pub fn new(n_chains: usize) -> Result<Self> {
        // Sums of products and the last values at each lag, and blocks.
        let bytes_per_chain = 16.0 * (2 * MAX_LAG + 4 * MIN_BLOCKS) as f64;
        let what = || format!("statistics of {n_chains} chains");
        memory::expect_fits(what, bytes_per_chain * n_chains as f64, "take fewer chains")?;
        Ok(OnlineStats { chains: vec![Chain::default(); n_chains] })
    }

    /// Adds the next values of every chain, shape `(n_chains, n_values)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of chains differs.
    pub fn push(&mut self, values: ArrayView2<'_, Complex64>) -> Result<()> {
        if values.nrows() != self.chains.len() {
            let (got, expected) = (values.shape().to_vec(), vec![self.chains.len(), values.ncols()]);
            return Err(Error::Shape { what: "values of chains", got, expected });
        }
        self.chains.iter_mut().zip(values.rows()).for_each(|(chain, values)| chain.extend(values));
        Ok(())
    }

    /// Adds other chains of the same quantity, for example from another thread. Lengths may differ.
    pub fn merge(&mut self, other: OnlineStats) {
        self.chains.extend(other.chains);
    }

    /// Number of chains.
    pub fn n_chains(&self) -> usize {
        self.chains.len()
    }

    /// Number of values in all chains together.
    pub fn n_samples(&self) -> usize {
        self.chains.iter().map(|chain| chain.n).sum()
    }

    /// The statistics of all values so far; all are NaN without values.
    pub fn stats(&self) -> Stats {
        let chains: Vec<&Chain> = self.chains.iter().filter(|chain| chain.n > 0).collect();
        let moments = || chains.iter().map(|chain| chain.moments());
        let all = moments().fold(Moments::default(), Moments::and);
        let mean = if all.n > 0 { all.mean } else { Complex64::new(f64::NAN, f64::NAN) };
        let variance = variance_of(all.square, all.n);
        let Reliability { tau_corr, error_of_mean, .. } = reliability(&chains, mean, variance);
        let pieces: Vec<Moments> = chains.iter().flat_map(|chain| chain.pieces()).collect();
        let (n_chains, n_samples) = (self.chains.len(), all.n);
        Stats { mean, error_of_mean, variance, r_hat: r_hat(&pieces), tau_corr, n_chains, n_samples }
    }
}

/// The reliability of the mean of chains that have values.
fn reliability(chains: &[&Chain], mean: Complex64, variance: f64) -> Reliability {
    let n = chains.iter().map(|chain| chain.n).sum();
    let longest = chains.iter().map(|chain| chain.n).max().unwrap_or(0);
    let covariance = |lag: usize| {
        let chains = || chains.iter().filter(|chain| chain.n > lag);
        let n_products: usize = chains().map(|chain| chain.n - lag).sum();
        chains().map(|chain| chain.products(lag, mean)).sum::<f64>() / n_products as f64
    };
    let variance_of_means = variance_of_means(chains.iter().map(|chain| chain.moments()), n);
    let seen = Chains { n_chains: chains.len(), n, longest, variance, variance_of_means }
        .reliability(MAX_LAG, covariance);
    if seen.is_closed || longest / 2 <= MAX_LAG {
        return seen;
    }
    of_blocks(chains, n, variance)
}

/// The reliability of the mean of slow chains. Their blocks are longer than one value, and their means a chain.
fn of_blocks(chains: &[&Chain], n: usize, variance: f64) -> Reliability {
    let means: Vec<Array1<Complex64>> = chains.iter().map(|chain| chain.block_means()).collect();
    let all = Moments::of(means.iter().flatten());
    let views: Vec<ArrayView1<'_, Complex64>> = means.iter().map(|means| means.view()).collect();
    let variance_of_blocks = variance_of(all.square, all.n);
    let blocks = of_series(&views, all.mean, variance_of_blocks);
    // σ² (1 + 2τ) / N is the same for blocks.
    let factor = (1.0 + 2.0 * blocks.tau_corr) * variance_of_blocks / all.n as f64 * n as f64 / variance;
    Reliability { tau_corr: 0.5 * (factor - 1.0), ..blocks }
}

/// A summary of one chain.
#[derive(Clone, Debug)]
struct Chain {
    n: usize,
    /// Consecutive blocks of `block_length` values; the last one may be shorter.
    blocks: Vec<Moments>,
    block_length: usize,
    /// The first value. Sums and products use differences from it, because with a large mean and a small variance
    /// those of the values themselves would cancel.
    reference: Complex64,
    sum: Complex64,
    /// `Σ_k Re (a_{k−t}* a_k)` for t from 0 to [`MAX_LAG`].
    products: Vec<f64>,
    /// The first and the last [`MAX_LAG`] differences.
    first: Vec<Complex64>,
    last: VecDeque<Complex64>,
}

impl Default for Chain {
    fn default() -> Self {
        Chain {
            n: 0,
            blocks: Vec::new(),
            block_length: 1,
            reference: Complex64::default(),
            sum: Complex64::default(),
            products: vec![0.0; MAX_LAG + 1],
            first: Vec::new(),
            last: VecDeque::with_capacity(MAX_LAG),
        }
    }
}

impl Chain {
    fn extend(&mut self, values: ArrayView1<'_, Complex64>) {
        for &value in values {
            self.push_to_blocks(value);
            self.push_to_products(value);
            self.n += 1;
        }
    }

    fn push_to_blocks(&mut self, value: Complex64) {
        match self.blocks.last_mut() {
            Some(block) if block.n < self.block_length => return block.push(value),
            _ => {}
        }
        if self.blocks.len() == 2 * MIN_BLOCKS {
            self.blocks = self.blocks.chunks(2).map(total).collect();
            self.block_length *= 2;
        }
        self.blocks.push(Moments::of(&[value]));
    }

    fn push_to_products(&mut self, value: Complex64) {
        if self.n == 0 {
            self.reference = value;
        }
        let value = value - self.reference;
        self.sum += value;
        let before = std::iter::once(&value).chain(self.last.iter().rev());
        for (product, earlier) in self.products.iter_mut().zip(before) {
            *product += (earlier.conj() * value).re;
        }
        if self.first.len() < MAX_LAG {
            self.first.push(value);
        }
        if self.last.len() == MAX_LAG {
            self.last.pop_front();
        }
        self.last.push_back(value);
    }

    fn moments(&self) -> Moments {
        total(&self.blocks)
    }

    /// `Σ_{k≥t} Re ((a_{k−t} − c)* (a_k − c))` for a lag t less than n, at most [`MAX_LAG`].
    fn products(&self, lag: usize, center: Complex64) -> f64 {
        let center = center - self.reference;
        let late = self.sum - self.first.iter().take(lag).sum::<Complex64>();
        let early = self.sum - self.last.iter().rev().take(lag).sum::<Complex64>();
        let cross = center.conj() * late + center * early.conj();
        self.products[lag] - cross.re + (self.n - lag) as f64 * center.norm_sqr()
    }

    /// The whole blocks within each half, or the whole of a chain that is too short to be cut.
    fn pieces(&self) -> Vec<Moments> {
        let length = piece_length(self.n);
        if length == self.n {
            return vec![self.moments()];
        }
        let n_first = length / self.block_length;
        let n_before_second = (self.n - length).div_ceil(self.block_length);
        vec![total(&self.blocks[..n_first]), total(&self.blocks[n_before_second..])]
    }

    /// The means of all whole blocks.
    fn block_means(&self) -> Array1<Complex64> {
        self.blocks[..self.n / self.block_length].iter().map(|block| block.mean).collect()
    }
}

fn total(blocks: &[Moments]) -> Moments {
    blocks.iter().copied().fold(Moments::default(), Moments::and)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis, s};
    use proptest::prelude::*;

    use super::super::testing::ar1;
    use super::*;

    /// Pieces of different lengths.
    fn in_pieces(values: &Array2<Complex64>, length: usize) -> OnlineStats {
        let mut online = OnlineStats::new(values.nrows()).unwrap();
        let mut start = 0;
        for piece in (0..).map(|k| 1 + (length + k) % (2 * length)) {
            let end = (start + piece).min(values.ncols());
            online.push(values.slice(s![.., start..end])).unwrap();
            if end == values.ncols() {
                return online;
            }
            start = end;
        }
        online
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.abs().max(1e-3) || (a.is_nan() && b.is_nan())
    }

    proptest! {
        #[test]
        fn short_chains_have_the_statistics_of_the_whole(
            n_chains in 1usize..6, n_per_chain in 1usize..65, phi in -0.9..0.9f64, length in 1usize..40,
            shift in -100.0..100.0f64, seed: u64,
        ) {
            let values = ar1(n_chains, n_per_chain, phi, seed).mapv(|a| a * Complex64::new(0.6, 0.8) + shift);
            let (online, whole) = (in_pieces(&values, length).stats(), Stats::of_chains(values.view()));
            prop_assert!((online.mean - whole.mean).norm() < 1e-10, "{online:?} {whole:?}");
            prop_assert!(close(online.variance, whole.variance), "{online:?} {whole:?}");
            prop_assert!(close(online.tau_corr, whole.tau_corr), "{online:?} {whole:?}");
            prop_assert!(close(online.error_of_mean, whole.error_of_mean), "{online:?} {whole:?}");
            prop_assert!(close(online.r_hat, whole.r_hat), "{online:?} {whole:?}");
        }

        /// τ of φ = 0.7 is 2.3, so that its window of about 14 closes below 64 in every case.
        #[test]
        fn long_chains_too_where_the_window_closes(
            n_chains in 1usize..4, log_length in 7u32..11, more in 0usize..50, phi in 0.0..0.7f64,
            shift in -100.0..100.0f64, seed: u64,
        ) {
            let n_per_chain = (1 << log_length) + more;
            let values = ar1(n_chains, n_per_chain, phi, seed).mapv(|a| a + shift);
            let (online, whole) = (in_pieces(&values, 17).stats(), Stats::of_chains(values.view()));
            prop_assert!((online.mean - whole.mean).norm() < 1e-10, "{online:?} {whole:?}");
            prop_assert!(close(online.variance, whole.variance), "{online:?} {whole:?}");
            prop_assert!(close(online.tau_corr, whole.tau_corr), "{online:?} {whole:?}");
            if more == 0 || n_chains > 1 {
                prop_assert!(close(online.error_of_mean, whole.error_of_mean), "{online:?} {whole:?}");
            }
            match more {
                0 => prop_assert!(close(online.r_hat, whole.r_hat), "{online:?} {whole:?}"),
                // A block left out moves the mean of a half by a few hundredths of its scatter.
                _ => prop_assert!((online.r_hat - whole.r_hat).abs() < 0.05, "{online:?} {whole:?}"),
            }
        }

        #[test]
        fn chains_seen_apart_are_chains_seen_together(
            n_chains in 2usize..6, n_per_chain in 1usize..300, phi in -0.9..0.9f64, seed: u64,
        ) {
            let values = ar1(n_chains, n_per_chain, phi, seed);
            let (left, right) = values.view().split_at(Axis(0), n_chains / 2);
            let mut merged = in_pieces(&left.to_owned(), 7);
            merged.merge(in_pieces(&right.to_owned(), 11));
            prop_assert_eq!(merged.n_samples(), values.len());
            let (merged, whole) = (merged.stats(), in_pieces(&values, 5).stats());
            prop_assert!(close(merged.error_of_mean, whole.error_of_mean), "{merged:?} {whole:?}");
            prop_assert!(close(merged.r_hat, whole.r_hat), "{merged:?} {whole:?}");
            prop_assert!((merged.mean - whole.mean).norm() < 1e-12);
        }
    }

    /// τ = φ / (1 − φ) = 49, whose window of 250 is longer than the lags that are kept. From 16 · 32 block means
    /// of 2000 values the scatter is known to sqrt(2 / 512) = 6 %, and the error of the mean to half of that;
    /// blocks of 40 τ see it 1/40 too small. Bounds at four times that.
    #[test]
    fn slow_chains_have_their_time_from_blocks() {
        let phi = 0.98;
        let online = in_pieces(&ar1(16, 64_000, phi, 3), 1000).stats();
        let (variance, tau) = (1.0 / (1.0 - phi * phi), phi / (1.0 - phi));
        let error = (variance * (1.0 + 2.0 * tau) / (16.0 * 64_000.0)).sqrt();
        assert!((online.tau_corr / tau - 1.0).abs() < 0.25, "{online:?}");
        assert!((online.error_of_mean / error - 1.0).abs() < 0.13, "{online:?}");
        assert!((online.r_hat - 1.0).abs() < 0.02, "{online:?}");
    }

    /// Blocks of 128 values whose means do not forget look like a time of half their length, less what is noise.
    #[test]
    fn chains_that_do_not_mix_show() {
        let mut values = ar1(4, 5000, 0.3, 5);
        values.row_mut(0).mapv_inplace(|value| value + 3.0);
        let stats = in_pieces(&values, 100).stats();
        assert!(stats.r_hat > 1.3 && stats.tau_corr > 30.0, "{stats:?}");
    }

    #[test]
    fn no_values_give_no_statistics_and_other_chains_are_refused() {
        let mut online = OnlineStats::new(3).unwrap();
        assert!(online.stats().mean.re.is_nan() && OnlineStats::new(0).unwrap().stats().r_hat.is_nan());
        let refused = online.push(Array2::zeros((2, 5)).view()).unwrap_err().to_string();
        assert_eq!(refused, "values of chains have shape [2, 5]; expected [3, 5]");
    }
}
