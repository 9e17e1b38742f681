//! The padded backend's tests by subject.
//!
//! One program a crate: it links once, and all of its tests share the threads.

mod compact;
mod complex;
mod conformance;
mod custom;
mod gradient;
mod local_kernel;
