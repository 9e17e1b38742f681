//! Chains that stay on their device, all as one batch.

use operator_core::{Backend, Error as CoreError, WaveFunction};
use rand::Rng;

use super::MetropolisSampler;
use crate::backend::{DeviceChains, has_chains_of_its_own};
use crate::chain::Chains;
use crate::error::{Error, Result};
use crate::rng::ChainRng;
use crate::rule::Rule;
use crate::weights::log_weights;

impl<B: Backend, R: Rule<B>> MetropolisSampler<B, R> {
    /// The same chains on their device, if it and the rule can.
    pub(super) fn on_device<'a>(
        &'a self,
        chains: &Chains<B>,
    ) -> Result<Option<Box<dyn DeviceChains<B> + 'a>>> {
        if self.like_a_device || has_chains_of_its_own::<B>(&chains.device) {
            self.rule.device_chains(&self.setup.hilbert, &chains.configurations)
        } else {
            Ok(None)
        }
    }

    /// Takes all chains through `n_discard` sweeps and `n_per_chain` more, and returns where they were after each of the
    /// latter. After an error the chains are unchanged.
    ///
    /// What the chains know comes to the host at the end, in one copy.
    pub(super) fn sweep_on_device<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
        on_device: &mut dyn DeviceChains<B>,
        n_discard: usize,
        n_per_chain: usize,
    ) -> Result<Vec<B::Configurations>> {
        let log_psi = |x: &B::Configurations| wave_function.log_psi(x);
        let (mut rngs, mut times) = (chains.rngs.clone(), Vec::with_capacity(n_per_chain));
        let n_sweeps = n_discard + n_per_chain;
        on_device.weigh(&log_psi)?;
        for sweep in 0..n_sweeps {
            on_device.sweep(&keys(&mut rngs), self.sweep_size, &log_psi)?;
            if sweep >= n_discard {
                times.push(on_device.configurations().clone());
            }
        }
        let read = on_device.read()?;
        if let Some(step) = read.failed_step {
            return Err(self.failure(wave_function, chains, step));
        }
        chains.configurations = on_device.configurations().clone();
        (chains.log_weights, chains.rngs) = (read.log_weights, rngs);
        let n_proposed = (n_sweeps as u64).saturating_mul(self.sweep_size as u64);
        chains.count_moves(read.n_accepted, n_proposed.saturating_mul(chains.n_chains() as u64));
        Ok(times)
    }

    /// Why a step failed, which the device does not tell.
    fn failure<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &Chains<B>,
        step: usize,
    ) -> Error {
        match self.fail_again(wave_function, chains, step) {
            Err(error) => error,
            Ok(()) => {
                let message =
                    format!("step {step} of the chains failed, and did not when it was taken again");
                CoreError::backend(B::NAME, message).into()
            }
        }
    }

    /// Takes the same steps again, and checks on the host what the failed one was given.
    fn fail_again<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &Chains<B>,
        step: usize,
    ) -> Result<()> {
        let n_chains = chains.n_chains();
        let Some(before) = step.checked_sub(1) else {
            return log_weights::<B, W>(wave_function, &chains.configurations, n_chains).map(|_| ());
        };
        let Some(mut on_device) = self.on_device(chains)? else { return Ok(()) };
        let log_psi = |x: &B::Configurations| wave_function.log_psi(x);
        let mut rngs = chains.rngs.clone();
        on_device.weigh(&log_psi)?;
        for _ in 0..before / self.sweep_size {
            on_device.sweep(&keys(&mut rngs), self.sweep_size, &log_psi)?;
        }
        let (keys, left) = (keys(&mut rngs), before % self.sweep_size);
        on_device.sweep(&keys, left, &log_psi)?;
        let proposed = on_device.propose(&keys, left)?;
        self.rule.expect_moves(on_device.configurations())?;
        self.rule.expect_moves(&proposed)?;
        log_weights::<B, W>(wave_function, &proposed, n_chains).map(|_| ())
    }
}

/// The key of each chain for a sweep.
fn keys(rngs: &mut [ChainRng]) -> Vec<u64> {
    rngs.iter_mut().map(Rng::next_u64).collect()
}
