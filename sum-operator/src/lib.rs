//! Sums, products and tensor products of operators of one backend, and operators whose backend is chosen at
//! run time.
//!
//! [`SumOperator`], [`ProductOperator`], [`TensorOperator`] and [`EmbedOperator`] are operators themselves:
//! samplers, local kernels and expectation values take them like any other. Operators made of terms are merged
//! as terms. Kernels of third parties are combined sample by sample ([`Combine`]).
//! [`AnyOperator`] holds an operator on a backend that is chosen at run time:
//!
//! ```
//! use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, hilbert::Spin};
//! use sum_operator::{AnyOperator, BackendKind};
//!
//! let chain = Graph::chain(4, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.definition()?;
//! let kind: BackendKind = "flat".parse()?; // from a command line, say
//! let operator = AnyOperator::new(&ising, kind)?;
//! assert_eq!(operator.max_conn_size(), 5);
//! # Ok::<(), sum_operator::Error>(())
//! ```
//!
//! At least one backend's feature must be on: without any there is nothing to combine. The examples use the flat
//! backend, so doc tests need the default features.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any_wave_function;
mod backend;
mod combine;
mod composite;
#[cfg(any(feature = "flat", feature = "padded"))]
mod describe;
mod embed;
mod error;
pub mod prelude;
mod product;
mod sum;
mod tensor;

#[cfg(any(feature = "flat", feature = "padded"))]
pub use any_wave_function::AnyWaveFunction;
#[cfg(any(feature = "flat", feature = "padded"))]
#[doc(hidden)]
pub use backend::Inner;
#[cfg(any(feature = "flat", feature = "padded"))]
pub use backend::{Any, AnyOperator, BackendKind};
pub use combine::Combine;
pub use embed::EmbedOperator;
pub use error::{Error, Result};
pub use product::ProductOperator;
pub use sum::SumOperator;
pub use tensor::TensorOperator;

/// The versions that stand in this crate's signatures.
#[cfg(feature = "padded")]
pub use candle_core;
pub use {ndarray, num_complex};

/// Runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
