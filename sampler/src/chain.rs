use ndarray::{Array2, Array3};
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, WaveFunction};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::error::{Error, Result};
use crate::rule::expect_count;

/// The random numbers of one chain.
pub type ChainRng = Xoshiro256PlusPlus;

/// Markov chains that go on: where they are, their random numbers, and how often they moved.
///
/// Made by [`MetropolisSampler::start`](crate::MetropolisSampler::start). A clone goes the same way.
#[derive(Clone, Debug)]
pub struct Chains<B: Backend> {
    pub(crate) hilbert: HilbertSpace,
    pub(crate) configurations: B::Configurations,
    /// ln |ψ|² of each chain's configuration.
    pub(crate) log_weights: Vec<f64>,
    pub(crate) rngs: Vec<ChainRng>,
    pub(crate) n_accepted: u64,
    pub(crate) n_proposed: u64,
}

impl<B: Backend> Chains<B> {
    /// Number of chains.
    pub fn n_chains(&self) -> usize {
        self.rngs.len()
    }

    /// Where the chains are, shape `(n_chains, n_sites)`.
    pub fn configurations(&self) -> &B::Configurations {
        &self.configurations
    }

    /// `ln |ψ(x)|²` where the chains are, length `n_chains`, as of the last step or
    /// [`refresh`](Self::refresh).
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// Number of moves accepted by all chains together.
    pub fn n_accepted(&self) -> u64 {
        self.n_accepted
    }

    /// Number of moves proposed to all chains together.
    pub fn n_proposed(&self) -> u64 {
        self.n_proposed
    }

    /// Fraction of accepted moves, NaN before the first one.
    pub fn acceptance(&self) -> f64 {
        self.n_accepted as f64 / self.n_proposed as f64
    }

    /// Counts moves from 0 again.
    pub fn reset_acceptance(&mut self) {
        (self.n_accepted, self.n_proposed) = (0, 0);
    }

    /// Evaluates the wave function again where the chains are, after its parameters changed.
    ///
    /// A chain at which it has become zero takes the first move to a state at which it is not.
    ///
    /// # Errors
    /// [`Error::LogPsi`] for NaN; [`Error::Core`] if the wave function fails.
    pub fn refresh<W: WaveFunction<B> + ?Sized>(&mut self, wave_function: &W) -> Result<()> {
        self.log_weights = log_weights(wave_function, &self.configurations, self.n_chains())?;
        Ok(())
    }
}

/// What Markov chains hold, on the host: a program that writes it down and puts it back later goes on as if it
/// had not stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainsSnapshot {
    /// Where the chains are, shape `(n_chains, n_sites)`.
    pub configurations: Array2<i8>,
    /// `ln |ψ(x)|²` there, length `n_chains`.
    pub log_weights: Vec<f64>,
    /// The random numbers of each chain, length `n_chains`.
    pub rngs: Vec<ChainRng>,
    /// Number of moves accepted by all chains together.
    pub n_accepted: u64,
    /// Number of moves proposed to all chains together.
    pub n_proposed: u64,
}

impl<B: Backend> Chains<B> {
    /// What the chains hold.
    ///
    /// # Errors
    /// [`Error::Core`] if the backend fails.
    pub fn snapshot(&self) -> Result<ChainsSnapshot> {
        Ok(ChainsSnapshot {
            configurations: B::to_host(&self.configurations)?,
            log_weights: self.log_weights.clone(),
            rngs: self.rngs.clone(),
            n_accepted: self.n_accepted,
            n_proposed: self.n_proposed,
        })
    }

