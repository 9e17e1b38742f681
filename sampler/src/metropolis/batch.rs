//! Chains that take each step together, as a batch.

use operator_core::{Backend, Error as CoreError, WaveFunction};
use rand::RngExt;

use super::MetropolisSampler;
use crate::chain::Chains;
use crate::check::expect_count;
use crate::error::{Error, Result};
use crate::rule::{Place, Rule};
use crate::weights::{is_correction, log_weights};
use operator_core::metropolis::acceptance;

impl<B: Backend, R: Rule<B>> MetropolisSampler<B, R> {
    pub(super) fn sweep_batch<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
    ) -> Result<()> {
        (0..self.sweep_size).try_for_each(|_| self.step(wave_function, chains))
    }

    fn step<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W, chains: &mut Chains<B>) -> Result<()> {
        let n = self.setup.n_chains;
        let place = Place { hilbert: &self.setup.hilbert, device: &chains.device };
        let proposal = self.rule.propose(place, &chains.configurations, &mut chains.rngs)?;
        expect_count("proposed configurations", B::batch_len(proposal.configurations()), n)?;
        expect_count("values of log_correction", proposal.log_correction().len(), n)?;
        let corrections = proposal.log_correction().iter().copied().enumerate();
        if let Some((chain, value)) = corrections.into_iter().find(|&(_, value)| !is_correction(value)) {
            return Err(Error::Correction { chain, value });
        }
        if !self.rule.is_checked() {
            self.check_proposed(proposal.configurations())?;
        }
        let proposed = log_weights::<B, W>(wave_function, proposal.configurations(), n)?;
        let present = chains.log_weights.iter().zip(&proposed).zip(proposal.log_correction());
        let accept: Vec<bool> = present
            .zip(&mut chains.rngs)
            .map(|(((&from, &to), &correction), rng)| {
                // Each chain draws in every step, so that its later draws do not depend on ψ.
                rng.random::<f64>() < acceptance(from, to, correction)
            })
            .collect();
        B::replace_rows(&mut chains.configurations, proposal.configurations(), &accept)?;
        for ((weight, proposed), _) in
            chains.log_weights.iter_mut().zip(proposed).zip(&accept).filter(|(_, accept)| **accept)
        {
            *weight = proposed;
        }
        chains.count_moves(accept.iter().filter(|&&accept| accept).count() as u64, n as u64);
        Ok(())
    }

    /// Checks that a rule of a third party proposed states of the space.
    fn check_proposed(&self, x: &B::Configurations) -> Result<()> {
        let hilbert = &self.setup.hilbert;
        hilbert.check(B::to_host(x)?.view()).map_err(|error| {
            let chain = match error {
                CoreError::NotALocalState { sample, .. } | CoreError::OutsideConstraint { sample, .. } => {
                    sample
                }
                _ => 0,
            };
            let (rule, hilbert) = (self.rule.describe(), hilbert.to_string());
            Error::Proposed { chain, rule, hilbert, reason: error.to_string() }
        })
    }
}
