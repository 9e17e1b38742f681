/// Everything that can go wrong with variational states and their optimisation.
///
/// Errors of operators, backends and samplers pass through unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of an operator, a Hilbert space, a wave function or a backend.
    #[error(transparent)]
    Core(#[from] operator_core::Error),
    /// An error of a sampler.
    #[error(transparent)]
    Sampler(#[from] sampler::Error),
    /// A setting outside its range.
    #[error("{what} is {value}; {expected}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value, as it prints.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An array of the wrong shape.
    #[error("{what} have shape {got:?}; expected {expected:?}")]
    Shape {
        /// What the array holds.
        what: &'static str,
        /// The shape found.
        got: Vec<usize>,
        /// The shape expected.
        expected: Vec<usize>,
    },
    /// NaN or infinity among local estimators, derivatives or parameters.
    #[error("{what}: value {index} is not finite; lower the learning rate or raise the diagonal shift")]
    NotFinite {
        /// What the value belongs to.
        what: &'static str,
        /// Its place, in row-major order.
        index: usize,
    },
    /// No state of the space has an amplitude.
    #[error("the wave function is zero on all {n_states} states of {hilbert}")]
    ZeroWaveFunction {
        /// Number of states.
        n_states: usize,
        /// The space, as it prints.
        hilbert: String,
    },
    /// The metric of stochastic reconfiguration has no Cholesky factor.
    #[error(
        "the {size} x {size} metric with diagonal shift {diag_shift:e} is not positive definite; raise the shift"
    )]
    NotPositiveDefinite {
        /// Rows of the matrix.
        size: usize,
        /// The shift on its diagonal.
        diag_shift: f64,
    },
    /// An eigenvalue iteration that did not converge.
    #[error("the lowest eigenvalue of {operator} did not converge: {reason}")]
    NotConverged {
        /// The operator, as it prints.
        operator: String,
        /// How far it came.
        reason: String,
    },
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
