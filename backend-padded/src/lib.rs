//! The padded backend: operators as static-shape kernels on candle tensors.
//!
//! No shape depends on data: every sample has
//! [`max_conn_size`](operator_core::DiscreteOperator::max_conn_size) slots, of which the unused hold the
//! sample itself with matrix element 0. Matrix elements can be differentiated in the operator's own
//! parameters.
//!
//! ```
//! use backend_padded::{Padded, TensorConn};
//! use candle_core::{Device, Tensor};
//! use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
//!
//! let chain = Graph::chain(3, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Padded>()?;
//! let x = Tensor::new(&[[1f32, 1.0, -1.0]], &Device::Cpu).unwrap();
//! let conn = ising.conn(&x)?;
//! assert_eq!(conn.states.dims(), [1, 4, 3]);
//! assert_eq!(conn.mels.re.to_vec2::<f64>().unwrap(), [[-1.0, -0.5, -0.5, -0.5]]);
//! # Ok::<(), operator_core::Error>(())
//! ```
//!
//! Operators of third parties implement [`PaddedKernel`] and become a [`PaddedOperator`] by
//! [`PaddedOperator::custom`].
//!
//! What a lowered operator does is written as fused kernels, which run on the CPU over all threads: on
//! another device, samples are brought to the host for them and the results are taken to the device. A
//! kernel of a third party runs where its tensors are. Wave functions and sums over connected elements stay
//! on the device.

mod backend;
mod complex;
mod conn;
mod custom;
mod device;
mod differentiable;
mod error;
mod forward;
mod local_kernel;
mod operator;
mod operator_gradient;
mod ops;
mod rows;
mod values;

pub use backend::Padded;
pub use complex::ComplexTensor;
pub use conn::{ConnTensors, TensorConn};
pub use custom::PaddedKernel;
pub use device::device;
pub use differentiable::Differentiable;
pub use error::failed;
pub use local_kernel::{local_estimator_tensor, local_estimators};
pub use operator::PaddedOperator;
pub use operator_gradient::local_estimators_and_operator_grad;
