/// What can go wrong in a comparison.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the work itself.
    #[error(transparent)]
    Work(#[from] variational::Error),
    /// Threads that cannot be started.
    #[error("no pool of {threads} threads: {source}")]
    Threads {
        /// Their number.
        threads: usize,
        /// What the system says.
        source: rayon::ThreadPoolBuildError,
    },
    /// A program that cannot be started, or that does not answer.
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
