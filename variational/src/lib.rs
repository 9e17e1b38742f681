//! Variational states, expectation values, gradients and optimisation, on either backend.
//!
//! A state is a wave function together with a way to average over it: [`MonteCarloState`] samples,
//! [`FullSumState`] sums over all states of a small space. Both are [`VariationalState`]s and measure any operator
//! that their backend has a [`LocalKernel`] for. [`Vmc`] lowers an energy by stochastic reconfiguration ([`Sr`]) or
//! gradient descent ([`Sgd`], [`Adam`]).
//!
//! This crate is the only dependency a program needs. The crates below it are here as [`operator_core`],
//! [`sampler`] and [`sum_operator`], and the names that every program uses stand at the top.
//!
//! ```
//! # #[cfg(feature = "flat")] {
//! use variational::prelude::*;
//! use variational::{Boundary, Flat, Graph, HamiltonianSampler, MonteCarloState, Rbm, Sr, Vmc, exact};
//! use variational::{hilbert::Spin, models::Ising};
//!
//! let (spins, chain) = (Spin::half(6)?, Graph::chain(6, Boundary::Periodic)?);
//! let ising = Ising::new(spins.clone(), &chain, 1.0, -1.0)?.lower::<Flat>()?; // or Padded
//!
//! let sampler = HamiltonianSampler::new(&ising)?.with_seed(1);
//! let state = MonteCarloState::new(sampler, Rbm::<Flat>::new(spins, 1.0)?.with_seed(2), 500)?;
//! let mut vmc = Vmc::new(state, &ising, Sr::new(0.1, 0.01)?);
//! vmc.run(50)?;
//!
//! let energy = vmc.state_mut().expect(&ising)?;
//! assert!((energy.mean.re - exact::ground_state_energy(&ising)?).abs() < 0.1);
//! # }
//! # Ok::<(), variational::Error>(())
//! ```
//!
//! What is where:
//! - [`Rbm`], [`Jastrow`], [`MeanField`], [`Mlp`], [`GroupCnn`], [`Arnn`]: wave functions that are
//!   [networks](wave_functions::network); [`Slater`]: fermions; [`Times`]: products of wave functions;
//! - [`Trainable`]: the trait of wave functions with parameters, which yours implement too; the module `padded`
//!   (feature `padded`) takes networks built from candle's modules;
//! - [`MonteCarloState`], [`FullSumState`], [`Ensemble`]: averages; [`Stats`]: their values and errors;
//! - [`LocalKernel`]: a backend's local estimators, for its own operators and for yours;
//! - [`OperatorGradient`]: derivatives of an expectation value in the operator's own parameters;
//! - [`Response`]: what a batch says about an energy; [`Optimiser`]: turns it into a step. [`Sr`], [`Adam`] and
//!   [`Sgd`] are optimisers; their settings can follow a [`Schedule`];
//! - [`Vmc`]: runs, with observables, callbacks, a [`RunLog`] and checkpoints ([`Snapshot`]);
//! - [`save_parameters`], [`load_parameters`]: parameters in files;
//! - [`exact`]: lowest states of small systems, for comparison; [`dynamics`]: their evolution in time;
//! - [`RunsVmc`]: the one bound for code that is generic over backends; [`prelude`]: all traits in one `use`.
//!
//! # Features
//! `flat` (on by default) and `padded` bring the backends, here as [`Flat`] and `Padded`. `serde` makes
//! optimisers' settings and [`Stats`] serialisable. `cuda` and `metal` are candle's.

pub mod dynamics;
pub mod exact;
pub mod prelude;
pub mod wave_functions;

mod backend;
mod derivatives;
mod error;
mod estimate;
mod optimise;
mod run;
mod runs_vmc;
mod state;
mod statistics;
mod storage;

#[cfg(feature = "padded")]
pub use backend::padded;
pub use operator_core::{Boundary, Definition, Expression, Graph, HilbertSpace, expression, hilbert, models};
pub use sampler::{DirectSampler, ExchangeSampler, HamiltonianSampler, LocalSampler};

#[cfg(feature = "flat")]
pub use backend_flat::{self, Flat};
#[cfg(feature = "padded")]
pub use backend_padded::{self, Padded};
pub use {operator_core, sampler, sum_operator};

// Third-party crates whose types stand in signatures.
#[cfg(feature = "padded")]
pub use {candle_core, candle_nn};
pub use {ndarray, num_complex};

pub use derivatives::{DerivativeBlock, LogDerivatives, ParameterArray, Response, Trainable};
pub use error::{Error, Result};
pub use estimate::{LocalKernel, OperatorGradKernel, OperatorGradient};
pub use optimise::{Adam, Optimiser, Schedule, Sgd, Sr, SrSolver};
pub use run::{
    Callback, Control, ConvergenceStopping, EarlyStopping, End, Event, History, OnBreakdown, RunLog, Step,
    Vmc,
};
pub use runs_vmc::RunsVmc;
pub use state::{Ensemble, FullSumState, MonteCarloState, VariationalState};
pub use statistics::{Diagnosis, OnlineStats, Problem, Stats};
pub use storage::{Snapshot, Storable, load_parameters, save_parameters};
pub use wave_functions::{
    Arnn, Cnn, GroupCnn, Jastrow, MeanField, Mlp, MlpModPhase, Network, Rbm, RbmModPhase, RbmSymm, Slater,
    Times,
};

/// The README's examples run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
