use operator_core::{Backend, DiscreteOperator, HilbertSpace};
use rand::RngExt;

use super::{Enumerate, Move, Place, Proposal, Proposer, Rule, apply, expect_count};
use crate::backend::{ConnectedMoves, Connections, HamiltonianBackend};
use crate::chain::ChainRng;
use crate::error::{Error, Result};

/// Proposes x' uniformly among the states x' ≠ x with `<x|O|x'>` ≠ 0.
///
/// The operator is Hermitian, so that x' is connected to x just when x is to x'; the numbers of connected
/// states enter as the correction `ln n(x) − ln n(x')`. What the operator conserves, the chain conserves.
#[derive(Clone, Debug)]
pub struct HamiltonianRule<O> {
    operator: O,
}

impl<O: DiscreteOperator> HamiltonianRule<O> {
    /// The rule of an operator.
    ///
    /// # Errors
    /// [`NotHermitian`](operator_core::Error::NotHermitian).
    pub fn new(operator: O) -> Result<Self> {
        if !operator.is_hermitian() {
            let operator = operator.describe();
            return Err(
                operator_core::Error::NotHermitian { operator, needed_by: "HamiltonianSampler" }.into()
            );
        }
        Ok(HamiltonianRule { operator })
    }

    /// The operator.
    pub fn operator(&self) -> &O {
        &self.operator
    }
}

impl<O> HamiltonianRule<O>
where
    O: DiscreteOperator,
    O::Backend: HamiltonianBackend<O>,
{
    /// The number of moves of each state, at least 1.
    fn counts(&self, x: &<O::Backend as Backend>::Configurations) -> Result<Vec<usize>> {
        let counts = O::Backend::n_off_diagonal(&self.operator, x)?;
        expect_count("numbers of connected states", counts.len(), O::Backend::batch_len(x))?;
        match counts.iter().position(|&n| n == 0) {
            None => Ok(counts),
            Some(chain) => {
                let rows = O::Backend::to_host(&O::Backend::rows(x, chain..chain + 1)?)?;
                let state = rows.iter().copied().collect();
                Err(Error::Isolated { chain, state, operator: self.operator.describe() })
            }
        }
    }

    /// The moves of these numbers, of states with these numbers of moves.
    fn select(
        &self,
        x: &<O::Backend as Backend>::Configurations,
        counts: &[usize],
        numbers: &[usize],
    ) -> Result<Proposal<O::Backend>> {
        let configurations = O::Backend::select_off_diagonal(&self.operator, x, numbers)?;
        let back = self.counts(&configurations)?;
        let log_correction =
            counts.iter().zip(back).map(|(&n, back)| (n as f64).ln() - (back as f64).ln()).collect();
        Ok(Proposal { configurations, log_correction })
    }
}

impl<O> Rule<O::Backend> for HamiltonianRule<O>
where
    O: DiscreteOperator,
    O::Backend: HamiltonianBackend<O>,
{
    fn propose(
        &self,
        _: Place<'_, O::Backend>,
        x: &<O::Backend as Backend>::Configurations,
        rngs: &mut [ChainRng],
    ) -> Result<Proposal<O::Backend>> {
        let counts = self.counts(x)?;
        expect_count("generators", rngs.len(), counts.len())?;
        let numbers: Vec<usize> =
            counts.iter().zip(rngs).map(|(&n, rng)| rng.random_range(0..n.max(1))).collect();
        self.select(x, &counts, &numbers)
    }

    fn proposer<'a>(&'a self, _: &'a HilbertSpace) -> Option<Box<dyn Proposer + 'a>> {
        let connections = O::Backend::connections(&self.operator)?;
        let (present, proposed) = (Listed::default(), Listed::default());
        Some(Box::new(HamiltonianProposer { operator: &self.operator, connections, present, proposed }))
    }

    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if the operator acts on another space.
    fn check(&self, hilbert: &HilbertSpace) -> Result<()> {
        crate::metropolis::same_space(self.operator.hilbert(), hilbert)
    }
}

/// A state and its moves.
#[derive(Default)]
struct Listed {
    state: Vec<i8>,
    moves: ConnectedMoves,
}

struct HamiltonianProposer<'a, O> {
    operator: &'a O,
    connections: Box<dyn Connections + 'a>,
    present: Listed,
    proposed: Listed,
}

impl<O: DiscreteOperator> HamiltonianProposer<'_, O> {
    /// Lists the moves of x, unless it is where the last proposal was made or led to.
    fn look(&mut self, chain: usize, x: &[i8]) -> Result<()> {
        if self.proposed.state == x {
            std::mem::swap(&mut self.present, &mut self.proposed);
        }
        if self.present.state != x {
            // What failed half way is no list of any state.
            self.present.state.clear();
            self.connections.list_off_diagonal(x, &mut self.present.moves)?;
            self.check_not_isolated(chain, x, &self.present)?;
            self.present.state.extend_from_slice(x);
        }
        Ok(())
    }

    fn check_not_isolated(&self, chain: usize, x: &[i8], listed: &Listed) -> Result<()> {
        match listed.moves.is_empty() {
            true => Err(Error::Isolated { chain, state: x.to_vec(), operator: self.operator.describe() }),
            false => Ok(()),
        }
    }
}

impl<O: DiscreteOperator> Proposer for HamiltonianProposer<'_, O> {
    /// x' is listed too, to be counted now and to be drawn from if the chain goes there: one visit of
    /// connected elements a proposal.
    fn propose(
        &mut self,
        chain: usize,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64> {
        self.look(chain, x)?;
        let n = self.present.moves.len();
        changes.extend_from_slice(self.present.moves.get(rng.random_range(0..n)).unwrap_or_default());
        let mut proposed = std::mem::take(&mut self.proposed);
        proposed.state.clear();
        proposed.state.extend_from_slice(x);
        apply(changes.iter().copied(), &mut proposed.state);
        self.connections.list_off_diagonal(&proposed.state, &mut proposed.moves)?;
        self.check_not_isolated(chain, &proposed.state, &proposed)?;
        self.proposed = proposed;
        let back = self.proposed.moves.len();
        // Often the same, and then no logarithm is needed.
        Ok(if back == n { 0.0 } else { (n as f64).ln() - (back as f64).ln() })
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
        let n = counts.first().copied().unwrap_or(0);
        let mut moves = Vec::with_capacity(n);
        for number in 0..n {
            let proposal = self.select(&x, &counts, &[number])?;
            let state = O::Backend::to_host(&proposal.configurations)?.iter().copied().collect();
            let log_correction = proposal.log_correction.first().copied().unwrap_or(0.0);
            moves.push(Move { state, probability: 1.0 / n as f64, log_correction });
        }
        Ok(moves)
    }
}
