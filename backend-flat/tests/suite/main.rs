//! The flat backend's tests by subject.
//!
//! One program a crate: it links once, and all of its tests share the threads.

mod batches;
mod conformance;
mod custom;
mod errors;
mod operator_gradient;
mod tensor;
mod terms;
mod walkers;
