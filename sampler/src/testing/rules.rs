//! All proposals of the rules of this crate.

use operator_core::{Backend, DiscreteOperator, HilbertSpace};

use super::{Enumerate, EnumerateHost, Move};
use crate::backend::HamiltonianBackend;
use crate::changes::apply;
use crate::error::{Error, Result};
use crate::rule::{ExchangeRule, HamiltonianRule, LocalRule, MixtureRule, Place};
use crate::rule::{exchange::exchanged, local::shifted};

impl EnumerateHost for LocalRule {
    fn host_moves(&self, hilbert: &HilbertSpace, x: &[i8]) -> Result<Vec<Move>> {
        let mut moves = Vec::new();
        for site in 0..x.len() {
            let others = hilbert.local_states(site)?.dim().saturating_sub(1);
            // The rule draws sites with one local state too; they stay.
            let shifts = if others > 0 { 1..=others } else { 0..=0 };
            let probability = 1.0 / (x.len() * others.max(1)) as f64;
            for shift in shifts {
                let mut state = x.to_vec();
                apply(shifted(hilbert, site, shift, x)?, &mut state);
                moves.push(Move { state, probability, log_correction: 0.0 });
            }
        }
        Ok(moves)
    }
}

impl EnumerateHost for ExchangeRule {
    fn host_moves(&self, _: &HilbertSpace, x: &[i8]) -> Result<Vec<Move>> {
        let probability = 1.0 / self.pairs().len() as f64;
        let exchanged = |&pair: &[usize; 2]| {
            let mut state = x.to_vec();
            apply(exchanged(x, pair), &mut state);
            Move { state, probability, log_correction: 0.0 }
        };
        Ok(self.pairs().iter().map(exchanged).collect())
    }
}

impl<P: EnumerateHost, Q: EnumerateHost> EnumerateHost for MixtureRule<P, Q> {
    fn host_moves(&self, hilbert: &HilbertSpace, x: &[i8]) -> Result<Vec<Move>> {
        let scaled = |moves: Vec<Move>, factor: f64| {
            moves.into_iter().map(move |step| Move { probability: step.probability * factor, ..step })
        };
        let first = scaled(self.first.host_moves(hilbert, x)?, self.probability);
        Ok(first.chain(scaled(self.second.host_moves(hilbert, x)?, 1.0 - self.probability)).collect())
    }
}

impl<O> Enumerate<O::Backend> for HamiltonianRule<O>
where
    O: DiscreteOperator,
    O::Backend: HamiltonianBackend<O>,
{
    fn moves(&self, place: Place<'_, O::Backend>, x: &[i8]) -> Result<Vec<Move>> {
        let x = ndarray::ArrayView1::from(x).insert_axis(ndarray::Axis(0));
        let x = O::Backend::from_host(x, place.device)?;
        let counts = self.counts(&x)?;
        let &[n] = counts.as_slice() else {
            return Err(Error::Count { what: "numbers of connected states", got: counts.len(), expected: 1 });
        };
        let mut moves = Vec::with_capacity(n);
        for number in 0..n {
            let proposal = self.select(&x, &counts, &[number])?;
            let state = O::Backend::to_host(proposal.configurations())?.iter().copied().collect();
            let log_correction = proposal.log_correction()[0];
            moves.push(Move { state, probability: 1.0 / n as f64, log_correction });
        }
        Ok(moves)
    }
}
