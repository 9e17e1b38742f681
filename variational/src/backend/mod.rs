//! All that this crate knows of single backends: what each does for estimates and networks, a folder each.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(any(feature = "flat", feature = "padded"))]
mod common;
#[cfg(feature = "flat")]
mod flat;
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
