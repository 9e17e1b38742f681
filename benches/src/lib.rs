//! Comparisons: backends side by side, and conformance to reference data.
//!
//! [`golden`] checks operators against files of connected elements; the program `conformance` runs it on
//! files and folders.

pub mod golden;
