//! Quantum lattice operators, defined once for every backend.
//!
//! An operator is a sum of terms on a Hilbert space, written by a [`Model`] such as [`Ising`] or [`Heisenberg`],
//! or by hand. Backends lower its [`Definition`]: `backend-flat` to kernels of dynamic shape on ndarray,
//! `backend-padded` to kernels of static shape on candle tensors. Everything downstream picks its
//! implementation from the operator's backend marker. To switch backends, change one word: `Flat` or `Padded`
//! in `ising.lower::<Flat>()`.
//!
//! A definition needs no backend to answer questions about the operator or to take part in algebra:
//!
//! ```
//! use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
//!
//! let chain = Graph::chain(10, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(10)?, &chain, 1.0, -1.0)?.definition()?;
//! assert_eq!(ising.to_string(), "Ising(h = 1, J = -1) on Spin(1/2, 10 sites)");
//! assert!(ising.is_real() && ising.is_hermitian());
//! assert_eq!(ising.max_conn_size(), 11); // ten flips and the diagonal
//!
//! // Parameters are data: nothing is lowered again for another field.
//! let mut parameters = ising.parameters().clone();
//! parameters.set("h", 0.5)?;
//! let weaker = ising.with_parameters(parameters)?;
//! assert_eq!(weaker.parameters().to_string(), "h = 0.5, J = -1");
//!
//! // Algebra gives operators like any other.
//! assert!(ising.pow(2)?.is_hermitian());
//! assert!(ising.commutator(&ising)?.terms().is_empty());
//! # Ok::<(), operator_core::Error>(())
//! ```
//!
//! Where things are:
//! - [`graph`]: which sites are neighbours; [`hilbert`]: which states there are, and their numbers;
//! - [`terms`]: how operators are written; [`models`]: operators by name; [`expression`]: formulas;
//! - [`Definition`], [`Parameters`], [`Structure`]: static and dynamic data;
//! - [`DiscreteOperator`]: what every operator can do; [`Backend`], [`Lower`]: what a backend is;
//! - [`Connected`], [`ConnBatch`], [`PaddedConn`]: connected elements, one at a time, in rows and padded;
//! - [`WaveFunction`], [`Walker`]: what samplers and estimators ask of a wave function;
//! - [`memory`]: the limit on what one request may take;
//! - [`prelude`]: all traits at once.
//!
//! The crates whose types stand in signatures are re-exported: [`ndarray`], [`num_complex`], [`num_traits`],
//! [`rand`], [`sprs`] and, with the feature `serde`, `serde_json`.

pub mod expression;
#[doc(hidden)]
pub mod functions;
pub mod graph;
pub mod hilbert;
#[doc(hidden)]
pub mod kernel;
pub mod memory;
#[doc(hidden)]
pub mod metropolis;
pub mod models;
#[doc(hidden)]
pub mod parallel;
pub mod prelude;
pub mod terms;

mod backend;
mod bits;
mod change_sets;
mod conn;
mod custom_probe;
mod definition;
mod element;
mod error;
mod forward;
mod host_rows;
mod in_chunks;
mod merged_row;
mod operator;
mod overload;
mod parameters;
mod rounding;
#[cfg(feature = "serde")]
pub mod spec;
#[cfg(feature = "testing")]
pub mod testing;
mod wave_function;

pub use backend::{Backend, HostBackend, Lower, check_row_range};
pub use change_sets::ChangeSets;
#[doc(hidden)]
pub use conn::expect_padded_fits;
pub use conn::{ConnBatch, PackedConn, PaddedConn};
#[doc(hidden)]
pub use custom_probe::probe_hermitian;
pub use definition::{Definition, Structure};
pub use element::Element;
pub use error::{Error, Result};
pub use expression::Expression;
pub use graph::{Boundary, Graph};
pub use hilbert::HilbertSpace;
#[doc(hidden)]
pub use host_rows::HostRows;
#[doc(hidden)]
pub use in_chunks::amplitudes_in_chunks;
pub use kernel::{Connected, Dropped};
#[doc(hidden)]
pub use merged_row::MergedRow;
pub use models::*;
pub use operator::DiscreteOperator;
#[doc(hidden)]
pub use operator::{RowVisitor, ranked_conn};
pub use parameters::{ParameterValue, Parameters};
pub use wave_function::{Walker, WaveFunction};

// A new major version of any of these is one of this crate too.
#[cfg(feature = "serde")]
pub use serde_json;
pub use {ndarray, num_complex, num_traits, rand, sprs};

/// The README's examples run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
