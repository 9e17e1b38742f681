//! What several tests use.
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod chi_square;
pub(crate) mod drift;
pub(crate) mod operators;

use num_complex::Complex64;
use operator_core::testing::Table;
use operator_core::{Backend, HilbertSpace, Lower};
use sampler::testing::{Enumerate, Move};
use sampler::{ChainRng, HamiltonianBackend, Place, Proposal, Proposer, Rule};

/// Transition matrices and samples are those of |ψ|² however ψ is evaluated.
pub(crate) fn both_ways<B: Backend>(psi: Table<B>) -> [Table<B>; 2] {
    [psi.clone(), psi.with_walker()]
}

pub(crate) type TestResult = operator_core::testing::TestResult;

/// The operator of a backend with real elements.
pub(crate) type Real<B> = <B as Lower<f64>>::Operator;

/// The operator of a backend with complex elements.
pub(crate) type Complex<B> = <B as Lower<Complex64>>::Operator;

/// A backend that does everything.
pub(crate) trait Complete:
    Lower<f64>
    + Lower<Complex64>
    + HamiltonianBackend<<Self as Lower<f64>>::Operator>
    + HamiltonianBackend<<Self as Lower<Complex64>>::Operator>
{
}

#[cfg(feature = "flat")]
impl Complete for backend_flat::Flat {}

#[cfg(feature = "padded")]
impl Complete for backend_padded::Padded {}

/// Runs generic tests on each backend that is compiled in.
#[macro_export]
macro_rules! on_backends {
    ($($tests:tt)*) => {
        operator_core::on_backends! {
            [#[cfg(feature = "flat")] flat: backend_flat::Flat, #[cfg(feature = "padded")] padded: backend_padded::Padded]
            $($tests)*
        }
    };
}

/// A rule without its correction, which samples something else where proposals are not symmetric.
#[derive(Clone, Debug)]
pub(crate) struct Uncorrected<R>(pub(crate) R);

impl<B: Backend, R: Rule<B>> Rule<B> for Uncorrected<R> {
    fn propose(
        &self,
        place: Place<'_, B>,
        x: &B::Configurations,
        rngs: &mut [ChainRng],
    ) -> sampler::Result<Proposal<B>> {
        let proposal = self.0.propose(place, x, rngs)?;
        Ok(Proposal::new(proposal.into_configurations(), vec![0.0; rngs.len()]))
    }

    fn proposer<'a>(&'a self, hilbert: &'a HilbertSpace) -> Option<Box<dyn Proposer + 'a>> {
        Some(Box::new(UncorrectedProposer(self.0.proposer(hilbert)?)))
    }

    fn check(&self, hilbert: &HilbertSpace) -> sampler::Result<()> {
        self.0.check(hilbert)
    }
}

struct UncorrectedProposer<'a>(Box<dyn Proposer + 'a>);

impl Proposer for UncorrectedProposer<'_> {
    fn propose(
        &mut self,
        chain: usize,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> sampler::Result<f64> {
        self.0.propose(chain, x, rng, changes).map(|_| 0.0)
    }
}

impl<B: Backend, R: Enumerate<B>> Enumerate<B> for Uncorrected<R> {
    fn moves(&self, place: Place<'_, B>, x: &[i8]) -> sampler::Result<Vec<Move>> {
        let moves = self.0.moves(place, x)?.into_iter();
        Ok(moves.map(|step| Move { log_correction: 0.0, ..step }).collect())
    }
}
