//! The traits of this crate and of those below it, for one `use`.
//!
//! Methods of operators, wave functions, samplers and states are methods of traits, which must be in scope. Only
//! traits are here; types are named one by one.
//!
//! ```
//! use variational::prelude::*;
//! use variational::{Boundary, Flat, Graph, hilbert::Spin, models::Ising};
//!
//! let ising = Ising::new(Spin::half(3)?, &Graph::chain(3, Boundary::Open)?, 1.0, 1.0)?;
//! assert_eq!(ising.lower::<Flat>()?.max_conn_size(), 4); // of `Model`, of `DiscreteOperator`
//! # Ok::<(), variational::Error>(())
//! ```

pub use operator_core::{DiscreteOperator, Element, Model, Walker, WaveFunction};
pub use sampler::{Autoregressive, HamiltonianBackend, HostRule, Rule, Sampler};
pub use sum_operator::Combine;

pub use crate::backend::traits::*;
pub use crate::derivatives::Trainable;
pub use crate::estimate::{LocalKernel, OperatorGradKernel};
pub use crate::optimise::Optimiser;
pub use crate::run::Callback;
pub use crate::runs_vmc::RunsVmc;
pub use crate::state::VariationalState;
pub use crate::wave_functions::network::NetworkBackend;
