//! Tests of states, wave functions, estimates and runs, by subject.
//!
//! One program a crate: it links once, and all of its tests share the threads.

#[macro_use]
mod common;

mod arnn;
mod breakdown;
mod candle_network;
mod composites;
mod connected;
mod driver;
mod dynamics;
mod errors;
mod exact;
mod expect;
mod gradient;
mod hostile;
mod operator_gradient;
mod optimal_control;
mod panics;
mod resume;
mod samplers;
mod settings;
mod single_precision;
mod sizes;
mod slater;
mod statistics;
mod third_party;
mod wave_functions;
