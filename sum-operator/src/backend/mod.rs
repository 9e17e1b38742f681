//! What each backend does for sums, products and operators that are chosen at run time.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(any(feature = "flat", feature = "padded"))]
mod any_combine;
#[cfg(feature = "flat")]
mod flat;
#[cfg(feature = "padded")]
mod padded;

#[cfg(any(feature = "flat", feature = "padded"))]
pub use any::{Any, AnyOperator, AnyWaveFunction, BackendKind};
