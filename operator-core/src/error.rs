//! Everything that can go wrong in this crate.

use num_complex::Complex64;

/// Everything that can go wrong when an operator is defined, lowered or applied.
///
/// Each message carries the offending value, what was expected and, where there is one, the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- graphs ----
    /// An edge names a site that the graph does not have.
    #[error("edge ({from}, {to}) names a site beyond the last one, {}; the graph has {n_nodes} sites", n_nodes.saturating_sub(1))]
    EdgeOutOfRange {
        /// First site of the edge.
        from: usize,
        /// Second site of the edge.
        to: usize,
        /// Number of sites of the graph.
        n_nodes: usize,
    },
    /// An edge joins a site to itself.
    #[error(
        "edge ({site}, {site}) joins a site to itself; a periodic direction needs an extent of at least 2"
    )]
    SelfLoop {
        /// The site.
        site: usize,
    },
    /// The same edge is listed twice in one colour.
    #[error(
        "edge ({from}, {to}) is listed more than once in colour {color}; list each pair of sites once a colour, or give one of the two a colour of its own, so that both count"
    )]
    DuplicateEdge {
        /// First site of the edge.
        from: usize,
        /// Second site of the edge.
        to: usize,
        /// The colour of both.
        color: usize,
    },
    /// The number of edge colours differs from the number of edges.
    #[error("{n_colors} edge colours for {n_edges} edges; give one colour an edge")]
    ColorCount {
        /// Number of colours given.
        n_colors: usize,
        /// Number of edges.
        n_edges: usize,
    },
    /// An edge colour that is too high.
    #[error("edge ({from}, {to}) has colour {color}; the highest is {highest}, so number the colours from 0")]
    EdgeColor {
        /// First site of the edge.
        from: usize,
        /// Second site of the edge.
        to: usize,
        /// The colour.
        color: usize,
        /// The highest colour that is allowed.
        highest: usize,
    },
    /// A lattice that cannot be built as asked, or that does not fit a model.
    #[error("lattice: {0}")]
    Lattice(String),
    /// Permutations that do not form a group.
    #[error("these permutations are no group: {reason}")]
    PermutationGroup {
        /// The reason.
        reason: String,
    },

    // ---- Hilbert spaces and samples ----
    /// A Hilbert space that cannot exist as asked.
    #[error("Hilbert space: {0}")]
    InvalidHilbert(String),
    /// A sample has the wrong number of sites.
    #[error("samples have {got} sites; {hilbert} has {expected}")]
    SampleWidth {
        /// Width of the samples given.
        got: usize,
        /// Number of sites of the Hilbert space.
        expected: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// A quantum number is not one of the site's local states.
    #[error("sample {sample} has quantum number {value} at site {site}; {hilbert} allows {allowed}")]
    NotALocalState {
        /// Row of the sample.
        sample: usize,
        /// Site.
        site: usize,
        /// The offending quantum number.
        value: i64,
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// The local states, as they print.
        allowed: String,
    },
    /// A sample lies outside a constrained Hilbert space.
    #[error("sample {sample} is outside {hilbert}: {found}, expected {expected}")]
    OutsideConstraint {
        /// Row of the sample.
        sample: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// The conserved quantity found.
        found: String,
        /// The conserved quantity expected.
        expected: String,
    },
    /// A space was asked about a site that it does not have.
    #[error("site {site} is beyond the last one; {hilbert} has sites 0 to {}", n_sites.saturating_sub(1))]
    NoSuchSite {
        /// The site.
        site: usize,
        /// Number of sites.
        n_sites: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// The states of a space cannot be numbered by a `usize`.
    #[error(
        "{hilbert} has about 2^{log2_n_states:.0} states, too many to be numbered; use samples instead of all states"
    )]
    NotIndexable {
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// Base-2 logarithm of the number of states.
        log2_n_states: f64,
    },
    /// A state number beyond the last state.
    #[error("state {index} does not exist: {hilbert} has {n_states} states")]
    IndexOutOfRange {
        /// The number asked for.
        index: usize,
        /// Number of states of the space.
        n_states: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// A matrix or a list of all states would not fit into memory.
    #[error("{what} would take {bytes:.3e} bytes, more than the limit of {limit:.3e}; {remedy}")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// Its size in bytes.
        bytes: f64,
        /// The largest size that is built.
        limit: f64,
        /// What to do instead.
        remedy: &'static str,
    },

    // ---- terms and parameters ----
    /// A term acts on a site that the space does not have.
    #[error("{term} acts on site {site}; {hilbert} has sites 0 to {}", n_sites.saturating_sub(1))]
    SiteOutOfRange {
        /// The term, as it prints.
        term: String,
        /// The offending site.
        site: usize,
        /// Number of sites.
        n_sites: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// A term lists a site twice.
    #[error("{term} lists site {site} twice; multiply the matrices of that site first")]
    RepeatedSite {
        /// The term, as it prints.
        term: String,
        /// The repeated site.
        site: usize,
    },
    /// A term's matrix has the wrong size for its sites.
    #[error(
        "matrix on sites {sites:?} is {rows} x {cols}; the local dimensions ask for {expected} x {expected}"
    )]
    MatrixShape {
        /// The term's sites.
        sites: Vec<usize>,
        /// Rows given.
        rows: usize,
        /// Columns given.
        cols: usize,
        /// Rows and columns expected.
        expected: usize,
    },
    /// A NaN or infinite coefficient, matrix element or parameter.
    #[error("{what} is {value}; coefficients must be finite")]
    NotFinite {
        /// What the value belongs to.
        what: String,
        /// The value.
        value: Complex64,
    },
    /// A term of a family that the space does not carry.
    #[error("{term} does not act on {hilbert}: {reason}")]
    WrongHilbert {
        /// The term or model.
        term: String,
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// Why.
        reason: &'static str,
    },
    /// Packed states were asked for on a space with more than two local states.
    #[error(
        "{hilbert} has sites of more than two states, which do not fit a bit each; use get_conn_flattened"
    )]
    NotTwoLevel {
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// An operator string that cannot be read.
    #[error("cannot read {text:?}: {reason}")]
    Parse {
        /// The text.
        text: String,
        /// The reason.
        reason: String,
    },
    /// A line of a file that cannot be read.
    #[error("cannot read line {line}, {text:?}: {reason}")]
    ParseLine {
        /// Number of the line, from 1.
        line: usize,
        /// The line, shortened.
        text: String,
        /// The reason.
        reason: String,
    },
    /// Molecular integrals that do not fit together.
    #[error("integrals: {0}")]
    Integrals(String),
    /// An operator leaves its constrained Hilbert space.
    #[error("{term} leaves {hilbert}: it takes {from} to {to}; lift the constraint or complete the term")]
    LeavesHilbert {
        /// The term or terms that do it.
        term: String,
        /// The Hilbert space, as it prints.
        hilbert: String,
        /// Quantum numbers before the operator acts, on the sites that it changes.
        from: String,
        /// Quantum numbers of these sites after it.
        to: String,
    },
    /// A cutoff for small coefficients that is no fraction.
    #[error(
        "the cutoff is {cutoff}; expected a fraction of the operator's largest coefficient, from 0 to below 1"
    )]
    Cutoff {
        /// The cutoff given.
        cutoff: f64,
    },
    /// An operator has no parameter of that name.
    #[error("no parameter {name:?}; this operator has {known}")]
    UnknownParameter {
        /// The name asked for.
        name: String,
        /// The known names.
        known: String,
    },
    /// A term's coefficient holds a parameter of other terms.
    #[error(
        "coefficient of {term} holds value {index} of the parameters of other terms; these have {n_values} values: add the parameter to these terms and use the handle that returns"
    )]
    ForeignParameter {
        /// The term, as it prints.
        term: String,
        /// Position of the value among the other terms' parameters.
        index: usize,
        /// Number of values of these terms' parameters.
        n_values: usize,
    },
    /// A parameter array has the wrong length.
    #[error("parameter {name:?} has {got} values; expected {expected}")]
    ParameterLength {
        /// Name of the parameter.
        name: String,
        /// Number of values given.
        got: usize,
        /// Number, or numbers, of values expected.
        expected: String,
    },
    /// A coupling whose values could belong to colours or to bonds.
    #[error(
        "parameter {name:?} has {n} values, which could be one a colour or one a bond; colour the edges 0 to {} in their order, so that both are the same",
        n.saturating_sub(1)
    )]
    AmbiguousCoupling {
        /// Name of the parameter.
        name: String,
        /// Number of values, of colours and of bonds.
        n: usize,
    },
    /// The wrong number of values.
    #[error("{got} {what}; expected {expected}")]
    Count {
        /// What is counted.
        what: String,
        /// Number given.
        got: usize,
        /// Number, or numbers, expected.
        expected: String,
    },
    /// A connected configuration names an origin beyond the last sample.
    #[error("row {row} has the origin {origin} among {n_samples} samples; origins count rows of x from 0")]
    OriginOutOfRange {
        /// Row of the connected configuration.
        row: usize,
        /// Its origin.
        origin: usize,
        /// Number of samples.
        n_samples: usize,
    },

    // ---- operators ----
    /// A complex operator was asked for real matrix elements.
    #[error(
        "{operator} has complex matrix elements, which {element} cannot hold; lower it with `lower_as` to Complex64 or Complex32"
    )]
    ComplexElements {
        /// The operator, as it prints.
        operator: String,
        /// The element type asked for.
        element: &'static str,
    },
    /// An operator that must be Hermitian is not.
    #[error("{operator} is not Hermitian, which {needed_by} needs")]
    NotHermitian {
        /// The operator, as it prints.
        operator: String,
        /// What needs it.
        needed_by: &'static str,
    },
    /// Two operands live on different Hilbert spaces.
    #[error("operands live on different Hilbert spaces: {left} and {right}")]
    HilbertMismatch {
        /// Space of the first operand.
        left: String,
        /// Space of the second operand.
        right: String,
    },
    /// Two operands run on different backends.
    #[error("operands run on different backends: {left} and {right}; move one with `to_backend`")]
    BackendMismatch {
        /// Backend of the first operand.
        left: String,
        /// Backend of the second operand.
        right: String,
    },
    /// An operator without a definition was asked for something that needs one.
    #[error(
        "{operator} is a custom kernel without terms, so it cannot {action}; write it as a `Model` for that"
    )]
    NoDefinition {
        /// The operator, as it prints.
        operator: String,
        /// What was asked for.
        action: &'static str,
    },
    /// A custom operator emitted something that does not fit its own Hilbert space or promises.
    #[error("custom operator {operator}: {reason}")]
    Custom {
        /// The operator, as it prints.
        operator: String,
        /// What it did.
        reason: String,
    },
    /// A vector of the wrong length.
    #[error("vector has {got} elements; {hilbert} has {expected} states")]
    VectorLength {
        /// Length given.
        got: usize,
        /// Number of states.
        expected: usize,
        /// The Hilbert space, as it prints.
        hilbert: String,
    },
    /// Two things that are used together live on different devices.
    #[error("the {} is on {left}, the {} on {right}; put both on one device, by with_device or lower_on", what[0], what[1])]
    DeviceMismatch {
        /// What the two are.
        what: [&'static str; 2],
        /// The device of the first.
        left: String,
        /// The device of the second.
        right: String,
    },
    /// A wave function returned NaN.
    #[error("log psi of sample {sample} is {value}; check the wave function's parameters")]
    LogPsiNotFinite {
        /// Row of the sample.
        sample: usize,
        /// The value.
        value: Complex64,
    },

    /// A wave function promised a walker and then had none.
    #[error(
        "wave function {wave_function} has a walker at one time and none at another; make `has_walker` and `walker` agree"
    )]
    WalkerDisappeared {
        /// Type of the wave function.
        wave_function: &'static str,
    },

    // ---- files and backends ----
    /// A file or text that is not an operator in the expected form.
    #[error("not an operator: {0}")]
    Spec(String),
    /// A spec has a key that nothing reads, perhaps a misspelt one.
    #[error("not an operator: {path} is not known to {reader}; the keys there are {known}")]
    UnknownKey {
        /// The key and where it stands.
        path: String,
        /// What read the spec.
        reader: String,
        /// The keys that were read there.
        known: String,
    },
    /// A file names a model that this crate does not have.
    #[error("model {name:?} is not known; known models: {known}")]
    UnknownModel {
        /// The name given.
        name: String,
        /// The names that are known.
        known: String,
    },
    /// A device that is not available.
    #[error("device {device:?} is not there: {reason}")]
    Device {
        /// The device asked for.
        device: String,
        /// Why it is unavailable.
        reason: String,
    },
    /// A failure inside a backend.
    #[error("backend {backend}: {source}")]
    Backend {
        /// Name of the backend.
        backend: &'static str,
        /// What the backend said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Wraps an error of a backend.
    pub fn backend(
        backend: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Error::Backend { backend, source: source.into() }
    }

    /// The custom operator named `operator` gave an x' that is not a state of its space. `error` is what
    /// [`HilbertSpace::check`](crate::HilbertSpace::check) returned.
    pub fn leaves_space(operator: impl Into<String>, error: &Error) -> Self {
        Error::Custom { operator: operator.into(), reason: format!("it leaves its space ({error})") }
    }
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
