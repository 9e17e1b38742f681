//! Comparisons: between backends, with peers, and with reference data.
//!
//! [`golden`] checks operators against files of connected elements; the program `conformance` runs it on files
//! and folders. [`compare`] times what backends and peers do on the same [`systems`]; the program `compare`
//! prints it.

pub mod compare;
pub mod golden;
pub mod systems;
