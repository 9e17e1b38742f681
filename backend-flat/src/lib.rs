//! The flat backend: operators as dynamic, flattened kernels on ndarray, parallel by rayon.
//!
//! Only elements that exist are stored: the rows of all samples one after another, as in a CSR matrix. Shapes
//! depend on the data, without padding. Everything runs on the CPU.
//!
//! ```
//! use backend_flat::Flat;
//! use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, hilbert::Spin};
//!
//! let chain = Graph::chain(3, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Flat>()?;
//! let conn = ising.get_conn_flattened(ndarray::aview2(&[[1, 1, -1]]))?;
//! assert_eq!(conn.offsets(), [0, 4]);
//! assert_eq!(conn.mels().to_vec(), [-1.0, -0.5, -0.5, -0.5]);
//! # Ok::<(), operator_core::Error>(())
//! ```
//!
//! Implement [`FlatKernel`] (two methods) for an operator of your own; [`FlatOperator::custom`] makes it a
//! [`FlatOperator`].
//!
//! # What is stable
//! Everything that this page lists, for users and for implementors of [`FlatKernel`]. Items that the
//! documentation hides connect the crates of this workspace, and may change in any release.

mod custom;
mod custom_batch;
mod engine;
mod local_kernel;
mod operator;
mod operator_gradient;
mod packed;
mod visitor;

pub use custom::{Connector, Emitter, FlatKernel};
pub use local_kernel::local_estimators;
pub use operator::FlatOperator;
pub use operator_gradient::local_estimators_and_operator_grad;
pub use visitor::{VisitConn, Visitor};

/// The crates whose types stand in signatures here.
pub use {ndarray, num_complex};

use operator_core::{Definition, Element, HostBackend, Lower, Result};

/// The traits of this crate, for `use backend_flat::prelude::*`. The core's are in `operator_core::prelude`.
pub mod prelude {
    pub use crate::{Connector, FlatKernel, VisitConn};
}

/// Marker of this backend: batches are arrays `(batch, n_sites)` on the host, amplitudes complex arrays
/// `(batch,)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flat;

impl HostBackend for Flat {
    const NAME: &'static str = "flat";
}

impl<T: Element> Lower<T> for Flat {
    type Operator = FlatOperator<T>;

    fn lower(definition: &Definition, (): &()) -> Result<FlatOperator<T>> {
        FlatOperator::new(definition.clone())
    }
}

/// The README's examples run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
