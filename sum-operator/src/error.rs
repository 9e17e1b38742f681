//! This crate's errors.

/// Everything that can go wrong when operators are combined or chosen at run time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of an operator, a Hilbert space or a backend.
    #[error(transparent)]
    Core(#[from] operator_core::Error),
    /// An unknown name of a backend.
    #[error("backend {0:?} is not known; expected flat or padded")]
    UnknownBackend(String),
    /// A backend whose feature is off.
    #[error("this program was built without the {0} backend; turn on the feature {0:?} of sum-operator")]
    BackendDisabled(&'static str),
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
