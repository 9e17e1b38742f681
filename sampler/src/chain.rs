//! Markov chains, and their snapshots.

use ndarray::Array2;
use operator_core::{Backend, HilbertSpace, WaveFunction};

use crate::check::expect_count;
use crate::error::{Error, Result};
use crate::rng::ChainRng;
use crate::weights::log_weights;

/// Markov chains: where they are, their random numbers, and how often they moved.
///
/// [`MetropolisSampler::start`](crate::MetropolisSampler::start) makes them. A clone takes the same steps.
#[derive(Clone, Debug)]
pub struct Chains<B: Backend> {
    pub(crate) hilbert: HilbertSpace,
    pub(crate) device: B::Device,
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

    /// The device of the chains: the wave function's when they were started.
    pub fn device(&self) -> &B::Device {
        &self.device
    }

    /// Where the chains are, shape `(n_chains, n_sites)`.
    pub fn configurations(&self) -> &B::Configurations {
        &self.configurations
    }

    /// `ln |ψ(x)|²` where the chains are, length `n_chains`, at the last step or
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

    /// Counts moves of all chains. Numbers from a snapshot may be near the largest; they stay there.
    pub(crate) fn count_moves(&mut self, n_accepted: u64, n_proposed: u64) {
        self.n_accepted = self.n_accepted.saturating_add(n_accepted);
        self.n_proposed = self.n_proposed.saturating_add(n_proposed);
    }

    /// Sets the numbers of moves to 0.
    pub fn reset_acceptance(&mut self) {
        (self.n_accepted, self.n_proposed) = (0, 0);
    }

    /// Evaluates the wave function again where the chains are. Call it after its parameters changed.
    ///
    /// A chain at a state where ψ has become zero takes the first move to a state where it is not.
    ///
    /// # Errors
    /// [`Error::LogPsi`](crate::Error::LogPsi) for NaN; [`Error::Core`](crate::Error::Core) if the wave function fails.
    pub fn refresh<W: WaveFunction<B> + ?Sized>(&mut self, wave_function: &W) -> Result<()> {
        self.log_weights = log_weights(wave_function, &self.configurations, self.n_chains())?;
        Ok(())
    }
}

/// The contents of Markov chains, on the host. Chains that are restored from it take the same steps.
///
/// Code that writes checkpoints needs it, and samplers of third parties.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainsSnapshot {
    configurations: Array2<i8>,
    log_weights: Vec<f64>,
    rngs: Vec<ChainRng>,
    n_accepted: u64,
    n_proposed: u64,
}

impl ChainsSnapshot {
    /// A snapshot of chains that have not moved: their configurations, shape `(n_chains, n_sites)`, `ln |ψ(x)|²`
    /// there, length `n_chains`, and the random numbers of each chain, length `n_chains`.
    ///
    /// [`Chains::restore`] checks the lengths.
    pub fn new(configurations: Array2<i8>, log_weights: Vec<f64>, rngs: Vec<ChainRng>) -> Self {
        ChainsSnapshot { configurations, log_weights, rngs, n_accepted: 0, n_proposed: 0 }
    }

    /// Sets the number of accepted moves, 0 unless set.
    #[must_use]
    pub fn with_n_accepted(mut self, n_accepted: u64) -> Self {
        self.n_accepted = n_accepted;
        self
    }

    /// Sets the number of proposed moves, 0 unless set.
    #[must_use]
    pub fn with_n_proposed(mut self, n_proposed: u64) -> Self {
        self.n_proposed = n_proposed;
        self
    }

    /// Where the chains are, shape `(n_chains, n_sites)`.
    pub fn configurations(&self) -> &Array2<i8> {
        &self.configurations
    }

    /// `ln |ψ(x)|²` there, length `n_chains`.
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// The random numbers of each chain, length `n_chains`.
    pub fn rngs(&self) -> &[ChainRng] {
        &self.rngs
    }

    /// Number of moves accepted by all chains together.
    pub fn n_accepted(&self) -> u64 {
        self.n_accepted
    }

    /// Number of moves proposed to all chains together.
    pub fn n_proposed(&self) -> u64 {
        self.n_proposed
    }
}

impl<B: Backend> Chains<B> {
    /// The contents of the chains.
    ///
    /// # Errors
    /// [`Error::Core`](crate::Error::Core) if the backend fails.
    pub fn snapshot(&self) -> Result<ChainsSnapshot> {
        Ok(ChainsSnapshot {
            configurations: B::to_host(&self.configurations)?,
            log_weights: self.log_weights.clone(),
            rngs: self.rngs.clone(),
            n_accepted: self.n_accepted,
            n_proposed: self.n_proposed,
        })
    }

    /// Restores a snapshot of chains on the same space. After an error the chains are unchanged.
    ///
    /// # Errors
    /// [`Error::Count`] for another number of chains; [`Error::Moves`] for more moves accepted than proposed;
    /// [`SampleWidth`](operator_core::Error::SampleWidth),
    /// [`NotALocalState`](operator_core::Error::NotALocalState) and
    /// [`OutsideConstraint`](operator_core::Error::OutsideConstraint) for configurations of another space;
    /// [`Error::Core`] if the backend fails.
    pub fn restore(&mut self, snapshot: &ChainsSnapshot) -> Result<()> {
        let n_chains = self.n_chains();
        expect_count("configurations", snapshot.configurations.nrows(), n_chains)?;
        expect_count("values of log_weights", snapshot.log_weights.len(), n_chains)?;
        expect_count("generators", snapshot.rngs.len(), n_chains)?;
        let (n_accepted, n_proposed) = (snapshot.n_accepted, snapshot.n_proposed);
        if n_accepted > n_proposed {
            return Err(Error::Moves { n_accepted, n_proposed });
        }
        if let Some(chain) = snapshot.log_weights.iter().position(|w| w.is_nan() || *w == f64::INFINITY) {
            let (value, state) =
                (snapshot.log_weights[chain] / 2.0, snapshot.configurations.row(chain).to_vec());
            return Err(Error::LogPsi { chain, value: value.into(), state });
        }
        self.hilbert.check(snapshot.configurations.view())?;
        self.configurations = B::from_host(snapshot.configurations.view(), &self.device)?;
        self.log_weights.clone_from(&snapshot.log_weights);
        self.rngs.clone_from(&snapshot.rngs);
        (self.n_accepted, self.n_proposed) = (snapshot.n_accepted, snapshot.n_proposed);
        Ok(())
    }
}
