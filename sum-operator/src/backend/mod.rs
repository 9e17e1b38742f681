//! The wall between this crate and the backends: what each does for composites, and the choice between them.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(any(feature = "flat", feature = "padded"))]
mod any_combine;
#[cfg(any(feature = "flat", feature = "padded"))]
mod as_complex;
mod composites;
#[cfg(feature = "flat")]
mod flat;
#[cfg(feature = "padded")]
mod padded;
mod with_operator;

#[cfg(any(feature = "flat", feature = "padded"))]
pub use any::{Any, AnyOperator, BackendKind, Inner};
