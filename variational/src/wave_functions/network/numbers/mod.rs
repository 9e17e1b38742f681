//! The number types of networks, and functions of numbers.

mod activation;
mod scalar;
mod simd;

pub use activation::{Activation, Order};
pub(super) use scalar::Number;
pub use scalar::{Real, Scalar};
pub(super) use simd::UNROLL;
