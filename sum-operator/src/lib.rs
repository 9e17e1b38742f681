//! Operators whose backend and element type are chosen at run time.
//!
//! ```
//! # #[cfg(feature = "flat")] {
//! use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, hilbert::Spin};
//! use sum_operator::{AnyOperator, BackendKind};
//!
//! let chain = Graph::chain(4, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.definition()?;
//! let kind: BackendKind = "flat".parse()?; // from a command line, say
//! let operator = AnyOperator::lower(&ising, kind)?;
//! assert_eq!(operator.max_conn_size(), 5);
//! # }
//! # Ok::<(), sum_operator::Error>(())
//! ```
//!
//! Without any backend's feature there is nothing to choose from, and only the error type remains.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
mod error;

#[cfg(any(feature = "flat", feature = "padded"))]
pub use any::{Any, AnyOperator, AnyWaveFunction, BackendKind};
pub use error::{Error, Result};
