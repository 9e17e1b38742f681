//! The diagonal on two-level sites. Equal pieces are counted rather than added up.

use std::collections::HashMap;

use super::pieces::{Piece, Pieces, Words};
use crate::element::Element;

/// Pieces of a class look at no more variables than this.
const MAX_VARIABLES: usize = 6;

pub(crate) const MAX_OUTCOMES: usize = 16;

/// The diagonal as a sum over *classes* of pieces with equal tables, and over the remaining pieces.
///
/// The pieces of a class are counted by *outcome*: a sum of many equal couplings needs only the numbers of
/// satisfied and of unsatisfied bonds. This takes fewer operations and rounds less: couplings that cancel do so
/// exactly.
#[derive(Debug, Default)]
pub(crate) struct Diagonal {
    pub(crate) classes: Vec<Class>,
    /// Remaining pieces with two outcomes.
    pub(crate) pairs: Vec<(u32, [Outcome; 2])>,
    /// All other pieces.
    pub(crate) others: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) pieces: Vec<u32>,
    pub(crate) outcomes: Vec<Outcome>,
    /// For each index, the number of its outcome.
    pub(crate) outcome_of: Vec<u8>,
}

/// A value that a piece takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) slot: u32,
    pub(crate) negative: bool,
    /// Bit i says whether the piece takes this value at index i.
    pub(crate) truth: u64,
}

impl Outcome {
    #[inline]
    pub(crate) fn value<T: Element>(&self, values: &[T]) -> T {
        let value = values[self.slot as usize];
        if self.negative { -value } else { value }
    }
}

/// Number of bits that a piece looks at: its support, and the parity on its sign mask.
fn n_variables(piece: &Piece) -> usize {
    usize::from(piece.n_support) + usize::from(piece.has_sign)
}

impl Diagonal {
    /// Sorts the first `n_diagonal` pieces, which form the diagonal.
    pub(crate) fn build(pieces: &Pieces, n_diagonal: u32) -> Self {
        let mut by_table: HashMap<(u32, u8, bool), Vec<u32>> = HashMap::new();
        let mut keys = Vec::new();
        for (p, piece) in pieces.list[..n_diagonal as usize].iter().enumerate() {
            let key = (piece.table, piece.n_support, piece.has_sign);
            let equal = by_table.entry(key).or_default();
            if equal.is_empty() {
                keys.push(key);
            }
            equal.push(p as u32);
        }
        let mut out = Diagonal::default();
        for equal in keys.iter().filter_map(|key| by_table.remove(key)) {
            out.push(pieces, equal);
        }
        out
    }

    fn push(&mut self, all: &Pieces, pieces: Vec<u32>) {
        let piece = &all.list[pieces[0] as usize];
        let (outcomes, outcome_of) = match n_variables(piece) {
            n if n <= MAX_VARIABLES => outcomes(all, piece, n),
            _ => return self.others.extend(pieces),
        };
        match outcomes[..] {
            [a, b] if pieces.len() == 1 => self.pairs.push((pieces[0], [a, b])),
            _ if pieces.len() == 1 || outcomes.len() > MAX_OUTCOMES => self.others.extend(pieces),
            _ => self.classes.push(Class { pieces, outcomes, outcome_of }),
        }
    }

    /// The diagonal element of a packed configuration.
    #[inline]
    pub(crate) fn element<T: Element, W: Words + ?Sized>(
        &self,
        pieces: &Pieces,
        words: &W,
        values: &[T],
    ) -> T {
        let mut mel = T::zero();
        for class in &self.classes {
            let mut counts = [0; MAX_OUTCOMES];
            for &p in &class.pieces {
                let outcome = class.outcome_of[pieces.index(p as usize, words)];
                counts[usize::from(outcome) % MAX_OUTCOMES] += 1;
            }
            mel += class.sum(&counts, values);
        }
        let pairs = self.pairs.iter().map(|(p, _)| p);
        for &p in pairs.chain(&self.others) {
            mel += pieces.value(p as usize, words, values);
        }
        mel
    }
}

impl Class {
    /// `Σ count · value` over the outcomes.
    #[inline]
    pub(crate) fn sum<T: Element>(&self, counts: &[usize], values: &[T]) -> T {
        let mut sum = T::zero();
        for (outcome, &count) in self.outcomes.iter().zip(counts) {
            sum += T::from_complex((count as f64).into()) * outcome.value(values);
        }
        sum
    }
}

/// The distinct values of a piece of `n` variables, and the number of the value at each index.
fn outcomes(pieces: &Pieces, piece: &Piece, n: usize) -> (Vec<Outcome>, Vec<u8>) {
    let mut outcomes: Vec<Outcome> = Vec::new();
    let outcome_of = (0..1usize << n).map(|index| {
        let entry = index & ((1 << piece.n_support) - 1);
        let (slot, negative) = (pieces.tables[piece.table as usize + entry], index != entry);
        let known = outcomes.iter().position(|o| (o.slot, o.negative) == (slot, negative));
        let number = known.unwrap_or(outcomes.len());
        if number == outcomes.len() {
            outcomes.push(Outcome { slot, negative, truth: 0 });
        }
        outcomes[number].truth |= 1 << index;
        number as u8
    });
    let outcome_of = outcome_of.collect();
    (outcomes, outcome_of)
}
