//! A backend's part in expectation values: local estimators, and their derivatives in an operator's parameters.

mod local_kernel;
mod operator_gradient;

pub use local_kernel::LocalKernel;
pub(crate) use operator_gradient::column_stats;
pub use operator_gradient::{OperatorGradKernel, OperatorGradient};