    /// Goes back to a snapshot of chains on the same space. After an error the chains are as before.
    ///
    /// # Errors
    /// [`Error::Count`] for another number of chains; [`SampleWidth`](operator_core::Error::SampleWidth),
    /// [`NotALocalState`](operator_core::Error::NotALocalState) and
    /// [`OutsideConstraint`](operator_core::Error::OutsideConstraint) for configurations of another space;
    /// [`Error::Core`] if the backend fails.
    pub fn restore(&mut self, snapshot: &ChainsSnapshot, device: &B::Device) -> Result<()> {
        let n_chains = self.n_chains();
        expect_count("configurations", snapshot.configurations.nrows(), n_chains)?;
        expect_count("values of log_weights", snapshot.log_weights.len(), n_chains)?;
        expect_count("generators", snapshot.rngs.len(), n_chains)?;
        self.hilbert.check(snapshot.configurations.view())?;
        self.configurations = B::from_host(snapshot.configurations.view(), device)?;
        self.log_weights.clone_from(&snapshot.log_weights);
        self.rngs.clone_from(&snapshot.rngs);
        (self.n_accepted, self.n_proposed) = (snapshot.n_accepted, snapshot.n_proposed);
        Ok(())
    }
}

/// Configurations drawn from |ψ|².
#[derive(Clone, Debug)]
pub struct Samples<B: Backend> {
    /// Shape `(n_chains · n_per_chain, n_sites)`: all samples of chain 0 in their order, then those of
    /// chain 1, and so on.
    pub configurations: B::Configurations,
    /// Number of chains.
    pub n_chains: usize,
    /// Samples of each chain.
    pub n_per_chain: usize,
}

impl<B: Backend> Samples<B> {
    /// Number of samples of all chains together.
    pub fn len(&self) -> usize {
        B::batch_len(&self.configurations)
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples on the host, shape `(n_chains, n_per_chain, n_sites)`.
    ///
    /// # Errors
    /// [`Error::Core`] if the backend fails; [`Error::Count`] if the fields contradict each other.
    pub fn to_host(&self) -> Result<Array3<i8>> {
        let rows: Array2<i8> = B::to_host(&self.configurations)?;
        let (n, n_sites) = rows.dim();
        let rows = rows.as_standard_layout().into_owned();
        rows.into_shape_with_order((self.n_chains, self.n_per_chain, n_sites)).map_err(|_| Error::Count {
            what: "samples",
            got: n,
            expected: self.n_chains.saturating_mul(self.n_per_chain),
        })
    }
}

/// A generator for each chain, from the seed and the chain's number alone.
pub(crate) fn generators(seed: u64, n_chains: usize) -> Vec<ChainRng> {
    /// 2⁶⁴ / golden ratio, odd: multiples of different numbers differ.
    const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
    let start = mix(seed.wrapping_add(STRIDE));
    let seed = |chain: usize| mix(start.wrapping_add((chain as u64).wrapping_mul(STRIDE)));
    (0..n_chains).map(|chain| ChainRng::seed_from_u64(seed(chain))).collect()
}

/// The finaliser of SplitMix64, a bijection.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// ln |ψ|² of `n` configurations; −∞ where ψ is zero.
pub(crate) fn log_weights<B: Backend, W: WaveFunction<B> + ?Sized>(
    wave_function: &W,
    x: &B::Configurations,
    n: usize,
) -> Result<Vec<f64>> {
    let log_psi = B::amplitudes_to_host(&wave_function.log_psi(x)?)?;
    expect_count("values of log psi", log_psi.len(), n)?;
    match log_psi.iter().position(|value| !is_amplitude(value)) {
        None => Ok(log_psi.iter().map(|value| 2.0 * value.re).collect()),
        Some(chain) => {
            let state = B::to_host(&B::rows(x, chain..chain + 1)?)?.iter().copied().collect();
            Err(Error::LogPsi { chain, value: log_psi[chain], state })
        }
    }
}

/// Whether this is the logarithm of a number; a zero has no phase.
pub(crate) fn is_amplitude(log_psi: &Complex64) -> bool {
    log_psi.re == f64::NEG_INFINITY || (log_psi.re.is_finite() && log_psi.im.is_finite())
}
