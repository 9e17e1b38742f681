//! Tests of samplers by subject.
//!
//! One program a crate: it links once, and all of its tests share the threads.

#[macro_use]
mod common;

mod detailed_balance;
mod devices;
mod direct;
mod distribution;
mod errors;
mod hostile;
mod on_device;
mod starts;
mod threads;
mod walked_chains;
