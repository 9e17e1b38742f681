//! Mixtures of two rules.

use operator_core::HilbertSpace;
use rand::RngExt;

use super::{Conserved, HostRule, SiteMoves};
use crate::error::{Error, Result};
use crate::rng::ChainRng;

/// Proposes by one of two rules, which is drawn for each chain and each step.
///
/// If both rules fulfil detailed balance, so does their mixture.
#[derive(Clone, Debug, PartialEq)]
pub struct MixtureRule<P, Q> {
    pub(crate) first: P,
    pub(crate) second: Q,
    pub(crate) probability: f64,
}

impl<P, Q> MixtureRule<P, Q> {
    /// Takes `first` with this probability and `second` otherwise.
    ///
    /// # Errors
    /// [`Error::Probability`] unless it is between 0 and 1.
    pub fn new(first: P, second: Q, probability: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&probability) {
            Ok(MixtureRule { first, second, probability })
        } else {
            Err(Error::Probability { value: probability })
        }
    }
}

impl<P: HostRule, Q: HostRule> HostRule for MixtureRule<P, Q> {
    fn propose_row(&self, hilbert: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> Result<f64> {
        if rng.random::<f64>() < self.probability {
            self.first.propose_row(hilbert, x, rng)
        } else {
            self.second.propose_row(hilbert, x, rng)
        }
    }

    fn propose_changes(
        &self,
        hilbert: &HilbertSpace,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64> {
        if rng.random::<f64>() < self.probability {
            self.first.propose_changes(hilbert, x, rng, changes)
        } else {
            self.second.propose_changes(hilbert, x, rng, changes)
        }
    }

    fn check_space(&self, hilbert: &HilbertSpace) -> Result<()> {
        self.first.check_space(hilbert)?;
        self.second.check_space(hilbert)
    }

    /// Both rules together keep what both keep. Their parts may overlap.
    fn conserves_of(&self, hilbert: &HilbertSpace) -> Vec<Conserved> {
        let (first, second) = (self.first.conserves_of(hilbert), self.second.conserves_of(hilbert));
        first.into_iter().zip(second).map(|(a, b)| a.min(b).min(Conserved::Counts)).collect()
    }

    fn stays(&self) -> bool {
        self.first.stays() && self.second.stays()
    }

    fn site_moves(&self) -> Option<SiteMoves> {
        let (first, second) = (self.first.site_moves()?, self.second.site_moves()?);
        Some(SiteMoves::mixture(first, second, self.probability))
    }
}
