//! Derivatives of ln ψ by a wave function's parameters, and what they and local energies say about an energy.

mod block;
mod jacobian;
mod response;
mod trainable;

pub use block::DerivativeBlock;
pub(crate) use jacobian::lower_product;
pub use response::Response;
pub use trainable::{LogDerivatives, ParameterArray, Trainable};
