//! Independent samples, drawn site by site.

use ndarray::{Array2, ArrayView1, Axis};
use operator_core::{Backend, HilbertSpace, WaveFunction};
use rand::{RngExt, SeedableRng};

use crate::chain::ChainsSnapshot;
use crate::check::{at_least_one, check_samples, expect_count};
use crate::error::{Error, Result};
use crate::rng::ChainRng;
use crate::samples::Samples;
use crate::sampling::Sampler;
use crate::setup::{Setup, setup_methods};

/// Number of configurations to draw at a time, which bounds the memory that a wave function needs.
const BATCH: usize = 4096;

/// How far the sum of a site's conditionals may be from 1: single precision.
const TOLERANCE: f64 = 1e-4;

/// A wave function whose |ψ|² is a product of conditional probabilities, `|ψ(x)|² = Π_i p(x_i | x_0 … x_{i−1})`,
/// in the order of the sites.
pub trait Autoregressive<B: Backend>: WaveFunction<B> {
    /// The probabilities of each local state of a site, given the sites before it, shape `(batch, local_dim)`
    /// in the order of the space's local states.
    ///
    /// The values of `x` at this site and after it have no meaning. If the space fixes a sum, local states that
    /// make it impossible have probability 0.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn conditionals(&self, x: &B::Configurations, site: usize) -> operator_core::Result<Array2<f64>>;
}

/// Independent samples of wave functions that are [`Autoregressive`], drawn site by site.
///
/// There is nothing to discard and nothing to thin. Samples still belong to chains, whose scatter gives the error of
/// averages. Each chain has its own random numbers, which follow from the seed and the chain's number. Samples are on
/// the wave function's device.
///
/// ```
/// use operator_core::hilbert::Spin;
/// use sampler::DirectSampler;
/// let sampler = DirectSampler::<backend_flat::Flat>::new(Spin::half(10)?).with_seed(1);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DirectSampler<B: Backend> {
    setup: Setup<B>,
}

/// The random numbers of a [`DirectSampler`]. A clone draws the same samples.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectChains {
    hilbert: HilbertSpace,
    rngs: Vec<ChainRng>,
}

impl DirectChains {
    /// Number of chains.
    pub fn n_chains(&self) -> usize {
        self.rngs.len()
    }
}

impl<B: Backend> DirectSampler<B> {
    /// A sampler of a space, with 16 chains.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Self {
        DirectSampler { setup: Setup::new(hilbert.into()) }
    }

    setup_methods!();

    /// Draws one configuration with each generator.
    fn draw<W>(
        &self,
        wave_function: &W,
        device: &B::Device,
        rngs: &mut [ChainRng],
        mut x: Array2<i8>,
    ) -> Result<Array2<i8>>
    where
        W: Autoregressive<B> + ?Sized,
    {
        for site in 0..self.setup.hilbert.n_sites() {
            let local = self.setup.hilbert.local_states(site)?;
            let so_far = B::from_host(x.view(), device)?;
            let conditionals = wave_function.conditionals(&so_far, site)?;
            expect_count("rows of conditionals", conditionals.nrows(), rngs.len())?;
            if conditionals.ncols() != local.dim() {
                let reason = format!("{} probabilities, one a local state", conditionals.ncols());
                return Err(Error::Conditionals { sample: 0, site, reason });
            }
            let rows = conditionals.rows().into_iter().zip(rngs.iter_mut()).enumerate();
            for (sample, (p, rng)) in rows {
                let index = choose(p, rng.random()).ok_or_else(|| Error::Conditionals {
                    sample,
                    site,
                    reason: p.to_string(),
                })?;
                x[[sample, site]] = local.value(index);
            }
        }
        self.setup.hilbert.check(x.view())?;
        Ok(x)
    }
}

