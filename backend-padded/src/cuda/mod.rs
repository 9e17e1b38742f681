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

pub(crate) use chains::{MoveTables, accept, choose, ledger, uniforms};
pub(crate) use mels::mels_of;
pub(crate) use numbers::{local, local_gradients};
pub(crate) use samples::{OnDevice, Samples};
