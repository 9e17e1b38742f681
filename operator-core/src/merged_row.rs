//! One row of a matrix whose elements come in parts. Parts that lead to the same x' are added up.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::element::Element;
use crate::kernel::Connected;

/// The connected elements of one sample, if several contributions may lead to the same x'.
///
/// Contributions to one x' are added in the order they arrive. The distinct x' keep the order in which they were
/// first seen, and an x' is named by its *place* in that order, from 0. If the contributions to an x' cancel
/// ([`Element::cancels`]), it keeps its place but is not a connection: [`kept`](Self::kept) leaves it out.
///
/// The row keeps its memory from one sample to the next.
///
/// ```
/// use operator_core::MergedRow;
///
/// let mut row = MergedRow::new();
/// row.start(&[1, -1]);
/// row.add(&[-1, 1], 0.5);
/// row.add(&[1, -1], 2.0);
/// row.add(&[-1, 1], 0.25);
/// row.add(&[1, -1], -2.0);
/// let kept: Vec<(&[i8], f64)> = row.kept().map(|place| (row.state(place), row.sum(place))).collect();
/// assert_eq!(kept, [(&[-1, 1][..], 0.75)]);
/// ```
#[derive(Clone, Debug)]
pub struct MergedRow<T> {
    x: Vec<i8>,
    /// Rows of the distinct x', one after another.
    states: Vec<i8>,
    sums: Vec<T>,
    /// For each x', the sum of the absolute values of its contributions.
    sizes: Vec<f64>,
    /// For each hash, the last place that has it; the places before it follow by `earlier`.
    last: HashMap<u64, usize>,
    earlier: Vec<Option<usize>>,
    /// An x' while it is looked up.
    state: Vec<i8>,
}

impl<T> Default for MergedRow<T> {
    fn default() -> Self {
        MergedRow {
            x: Vec::new(),
            states: Vec::new(),
            sums: Vec::new(),
            sizes: Vec::new(),
            last: HashMap::new(),
            earlier: Vec::new(),
            state: Vec::new(),
        }
    }
}

impl<T: Element> MergedRow<T> {
    /// An empty row.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an empty row for the sample `x`.
    pub fn start(&mut self, x: &[i8]) {
        self.x.clear();
        self.x.extend_from_slice(x);
        self.states.clear();
        self.sums.clear();
        self.sizes.clear();
        self.last.clear();
        self.earlier.clear();
    }

    /// Adds a contribution to `<x|O|x'>` and returns the place of x'.
    ///
    /// # Panics
    /// If `x_prime` has another number of sites than x.
    pub fn add(&mut self, x_prime: &[i8], mel: T) -> usize {
        assert_eq!(x_prime.len(), self.x.len(), "x' has as many sites as x");
        let (hash, next) = (hash(x_prime), self.sums.len());
        let size = mel.to_complex().norm();
        match self.find(hash, x_prime) {
            Some(place) => {
                self.sums[place] += mel;
                self.sizes[place] += size;
                place
            }
            None => {
                self.states.extend_from_slice(x_prime);
                self.sums.push(mel);
                self.sizes.push(size);
                self.earlier.push(self.last.insert(hash, next));
                next
            }
        }
    }

    /// Adds a contribution to an x' that is given by its difference from the sample, and returns the place of x'.
    pub fn add_connected(&mut self, connected: Connected<'_>, mel: T) -> usize {
        let mut state = std::mem::take(&mut self.state);
        state.clear();
        state.extend_from_slice(&self.x);
        connected.write(&mut state);
        let place = self.add(&state, mel);
        self.state = state;
        place
    }

    /// The sample.
    pub fn x(&self) -> &[i8] {
        &self.x
    }

    /// Number of distinct x', including those whose contributions cancel.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// The distinct x', one row after another, including those whose contributions cancel.
    pub fn states(&self) -> &[i8] {
        &self.states
    }

    /// The x' of a place.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn state(&self, place: usize) -> &[i8] {
        let n_sites = self.x.len();
        &self.states[place * n_sites..(place + 1) * n_sites]
    }

    /// `<x|O|x'>` of a place: the sum of its contributions.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn sum(&self, place: usize) -> T {
        self.sums[place]
    }

    /// `<x|O|x'>`; 0 if nothing led to x'.
    pub fn sum_to(&self, x_prime: &[i8]) -> T {
        self.find(hash(x_prime), x_prime).map_or_else(T::zero, |place| self.sums[place])
    }

    /// The sum of the absolute values of all contributions.
    pub fn size(&self) -> f64 {
        self.sizes.iter().sum()
    }

    /// The places whose contributions do not cancel, in order.
    pub fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&place| !self.sums[place].cancels(self.sizes[place]))
    }

    fn find(&self, hash: u64, state: &[i8]) -> Option<usize> {
        let first = self.last.get(&hash).copied();
        std::iter::successors(first, |&place| self.earlier[place]).find(|&place| self.state(place) == state)
    }
}

fn hash(state: &[i8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_are_added_in_order_and_first_seen_comes_first() {
        let mut row = MergedRow::new();
        row.start(&[0, 0]);
        let parts = [([1, 0], 0.1), ([0, 1], 1.0), ([1, 0], 0.2), ([1, 0], 0.3)];
        let places: Vec<usize> = parts.iter().map(|(state, mel)| row.add(state, *mel)).collect();
        assert_eq!(places, [0, 1, 0, 0]);
        assert_eq!((row.state(0), row.sum(0)), (&[1, 0][..], 0.1 + 0.2 + 0.3));
        assert_eq!(row.sum_to(&[0, 1]), 1.0);
        assert_eq!(row.sum_to(&[1, 1]), 0.0);
        assert_eq!(row.states(), [1, 0, 0, 1]);
    }

    #[test]
    fn what_cancels_keeps_its_place_but_is_no_connection() {
        let mut row = MergedRow::new();
        row.start(&[0]);
        for (state, mel) in [([1], 0.1), ([2], 1.0), ([1], 0.2), ([1], -0.3)] {
            row.add(&state, mel);
        }
        assert_ne!(row.sum(0), 0.0, "rounding is left");
        assert_eq!(row.kept().collect::<Vec<_>>(), [1]);
        assert_eq!(row.len(), 2);
        assert!((row.size() - 1.6).abs() < 1e-12);
    }

    #[test]
    fn a_row_starts_empty_again_and_takes_changes() {
        let mut row = MergedRow::new();
        row.start(&[0, 0, 0]);
        row.add(&[1, 1, 1], 1.0);
        row.start(&[1, -1]);
        assert!(row.is_empty());
        assert_eq!(row.sum_to(&[1, -1]), 0.0);
        row.add_connected(Connected::new(&[0], &[-1]), 0.5);
        row.add(&[-1, -1], 0.5);
        assert_eq!((row.len(), row.state(0), row.sum(0), row.x()), (1, &[-1, -1][..], 1.0, &[1, -1][..]));
    }

    #[test]
    fn states_of_one_hash_are_told_apart() {
        let mut row = MergedRow::new();
        row.start(&[0]);
        row.add(&[1], 1.0);
        row.add(&[2], 2.0);
        // As if both had the hash of the second.
        row.earlier[1] = Some(0);
        assert_eq!(row.find(hash(&[2]), &[2]), Some(1));
        assert_eq!(row.find(hash(&[2]), &[1]), Some(0));
        assert_eq!(row.find(hash(&[2]), &[3]), None);
    }
}
