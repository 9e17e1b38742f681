//! Errors of this crate. The errors of all crates below convert into them.

/// Everything that can go wrong with variational states and their optimisation.
///
/// Errors of operators, backends and samplers convert into it and pass through unchanged, so `?` with this one type
/// is enough in a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of an operator, a Hilbert space, a wave function or a backend.
    #[error(transparent)]
    Core(#[from] operator_core::Error),
    /// An error of a sampler.
    #[error(transparent)]
    Sampler(#[from] sampler::Error),
    /// An error of combined operators, or of operators whose backend is chosen at run time.
    #[error(transparent)]
    SumOperator(#[from] sum_operator::Error),
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
        /// Its index in row-major order.
        index: usize,
    },
    /// The wave function vanishes on the whole space.
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
        /// How far it got.
        reason: String,
    },
    /// The equations of stochastic reconfiguration were not solved to the requested precision.
    #[error(
        "conjugate gradients left a residual of {residual:.1e} after {iterations} iterations; raise the diagonal shift, the tolerance or the number of iterations"
    )]
    NotSolved {
        /// Its size relative to the right-hand side.
        residual: f64,
        /// Number of iterations.
        iterations: usize,
    },
    /// A wave function whose layout does not fit its parameters.
    #[error("the layout of the wave function: {reason}")]
    Layout {
        /// The reason.
        reason: String,
    },
    /// A file that cannot be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// The path.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file that is damaged or holds something else than expected.
    #[error("{origin}: {reason}")]
    Content {
        /// The file.
        origin: String,
        /// The reason.
        reason: String,
    },
    /// A step of a run failed. The state before it is in a file.
    #[error("step {step}: {source}; the state before this step is in {path}")]
    Diverged {
        /// Number of the step.
        step: usize,
        /// The file, which is a checkpoint.
        path: String,
        /// Why it failed.
        source: Box<Error>,
    },
    /// The energy of a step is none, and the run was told to stop, or could not step back far enough.
    #[error("the energy of step {step} is none: {reason}")]
    NoEnergy {
        /// Number of the step.
        step: usize,
        /// What says so.
        reason: String,
    },
    /// A name that is already taken.
    #[error("{what} is named {name:?}, as another one is; choose a name that is free")]
    Name {
        /// What the name was meant for.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The handler of Ctrl-C cannot be installed.
    #[error("Ctrl-C cannot be caught: {reason}; run without `with_ctrl_c`")]
    CtrlC {
        /// The system's message.
        reason: String,
    },
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
