//! Operators on CUDA devices: kernels in CUDA C, compiled on the user's machine when first used.

mod chains;
mod compile;
mod engine;
mod kernels;
mod launch;
mod mels;
mod modules;
mod numbers;
mod samples;
mod units;

pub(crate) use chains::{MoveTables, accept, choose, ledger, uniforms};
pub(crate) use mels::mels_of;
pub(crate) use numbers::{ln_cosh, ln_cosh_gradient, local, local_gradients};
pub(crate) use samples::{OnDevice, Samples};
pub(crate) use units::{changed_layer, gradients_of_changed_layer, gradients_of_units, sums_of_units};
