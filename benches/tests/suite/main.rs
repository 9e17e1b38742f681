//! Tests of the comparison and the conformance program.
//!
//! One program a crate: it links once, and all of its tests share the threads.

mod backends;
mod compare;
mod golden;
mod molecule;
