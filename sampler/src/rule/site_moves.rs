//! Rules as moves that kernels of devices know.

/// Kinds of moves, of which one is drawn first, with their probabilities.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
pub struct SiteMoves(Vec<(f64, Vec<[usize; 2]>)>);

impl SiteMoves {
    /// A site, drawn uniformly, goes to another of its local states, drawn uniformly.
    pub(crate) fn local() -> Self {
        SiteMoves(vec![(1.0, Vec::new())])
    }

    /// The sites of a pair, drawn uniformly, are exchanged; `None` without pairs.
    pub(crate) fn exchanges(pairs: &[[usize; 2]]) -> Option<Self> {
        (!pairs.is_empty()).then(|| SiteMoves(vec![(1.0, pairs.to_vec())]))
    }

    /// The first moves with this probability, and the second otherwise.
    pub(crate) fn mixture(first: Self, second: Self, probability: f64) -> Self {
        let scaled =
            |moves: Self, factor: f64| moves.0.into_iter().map(move |(p, pairs)| (factor * p, pairs));
        let kinds = scaled(first, probability).chain(scaled(second, 1.0 - probability));
        SiteMoves(kinds.filter(|(p, _)| *p > 0.0).collect())
    }

    /// The probability of each kind, and its pairs. A kind without pairs is [`local`](Self::local).
    #[allow(dead_code, reason = "backends with devices read them")]
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (f64, &[[usize; 2]])> {
        self.0.iter().map(|(probability, pairs)| (*probability, &pairs[..]))
    }
}
