//! Functions of numbers that the networks of all backends apply to their units.

mod elementary;
mod ln_cosh;

pub use elementary::Elementary;
pub use ln_cosh::{complex_ln_cosh, complex_tanh, ln_cosh, ln_cosh_each, tanh, tanh_each};
