//! The core's tests by subject.
//!
//! One program a crate: it links once, and all of its tests share the threads.

mod common;

mod algebra;
mod constraints;
mod derivatives;
mod expression;
mod hostile;
mod kernels;
mod large;
mod models;
mod moves;
mod numbers;
mod products;
mod rewriting;
mod spec;
