//! Derivatives of ln ψ by parameters, and the gradient and metric that follow from them.

mod block;
mod jacobian;
mod response;
mod trainable;

pub use block::DerivativeBlock;
pub(crate) use jacobian::lower_product;
pub use response::Response;
pub use trainable::{LogDerivatives, ParameterArray, Trainable};
pub(crate) use trainable::{expect_bytes_of_derivatives_fit, expect_derivatives_fit};
