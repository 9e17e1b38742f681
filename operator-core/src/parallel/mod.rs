//! Batches of samples on threads: finding, counting and writing connected elements, and estimators with walkers.
//!
//! What is here runs on the host and is the same for every backend. The work is cut into blocks of samples, and the
//! way it is cut never changes a result.

mod batch_engine;
mod batched;
mod blocks;
mod consumer;
mod finder;
mod operator_gradient;
mod walk;

pub use batch_engine::BatchEngine;
pub use batched::{Source, batched_estimators, for_blocks};
pub use blocks::{blocks, for_each, map, run, split};
pub use consumer::{Consumer, Estimates};
pub use finder::{Finder, SAMPLES_AT_A_TIME, Slots};
pub use operator_gradient::estimators_and_operator_grad;
pub use walk::{Walk, walked_estimators, with_walkers};
