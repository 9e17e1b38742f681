//! Markov chains: where they are, and how that is written down and put back.

use ndarray::Array2;
use operator_core::{Backend, HilbertSpace, WaveFunction};

use crate::check::expect_count;
use crate::error::Result;
use crate::rng::ChainRng;
use crate::weights::log_weights;

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
///
/// For those who write checkpoints, as `variational` does, and for samplers of third parties.
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