/// The outcome that a uniform number from 0 to 1 selects; `None` if `p` is not a distribution.
fn choose(p: ArrayView1<'_, f64>, uniform: f64) -> Option<usize> {
    let sum = p.sum();
    if (sum - 1.0).abs() > TOLERANCE || sum.is_nan() || p.iter().any(|&p| p < 0.0) {
        return None;
    }
    let mut left = uniform * sum;
    let mut chosen = None;
    for (index, &p) in p.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        chosen = Some(index);
        left -= p;
        if left < 0.0 {
            break;
        }
    }
    chosen
}

impl<B: Backend, W: Autoregressive<B> + ?Sized> Sampler<B, W> for DirectSampler<B> {
    type Chains = DirectChains;

    fn hilbert(&self) -> &HilbertSpace {
        &self.setup.hilbert
    }

    fn n_chains(&self) -> usize {
        self.setup.n_chains
    }

    fn start(&self, wave_function: &W) -> Result<DirectChains> {
        self.setup.device_of(wave_function)?;
        Ok(DirectChains { hilbert: self.setup.hilbert.clone(), rngs: self.setup.generators()? })
    }

    /// Samples are independent, so none is discarded.
    ///
    /// # Errors
    /// [`Error::Setting`] if `n_per_chain` is 0; [`TooLarge`](operator_core::Error::TooLarge) beyond the [memory limit](operator_core::memory);
    /// [`Error::Count`] and [`HilbertMismatch`](operator_core::Error::HilbertMismatch) for another sampler's
    /// chains; [`DeviceMismatch`](operator_core::Error::DeviceMismatch) for a wave function on another device than
    /// [`with_device`](DirectSampler::with_device) says; [`Error::Conditionals`];
    /// [`OutsideConstraint`](operator_core::Error::OutsideConstraint) if the conditionals lead out of the space.
    /// After an error the chains are unchanged.
    fn sample(
        &self,
        wave_function: &W,
        chains: &mut DirectChains,
        n_per_chain: usize,
        _: usize,
    ) -> Result<Samples<B>> {
        at_least_one("n_per_chain", n_per_chain)?;
        let device = self.setup.device_of(wave_function)?;
        self.setup.hilbert.expect_same(&chains.hilbert)?;
        expect_count("chains", chains.n_chains(), self.setup.n_chains)?;
        check_samples(&self.setup.hilbert, self.setup.n_chains, n_per_chain)?;
        let mut next = chains.rngs.clone();
        // Each sample has its own generator, so that it does not depend on the size of batches.
        let mut of_samples =
            next.iter_mut().flat_map(|rng| (0..n_per_chain).map(|_| ChainRng::seed_from_u64(rng.random())));
        let n_sites = self.setup.hilbert.n_sites();
        let blocks = self.setup.hilbert.blocks().iter();
        let first = blocks.flat_map(|block| std::iter::repeat_n(block.local().value(0), block.sites().len()));
        let first: Vec<i8> = first.collect();
        let mut samples = Array2::zeros((self.setup.n_chains * n_per_chain, n_sites));
        for mut batch in samples.axis_chunks_iter_mut(Axis(0), BATCH) {
            let mut rngs: Vec<ChainRng> = of_samples.by_ref().take(batch.nrows()).collect();
            let x = Array2::from_shape_fn((rngs.len(), n_sites), |(_, site)| first[site]);
            batch.assign(&self.draw(wave_function, &device, &mut rngs, x)?);
        }
        let configurations = B::from_host(samples.view(), &device)?;
        let samples = Samples::new(configurations, self.setup.n_chains, n_per_chain)?;
        chains.rngs = next;
        Ok(samples)
    }

    /// The random numbers; there are no configurations.
    fn snapshot(&self, chains: &DirectChains) -> Result<ChainsSnapshot> {
        let no_configurations = Array2::zeros((0, self.setup.hilbert.n_sites()));
        Ok(ChainsSnapshot::new(no_configurations, Vec::new(), chains.rngs.clone()))
    }

    fn restore(&self, chains: &mut DirectChains, snapshot: &ChainsSnapshot) -> Result<()> {
        expect_count("generators", snapshot.rngs().len(), chains.n_chains())?;
        chains.rngs = snapshot.rngs().to_vec();
        Ok(())
    }
}
