//! Variational states, expectation values, gradients and optimisation, on either backend.
//!
//! A state joins a wave function with a way of averaging over it: [`MonteCarloState`] samples, and
//! [`FullSumState`] sums over all states of a small space. Both are [`VariationalState`]s, which measure any
//! operator that their backend has a [`LocalKernel`] for. [`Vmc`] lowers an energy, by stochastic
//! reconfiguration ([`Sr`]) or gradient descent ([`Sgd`]).
//!
//! ```
//! # #[cfg(feature = "flat")] {
//! use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
//! use sampler::HamiltonianSampler;
//! use variational::{Flat, MonteCarloState, Rbm, Sr, VariationalState, Vmc, exact};
//!
//! let (spins, chain) = (Spin::half(6)?, Graph::chain(6, Boundary::Periodic)?);
//! let ising = Ising::new(spins.clone(), &chain, 1.0, -1.0)?.lower::<Flat>()?; // or Padded
//!
//! let sampler = HamiltonianSampler::new(&ising)?.with_seed(1);
//! let state = MonteCarloState::new(sampler, Rbm::<Flat>::new(spins, 1.0)?.with_seed(2), 500)?;
//! let mut vmc = Vmc::new(state, &ising, Sr::new(0.1, 0.01)?);
//! vmc.run(50, false)?;
//!
//! let energy = vmc.state_mut().expect(&ising)?;
//! assert!((energy.mean.re - exact::ground_state_energy(&ising)?).abs() < 0.1);
//! # }
//! # Ok::<(), variational::Error>(())
//! ```
//!
//! Where things are:
//! - [`Rbm`], [`Jastrow`], [`MeanField`], [`Mlp`], [`GroupCnn`], [`Arnn`]: wave functions that are
//!   [networks](wave_functions::network); [`Slater`], [`Times`]: fermions, and products of wave functions;
//! - [`Trainable`]: what has parameters, and how others are written; networks of candle's modules go into
//!   `padded`, with the feature of this name;
//! - [`MonteCarloState`], [`FullSumState`], [`Ensemble`]: averages; [`Stats`]: what they say;
//! - [`LocalKernel`]: local estimators of a backend's operators, the place for third parties' own;
//! - [`OperatorGradient`]: derivatives of an expectation value in the operator's own parameters;
//! - [`Response`], [`Optimiser`]: what a batch says of an energy, and what to do with it: [`Sr`], [`Adam`],
//!   [`Sgd`], with a [`Schedule`];
//! - [`Vmc`]: runs, with observables, callbacks, a [`RunLog`] and checkpoints ([`Snapshot`]);
//! - [`save_parameters`], [`load_parameters`]: parameters in files;
//! - [`exact`]: lowest states of small systems, to compare with; [`dynamics`]: their evolution in time.
//!
//! The features `flat` (on by default) and `padded` bring the backends, here as [`Flat`] and `Padded`.

pub mod dynamics;
pub mod exact;
pub mod wave_functions;

mod backend;
mod derivatives;
mod error;
mod estimate;
mod optimise;
mod run;
mod state;
mod statistics;
mod storage;

#[cfg(feature = "padded")]
pub use backend::padded;
#[cfg(feature = "flat")]
pub use backend_flat::Flat;
#[cfg(feature = "padded")]
pub use backend_padded::Padded;
pub use derivatives::{DerivativeBlock, LogDerivatives, ParameterArray, Response, Trainable};
pub use error::{Error, Result};
pub use estimate::{LocalKernel, OperatorGradKernel, OperatorGradient};
pub use optimise::{Adam, Optimiser, Schedule, Sgd, Sr, SrSolver};
pub use run::{
    Callback, Control, ConvergenceStopping, EarlyStopping, End, Event, History, RunLog, Step, Vmc,
};
pub use state::{Ensemble, FullSumState, MonteCarloState, VariationalState};
pub use statistics::{Diagnosis, OnlineStats, Problem, Stats};
pub use storage::{Snapshot, Storable, load_parameters, save_parameters};
pub use wave_functions::{
    Arnn, Cnn, GroupCnn, Jastrow, MeanField, Mlp, MlpModPhase, Network, Rbm, RbmModPhase, RbmSymm, Slater,
    Times,
};
