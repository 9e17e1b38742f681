//! Everything in this crate that is specific to one backend: its estimators and its networks, one folder
//! each.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(any(feature = "flat", feature = "padded"))]
mod changed_rows;
#[cfg(any(feature = "flat", feature = "padded"))]
mod common;
#[cfg(feature = "flat")]
mod flat;
#[cfg(not(all(feature = "flat", feature = "padded")))]
mod off;
#[cfg(feature = "padded")]
pub mod padded;

/// Traits of backends and of their crates, for the prelude.
pub(crate) mod traits {
    pub use operator_core::{Backend, Lower};

    #[cfg(feature = "flat")]
    pub use backend_flat::{FlatKernel, VisitConn};
    #[cfg(feature = "padded")]
    pub use backend_padded::{PaddedKernel, TensorConn};
}
#[cfg(not(feature = "flat"))]
#[allow(unused_imports, reason = "sum-operator may have the backend all the same")]
use off as flat;
#[cfg(not(feature = "padded"))]
#[allow(unused_imports, reason = "sum-operator may have the backend all the same")]
use off as padded;
