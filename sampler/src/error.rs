//! What can go wrong when configurations are sampled.

use num_complex::Complex64;
use operator_core::HilbertSpace;

/// Everything that can go wrong when configurations are sampled.
///
/// Errors of operators, wave functions and backends pass through unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of an operator, a Hilbert space, a wave function or a backend.
    #[error(transparent)]
    Core(#[from] operator_core::Error),
    /// A setting outside its range.
    #[error("{what} is {value}; expected {expected}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: usize,
        /// What it must be.
        expected: &'static str,
    },
    /// A value that is not a probability.
    #[error("the probability of the first rule is {value}; expected a number from 0 to 1")]
    Probability {
        /// Its value.
        value: f64,
    },
    /// A rule that leaves a constrained space.
    #[error(
        "{rule} changes one site at a time, which leaves {hilbert}; use ExchangeSampler or HamiltonianSampler"
    )]
    Constrained {
        /// The rule.
        rule: &'static str,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// A rule without moves on the space.
    #[error("{rule} has no moves on {hilbert}: {reason}")]
    NoMoves {
        /// The rule.
        rule: &'static str,
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// Why.
        reason: String,
    },
    /// A graph with another number of sites than the space.
    #[error("the graph has {n_nodes} sites; {hilbert} has {n_sites}")]
    GraphSize {
        /// Sites of the graph.
        n_nodes: usize,
        /// Sites of the space.
        n_sites: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// Two sites whose quantum numbers cannot be exchanged.
    #[error(
        "exchanging sites {from} and {to} leaves {hilbert}: they have different local states or separate totals"
    )]
    Exchange {
        /// The first site.
        from: usize,
        /// The second site.
        to: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// A chain at a state that the operator connects to no other state, so that it could never move.
    #[error(
        "chain {chain} sits at {state:?}, which {operator} connects to no other state; choose another rule"
    )]
    Isolated {
        /// The chain.
        chain: usize,
        /// The state, its quantum numbers.
        state: Vec<i8>,
        /// The operator, as it prints.
        operator: String,
    },
    /// No random state had a move, so that a chain could not start.
    #[error(
        "chain {chain}: {rule} has no move from any of {attempts} random states of {hilbert}, such as {state:?}; choose another rule"
    )]
    NoStart {
        /// The chain.
        chain: usize,
        /// Number of states tried.
        attempts: usize,
        /// The rule, as it prints.
        rule: String,
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// The last state, its quantum numbers.
        state: Vec<i8>,
    },
    /// A rule that proposed something else than a state of the space.
    #[error("chain {chain}: {rule} proposed no state of {hilbert}: {reason}")]
    Proposed {
        /// The chain.
        chain: usize,
        /// The rule, as it prints.
        rule: String,
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// The reason.
        reason: String,
    },
    /// No random state had an amplitude, so that a chain could not start.
    #[error(
        "chain {chain}: psi was zero at each of {attempts} random states of {hilbert}; check the wave function"
    )]
    ZeroWaveFunction {
        /// The chain.
        chain: usize,
        /// Number of states tried.
        attempts: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// A wave function returned NaN or an infinite amplitude.
    #[error("chain {chain}: log psi is {value} at {state:?}; check the wave function's parameters")]
    LogPsi {
        /// The chain.
        chain: usize,
        /// What the wave function returned.
        value: Complex64,
        /// The state, its quantum numbers.
        state: Vec<i8>,
    },
    /// A rule returned NaN or +∞ for the logarithm of its proposal ratio.
    #[error(
        "chain {chain}: the rule's log_correction is {value}; expected a finite number, or -inf to refuse the move"
    )]
    Correction {
        /// The chain.
        chain: usize,
        /// What the rule returned.
        value: f64,
    },
    /// A rule that was given a configuration outside the space, which another rule of a mixture must have left.
    #[error(
        "the rule cannot move site {site} from {value}, which is not a local state of {hilbert}; check what proposed it"
    )]
    NotALocalState {
        /// The site.
        site: usize,
        /// Its quantum number.
        value: i8,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// A rule that changes a site that does not exist.
    #[error("chain {chain}: the rule changes site {site}; the space has sites 0 to {}", n_sites.saturating_sub(1))]
    ChangedSite {
        /// The chain.
        chain: usize,
        /// The site.
        site: usize,
        /// Number of sites.
        n_sites: usize,
    },
    /// A wave function or a rule returned a walker or a proposer once and later none.
    #[error("{of} gave a {what} when it was asked first and none later; it must always give one or never")]
    Gone {
        /// `walker` or `proposer`.
        what: &'static str,
        /// The type of the wave function or the rule.
        of: &'static str,
    },
    /// A snapshot of chains that accepted more moves than were proposed.
    #[error(
        "{n_accepted} moves were accepted of {n_proposed} proposed ones; the snapshot is not of these chains"
    )]
    Moves {
        /// Number of accepted moves.
        n_accepted: u64,
        /// Number of proposed moves.
        n_proposed: u64,
    },
    /// Conditionals of an autoregressive wave function that do not form a distribution.
    #[error("the conditionals of site {site} are {reason} for sample {sample}; they must add up to 1")]
    Conditionals {
        /// Row of the sample in its batch.
        sample: usize,
        /// The site.
        site: usize,
        /// What they are instead.
        reason: String,
    },
    /// A batch of the wrong length from a rule or a wave function, or chains of another sampler.
    #[error("{got} {what}; expected {expected}, one a chain")]
    Count {
        /// What is counted.
        what: &'static str,
        /// Number found.
        got: usize,
        /// Number of chains.
        expected: usize,
    },
}

impl Error {
    /// [`Error::NoMoves`].
    pub(crate) fn no_moves(rule: &'static str, hilbert: &HilbertSpace, reason: &str) -> Self {
        Error::NoMoves { rule, hilbert: hilbert.to_string(), reason: reason.into() }
    }
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
