//! Moves that are matrix elements of an operator.

use ndarray::{ArrayView1, Axis};
use operator_core::hilbert::Block;
use operator_core::metropolis::log_correction;
use operator_core::{Backend, DiscreteOperator, HilbertSpace};
use rand::{RngExt, SeedableRng};

use super::{Conserved, Place, Proposal, Proposer, Rule};
use crate::backend::{Connections, DeviceChains, HamiltonianBackend};
use crate::changes::{apply, check_sites};
use crate::check::expect_count;
use crate::error::{Error, Result};
use crate::rng::ChainRng;

/// States whose elements show what an operator keeps.
const PROBES: usize = 256;

/// Memory for their elements at a time.
const PROBE_BYTES: usize = 1 << 26;

/// Proposes x' uniformly among the states x' ≠ x with `<x|O|x'>` ≠ 0.
///
/// The operator is Hermitian, so x' is connected to x if and only if x is connected to x'. The numbers of connected
/// states enter as the correction `ln n(x) − ln n(x')`. The chain conserves what the operator conserves.
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
    pub(crate) fn counts(&self, x: &<O::Backend as Backend>::Configurations) -> Result<Vec<usize>> {
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

    /// The moves with these numbers, of states with these counts of moves.
    pub(crate) fn select(
        &self,
        x: &<O::Backend as Backend>::Configurations,
        counts: &[usize],
        numbers: &[usize],
    ) -> Result<Proposal<O::Backend>> {
        let configurations = O::Backend::select_off_diagonal(&self.operator, x, numbers)?;
        let back = self.counts(&configurations)?;
        let log_correction = counts.iter().zip(back).map(|(&n, back)| log_correction(n, back)).collect();
        Ok(Proposal::new(configurations, log_correction))
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
        let numbers: Vec<usize> = counts.iter().zip(rngs).map(|(&n, rng)| rng.random_range(0..n)).collect();
        self.select(x, &counts, &numbers)
    }

    fn describe(&self) -> String {
        format!("HamiltonianRule of {}", self.operator.describe())
    }

    fn isolated(
        &self,
        _: Place<'_, O::Backend>,
        x: &<O::Backend as Backend>::Configurations,
    ) -> Result<Vec<usize>> {
        let counts = O::Backend::n_off_diagonal(&self.operator, x)?;
        Ok((0..counts.len()).filter(|&row| counts[row] == 0).collect())
    }

    /// From the elements of all states of a small space, or of random ones. They show a term that changes a sum unless it
    /// asks more than about six sites for their states.
    fn conserves(&self, hilbert: &HilbertSpace) -> Result<Vec<Conserved>> {
        let bytes_of_one = self.operator.max_conn_size().saturating_mul(hilbert.n_sites()).max(1);
        let at_a_time = PROBE_BYTES / bytes_of_one;
        if at_a_time == 0 {
            return Ok(Vec::new());
        }
        let x = match hilbert.n_states() {
            Ok(n_states) if n_states <= PROBES => hilbert.all_states()?,
            _ => hilbert.random_states(PROBES, &mut ChainRng::seed_from_u64(0))?,
        };
        let blocks = hilbert.blocks();
        let sum = |x: ArrayView1<'_, i8>, block: &Block| -> usize {
            block.sites().filter_map(|site| block.local().index(x[site])).sum()
        };
        let mut kept = vec![Conserved::Sum; blocks.len()];
        for x in x.axis_chunks_iter(Axis(0), at_a_time) {
            let conn = self.operator.get_conn_flattened(x)?;
            for (x, (states, _)) in x.rows().into_iter().zip(conn.samples()) {
                for (block, kept) in blocks.iter().zip(&mut kept) {
                    let here = sum(x, block);
                    for there in states.rows().into_iter().map(|to| sum(to, block)).filter(|&sum| sum != here)
                    {
                        let parity = if here.abs_diff(there) % 2 == 0 {
                            Conserved::Parity
                        } else {
                            Conserved::Nothing
                        };
                        *kept = parity.min(*kept);
                    }
                }
            }
            if kept.iter().all(|&kept| kept == Conserved::Nothing) {
                break;
            }
        }
        Ok(kept)
    }

    /// Each x' has its own x' counted, which checks it.
    fn is_checked(&self) -> bool {
        true
    }

    fn proposer<'a>(&'a self, _: &'a HilbertSpace) -> Option<Box<dyn Proposer + 'a>> {
        let connections = O::Backend::connections(&self.operator)?;
        Some(Box::new(HamiltonianProposer { operator: &self.operator, connections }))
    }

    fn device_chains<'a>(
        &'a self,
        _: &HilbertSpace,
        x: &<O::Backend as Backend>::Configurations,
    ) -> Result<Option<Box<dyn DeviceChains<O::Backend> + 'a>>> {
        Ok(O::Backend::device_chains(&self.operator, x)?)
    }

    fn expect_moves(&self, x: &<O::Backend as Backend>::Configurations) -> Result<()> {
        self.counts(x).map(|_| ())
    }

    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if the operator acts on another space.
    fn check(&self, hilbert: &HilbertSpace) -> Result<()> {
        Ok(self.operator.hilbert().expect_same(hilbert)?)
    }

    /// # Errors
    /// [`DeviceMismatch`](operator_core::Error::DeviceMismatch) if the operator is on another device.
    fn check_device(&self, device: &<O::Backend as Backend>::Device) -> Result<()> {
        let own = self.operator.device();
        Ok(O::Backend::expect_same_device(["operator", "wave function"], &own, device)?)
    }
}

struct HamiltonianProposer<'a, O> {
    operator: &'a O,
    connections: Box<dyn Connections + 'a>,
}

impl<O: DiscreteOperator> Proposer for HamiltonianProposer<'_, O> {
    fn propose(
        &mut self,
        chain: usize,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64> {
        let isolated = |state: Vec<i8>| Error::Isolated { chain, state, operator: self.operator.describe() };
        let n = self.connections.go_to(x)?;
        if n == 0 {
            return Err(isolated(x.to_vec()));
        }
        self.connections.select(x, rng.random_range(0..n), changes)?;
        check_sites(chain, changes, x.len())?;
        match self.connections.propose(changes)? {
            0 => {
                let mut to = x.to_vec();
                apply(changes.iter().copied(), &mut to);
                Err(isolated(to))
            }
            back => Ok(log_correction(n, back)),
        }
    }
}
