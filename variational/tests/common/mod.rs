//! What several tests use.
#![allow(dead_code, reason = "each test uses a part")]

use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{Boundary, Definition, Graph, Heisenberg, Ising, Lower, Model};
use sampler::HamiltonianBackend;
use variational::wave_functions::rbm::RbmBackend;
use variational::{LocalKernel, Rbm};

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// A backend that does everything.
pub(crate) trait Complete:
    Lower<f64>
    + RbmBackend
    + LocalKernel<<Self as Lower<f64>>::Operator>
    + HamiltonianBackend<<Self as Lower<f64>>::Operator>
{
}

impl<B> Complete for B where
    B: Lower<f64>
        + RbmBackend
        + LocalKernel<<B as Lower<f64>>::Operator>
        + HamiltonianBackend<<B as Lower<f64>>::Operator>
{
}

/// Runs a generic test on each backend that is compiled in.
#[macro_export]
macro_rules! on_backends {
    ($($(#[$meta:meta])* $test:ident),* $(,)?) => {
        $(mod $test {
            #[cfg(feature = "flat")]
            #[test]
            $(#[$meta])*
            fn flat() -> $crate::common::TestResult {
                super::$test::<variational::Flat>()
            }
            #[cfg(feature = "padded")]
            #[test]
            $(#[$meta])*
            fn padded() -> $crate::common::TestResult {
                super::$test::<variational::Padded>()
            }
        })*
    };
}

pub(crate) fn ising(n_sites: usize) -> operator_core::Result<Definition> {
    let chain = Graph::chain(n_sites, Boundary::Periodic)?;
    Ising::new(Spin::half(n_sites)?, &chain, 1.0, -1.0)?.definition()
}

pub(crate) fn heisenberg(n_sites: usize) -> operator_core::Result<Definition> {
    let chain = Graph::chain(n_sites, Boundary::Periodic)?;
    Heisenberg::new(Spin::half(n_sites)?.with_total_sz(0.0)?, &chain, 1.0)?.definition()
}

pub(crate) fn rbm<B: RbmBackend>(hilbert: &HilbertSpace, sigma: f64) -> operator_core::Result<Rbm<B>> {
    Rbm::new(hilbert.clone(), 1.5, 7, sigma)
}
