//! Comparisons: between backends, with peers, and with reference data.
//!
//! [`golden`] checks operators against files of connected elements; the program `conformance` runs it on files
//! and folders. [`compare`] times what backends and peers do on the same [`systems`]; the program `compare`
//! prints it.

pub mod compare;
pub mod golden;
pub mod systems;

/// The README of the whole runs with the documentation; this crate has all backends.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
