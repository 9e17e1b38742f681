//! Blocks of equal sites and their local states.

use std::ops::Range;

/// The local states of a site: equally spaced quantum numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalStates {
    pub(crate) first: i8,
    /// Never 0.
    pub(crate) step: i8,
    pub(crate) len: usize,
}

impl LocalStates {
    /// Quantum number of local index 0.
    pub fn first(self) -> i8 {
        self.first
    }

    /// Difference between consecutive quantum numbers, never 0.
    pub fn step(self) -> i8 {
        self.step
    }

    /// Number of local states, at least 2.
    pub fn dim(self) -> usize {
        self.len
    }

    /// Quantum number of local index `index`; meaningless beyond the last one.
    #[inline]
    pub fn value(self, index: usize) -> i8 {
        (i32::from(self.first) + i32::from(self.step) * index as i32) as i8
    }

    /// Local index of a quantum number.
    #[inline]
    pub fn index(self, value: i8) -> Option<usize> {
        let distance = i32::from(value) - i32::from(self.first);
        // Most steps are 1 or −2, and these need no division.
        let (index, rest) = match i32::from(self.step) {
            1 => (distance, 0),
            -2 => (-(distance >> 1), distance & 1),
            step => (distance / step, distance % step),
        };
        (rest == 0 && index >= 0 && (index as usize) < self.len).then_some(index as usize)
    }

    /// All quantum numbers in order of local index.
    pub fn iter(self) -> impl Iterator<Item = i8> {
        (0..self.len).map(move |index| self.value(index))
    }

    /// The quantum numbers for a message: all of them if they are few.
    pub(super) fn describe(self) -> String {
        let names: Vec<String> = self.iter().map(|value| value.to_string()).collect();
        match names.as_slice() {
            [one] => one.clone(),
            [first, second] => format!("{first} and {second}"),
            [first, .., last] if self.len > 5 => {
                format!("{first} to {last} in steps of {}", self.step.unsigned_abs())
            }
            _ => names.join(", "),
        }
    }
}

/// Consecutive sites with equal local states. The sum of their local indices may be fixed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// First site.
    pub(crate) start: usize,
    pub(crate) n_sites: usize,
    pub(crate) local: LocalStates,
    pub(crate) total: Option<usize>,
}

impl Block {
    /// The sites.
    pub fn sites(&self) -> Range<usize> {
        self.start..self.start + self.n_sites
    }

    /// The local states of each site.
    pub fn local(&self) -> LocalStates {
        self.local
    }

    /// The constraint, if any: the sum of the local indices over the block's sites.
    pub fn total(&self) -> Option<usize> {
        self.total
    }

    /// The block's part of a configuration of the whole space.
    #[inline]
    pub(crate) fn of<'a>(&self, x: &'a [i8]) -> &'a [i8] {
        &x[self.start..self.start + self.n_sites]
    }
}
