//! One bound for code that runs on any backend.

use operator_core::{Element, Lower};
use sampler::HamiltonianBackend;
use sum_operator::Combine;

use crate::estimate::{LocalKernel, OperatorGradKernel};
use crate::wave_functions::network::NetworkBackend;

/// A backend with everything that variational Monte Carlo needs, for operators with elements of type `T`: it lowers
/// them, evaluates networks, samples, measures, differentiates in parameters, and combines operators.
///
/// Generic code names this bound and nothing else. Every backend that has the single traits has it too, so it is
/// never implemented by hand. Code that uses real and complex operators asks for
/// `RunsVmc<f64> + RunsVmc<Complex64>`.
///
/// ```
/// use variational::prelude::*;
/// use variational::{Boundary, Graph, HamiltonianSampler, MonteCarloState, Rbm, RunsVmc, Sr, Vmc};
/// use variational::{hilbert::Spin, models::Ising};
///
/// /// The energy of a short chain after a few steps, on any backend.
/// fn energy<B: RunsVmc>() -> variational::Result<f64> {
///     let (spins, chain) = (Spin::half(4)?, Graph::chain(4, Boundary::Periodic)?);
///     let ising = Ising::new(spins.clone(), &chain, 1.0, -1.0)?.lower::<B>()?;
///     let rbm = Rbm::<B>::new(spins, 1.0)?.with_seed(2);
///     let state = MonteCarloState::new(HamiltonianSampler::new(&ising)?, rbm, 200)?;
///     let mut vmc = Vmc::new(state, &ising, Sr::new(0.1, 0.01)?);
///     vmc.run(20)?;
///     Ok(vmc.state_mut().expect(&ising)?.mean.re)
/// }
///
/// assert!(energy::<variational::Flat>()? < -4.0); // or Padded
/// # Ok::<(), variational::Error>(())
/// ```
pub trait RunsVmc<T: Element = f64>:
    Lower<T>
    + NetworkBackend
    + LocalKernel<<Self as Lower<T>>::Operator>
    + OperatorGradKernel<<Self as Lower<T>>::Operator>
    + HamiltonianBackend<<Self as Lower<T>>::Operator>
    + Combine<<Self as Lower<T>>::Operator>
{
}

impl<T: Element, B> RunsVmc<T> for B where
    B: Lower<T>
        + NetworkBackend
        + LocalKernel<<B as Lower<T>>::Operator>
        + OperatorGradKernel<<B as Lower<T>>::Operator>
        + HamiltonianBackend<<B as Lower<T>>::Operator>
        + Combine<<B as Lower<T>>::Operator>
{
}
