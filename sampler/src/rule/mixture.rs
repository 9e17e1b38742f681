use operator_core::HilbertSpace;
use rand::RngExt;

use super::{EnumerateHost, HostRule, Move};
use crate::chain::ChainRng;
use crate::error::{Error, Result};

/// Proposes by one of two rules, drawn anew for each chain and each step.
///
/// Each of the rules fulfils detailed balance by itself, so their mixture does.
#[derive(Clone, Debug, PartialEq)]
pub struct MixtureRule<P, Q> {
    first: P,
    second: Q,
    probability: f64,
}

impl<P, Q> MixtureRule<P, Q> {
    /// Takes `first` with this probability and `second` otherwise.
    ///
    /// # Errors
    /// [`Error::Probability`] unless it is between 0 and 1.
    pub fn new(first: P, second: Q, probability: f64) -> Result<Self> {
        match (0.0..=1.0).contains(&probability) {
            true => Ok(MixtureRule { first, second, probability }),
            false => Err(Error::Probability { value: probability }),
        }
    }
}

impl<P: HostRule, Q: HostRule> HostRule for MixtureRule<P, Q> {
    fn propose_row(&self, hilbert: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> f64 {
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
    ) -> f64 {
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
}

impl<P: EnumerateHost, Q: EnumerateHost> EnumerateHost for MixtureRule<P, Q> {
    fn host_moves(&self, hilbert: &HilbertSpace, x: &[i8]) -> Vec<Move> {
        let scaled = |moves: Vec<Move>, factor: f64| {
            moves.into_iter().map(move |step| Move { probability: step.probability * factor, ..step })
        };
        let first = scaled(self.first.host_moves(hilbert, x), self.probability);
        first.chain(scaled(self.second.host_moves(hilbert, x), 1.0 - self.probability)).collect()
    }
}
