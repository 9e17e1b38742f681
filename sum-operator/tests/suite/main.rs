//! Tests of composites and of operators chosen at run time, by subject.
//!
//! One program a crate: it links once, and all of its tests share the threads.

#[macro_use]
mod common;

mod algebra;
mod any;
mod cancellation;
mod forwarding;
