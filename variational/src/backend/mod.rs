//! All that this crate knows of single backends: what each does for estimates and networks, a folder each.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(any(feature = "flat", feature = "padded"))]
mod common;
#[cfg(feature = "flat")]
mod flat;
#[cfg(feature = "padded")]
pub mod padded;
