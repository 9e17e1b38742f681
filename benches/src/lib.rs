//! Comparisons: between backends, with peers, and with reference data.
//!
//! [`golden`] checks operators against files of connected elements; the program `conformance` runs it on files
//! and folders, and [`molecule`] on FCIDUMP files. [`compare`] times what backends and peers do on the same [`systems`]; the program `compare`
//! prints it. [`fuzz`] tries hostile input on all that reads files and text; the program is `fuzz`.

pub mod compare;
pub mod fuzz;
pub mod golden;
pub mod molecule;
pub mod systems;

/// The README of the whole runs with the documentation; this crate has all backends.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
