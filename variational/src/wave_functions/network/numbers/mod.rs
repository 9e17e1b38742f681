//! The numbers that networks calculate with, and functions of them.

mod activation;
mod scalar;
mod simd;

pub use activation::{Activation, Order};
pub(super) use scalar::Number;
pub use scalar::{Real, Scalar};
pub(super) use simd::UNROLL;
