//! The error of comparisons.

/// What can go wrong in a comparison.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the work itself.
    #[error(transparent)]
    Work(#[from] variational::Error),
    /// Threads could not be started.
    #[error("no pool of {threads} threads: {source}")]
    Threads {
        /// Number of threads.
        threads: usize,
        /// The system's message.
        source: rayon::ThreadPoolBuildError,
    },
    /// A program could not be started, or does not answer.
    #[error("{program}: {reason}")]
    Program {
        /// The program.
        program: String,
        /// What happened.
        reason: String,
    },
}

impl From<operator_core::Error> for Error {
    fn from(error: operator_core::Error) -> Self {
        Error::Work(error.into())
    }
}

impl From<sampler::Error> for Error {
    fn from(error: sampler::Error) -> Self {
        Error::Work(error.into())
    }
}

/// Result with a comparison's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
