//! The trait of samplers.

use operator_core::{Backend, HilbertSpace, WaveFunction};

use crate::chain::{Chains, ChainsSnapshot};
use crate::error::Result;
use crate::metropolis::MetropolisSampler;
use crate::rule::{Rule, Sector};
use crate::samples::Samples;

/// Draws configurations from |ψ|² of wave functions of type `W`.
///
/// A sampler holds only settings. What changes from call to call is in its [`Chains`](Self::Chains).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not sample wave functions of type `{W}` on backend `{B}`",
    note = "a `MetropolisSampler` samples every wave function, a `DirectSampler` those that are `Autoregressive<{B}>`"
)]
pub trait Sampler<B: Backend, W: WaveFunction<B> + ?Sized>: Send + Sync {
    /// Where the chains are, and their random numbers.
    type Chains: Clone + Send;

    /// The space that is sampled.
    fn hilbert(&self) -> &HilbertSpace;

    /// Number of chains.
    fn n_chains(&self) -> usize;

    /// Starts chains on the wave function's device. The same sampler starts the same chains.
    ///
    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if the wave function is defined on another
    /// space; others as the sampler says.
    fn start(&self, wave_function: &W) -> Result<Self::Chains>;

    /// Draws `n_per_chain` samples of each chain, after it discards `n_discard`. They are on the chains' device.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) if `n_per_chain` is 0; others as the sampler says.
    fn sample(
        &self,
        wave_function: &W,
        chains: &mut Self::Chains,
        n_per_chain: usize,
        n_discard: usize,
    ) -> Result<Samples<B>>;

    /// Numbers of accepted and of proposed moves of all chains together, since they were started; `None` for samplers
    /// that never reject.
    fn moves(&self, _chains: &Self::Chains) -> Option<(u64, u64)> {
        None
    }

    /// Fraction of accepted moves, NaN before the first one; `None` for samplers that never reject.
    fn acceptance(&self, chains: &Self::Chains) -> Option<f64> {
        self.moves(chains).map(|(n_accepted, n_proposed)| n_accepted as f64 / n_proposed as f64)
    }

    /// What chains keep although the space does not fix it, if that is known.
    ///
    /// # Errors
    /// As the sampler says.
    fn sector(&self) -> Result<Option<Sector>> {
        Ok(None)
    }

    /// Puts chains at new random states, where samplers have a state to leave. Random numbers go on.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    fn reset(&self, _wave_function: &W, _chains: &mut Self::Chains) -> Result<()> {
        Ok(())
    }

    /// The contents of chains, from which another run of the program can continue.
    ///
    /// # Errors
    /// [`Error::Core`](crate::Error::Core) if the backend fails.
    fn snapshot(&self, chains: &Self::Chains) -> Result<ChainsSnapshot>;

    /// Restores chains. After an error they are unchanged.
    ///
    /// # Errors
    /// [`Error::Count`](crate::Error::Count) for another number of chains; others as the sampler says.
    fn restore(&self, chains: &mut Self::Chains, snapshot: &ChainsSnapshot) -> Result<()>;
}

impl<B: Backend, R: Rule<B>, W: WaveFunction<B> + ?Sized> Sampler<B, W> for MetropolisSampler<B, R> {
    type Chains = Chains<B>;

    fn hilbert(&self) -> &HilbertSpace {
        self.hilbert()
    }

    fn n_chains(&self) -> usize {
        self.n_chains()
    }

    fn start(&self, wave_function: &W) -> Result<Chains<B>> {
        self.start(wave_function)
    }

    fn sample(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
        n_per_chain: usize,
        n_discard: usize,
    ) -> Result<Samples<B>> {
        self.sample(wave_function, chains, n_per_chain, n_discard)
    }

    fn moves(&self, chains: &Chains<B>) -> Option<(u64, u64)> {
        Some((chains.n_accepted(), chains.n_proposed()))
    }

    fn sector(&self) -> Result<Option<Sector>> {
        self.sector()
    }

    fn reset(&self, wave_function: &W, chains: &mut Chains<B>) -> Result<()> {
        self.reset(wave_function, chains)
    }

    fn snapshot(&self, chains: &Chains<B>) -> Result<ChainsSnapshot> {
        chains.snapshot()
    }

    fn restore(&self, chains: &mut Chains<B>, snapshot: &ChainsSnapshot) -> Result<()> {
        chains.restore(snapshot)
    }
}
