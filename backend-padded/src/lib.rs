//! The padded backend: operators as static-shape kernels on candle tensors.
//!
//! No shape depends on data: every sample has
//! [`max_conn_size`](operator_core::DiscreteOperator::max_conn_size) slots, and an unused slot holds the sample
//! itself with matrix element 0. Matrix elements can be differentiated in the operator's own parameters.
//!
//! ```
//! use backend_padded::{Padded, TensorConn};
//! use candle_core::{DType, Device, Tensor};
//! use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
//!
//! let chain = Graph::chain(3, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Padded>()?;
//! let x = Tensor::new(&[[1f32, 1.0, -1.0]], &Device::Cpu).unwrap();
//! let conn = ising.conn(&x)?;
//! assert_eq!(conn.states(DType::F32).unwrap().dims(), [1, 4, 3]);
//! assert_eq!(conn.mels().re().to_vec2::<f64>().unwrap(), [[-1.0, -0.5, -0.5, -0.5]]);
//! # Ok::<(), operator_core::Error>(())
//! ```
//!
//! Implement [`PaddedKernel`] for an operator of your own; [`PaddedOperator::custom`] makes it a
//! [`PaddedOperator`].
//!
//! # Where things run
//! The kernels of operators run on the CPU, on all threads, and on CUDA devices. For an operator on any other device,
//! its samples come to the host for them, and the results go to the device. A kernel of your own runs on the operator's
//! device. So do wave functions, sums over connected elements and their gradients. On the CPU, [`local_estimators`] pads
//! nothing.
//!
//! On CUDA devices, kernels are compiled by NVRTC when they are first used, and kept for the process. Samples are checked
//! there. [`TensorConn::conn`] and the other calls that answer with tensors read one word to know whether all samples are
//! states of the space, and wait for the device to do so. [`local_estimators`] reads it with the estimators, in one copy.
//! Chains of samplers stay there, too, and samples are made there.
//!
//! Samples may be on any device; they are moved to the operator's. An operator and a wave function that are
//! used together must be on one device.
//!
//! # What is stable
//! Everything that this page lists, for users and for implementors of [`PaddedKernel`] and
//! [`WaveFunction`](operator_core::WaveFunction). Items that the documentation hides connect the crates of this
//! workspace, and may change in any release. [`ConnTensors`] and [`ComplexTensor`] are read by methods, so they
//! may be stored in another form later.

mod backend;
mod compact;
mod complex;
mod conn;
#[cfg(feature = "cuda")]
mod cuda;
mod custom;
mod device;
mod differentiable;
mod error;
mod forward;
mod local_kernel;
mod memory;
mod operator;
mod operator_gradient;
mod ops;
mod origins;
mod rows;
mod values;

pub use backend::Padded;
pub use complex::ComplexTensor;
pub use conn::{ConnStates, ConnTensors, Padding, TensorConn};
pub use custom::PaddedKernel;
pub use device::device;
#[doc(hidden)]
pub use differentiable::Differentiable;
pub use error::failed;
#[doc(hidden)]
pub use local_kernel::local_estimators_on_device;
pub use local_kernel::{local_estimator_tensor, local_estimators};
pub use operator::PaddedOperator;
#[doc(hidden)]
pub use operator_gradient::estimators_and_operator_grad_on_device;
pub use operator_gradient::{local_estimators_and_operator_grad, operator_estimator_tensor};
#[doc(hidden)]
pub use ops::{Accepted, Ledger, LedgerOnHost, N_DRAWS, SiteMoves, Unit, keys, ln_cosh, tanh, uniforms};
#[doc(hidden)]
pub use origins::Origins;

/// The crates whose types stand in signatures here.
pub use {candle_core, ndarray, num_complex};

/// The traits of this crate, for `use backend_padded::prelude::*`. The core's are in `operator_core::prelude`.
pub mod prelude {
    pub use crate::{PaddedKernel, TensorConn};
}

/// The README's examples run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
