//! The traits of this crate, to be imported together: `use operator_core::prelude::*;`
//!
//! ```
//! use operator_core::prelude::*;
//! use operator_core::{Boundary, Graph, Ising, hilbert::Spin};
//!
//! let chain = Graph::chain(4, Boundary::Open)?;
//! let ising = Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.definition()?; // a method of `Model`
//! assert_eq!(ising.max_conn_size(), 5);
//! # Ok::<(), operator_core::Error>(())
//! ```

pub use crate::backend::{Backend, HostBackend, Lower};
pub use crate::element::Element;
pub use crate::models::Model;
pub use crate::operator::DiscreteOperator;
pub use crate::wave_function::{Walker, WaveFunction};
