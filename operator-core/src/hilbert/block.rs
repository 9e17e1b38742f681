//! Blocks of equal sites and their local states.

/// The local states of a site: equally spaced quantum numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalStates {
    /// Quantum number of local index 0.
    pub first: i8,
    /// Difference between consecutive quantum numbers, never 0.
    pub step: i8,
    /// Number of local states.
    pub len: usize,
}

impl LocalStates {
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
    pub start: usize,
    /// Number of sites.
    pub n_sites: usize,
    /// The local states of each site.
    pub local: LocalStates,
    /// The constraint: the sum of the local indices over the block's sites.
    pub total: Option<usize>,
}

impl Block {
    /// The block's part of a configuration of the whole space.
    #[inline]
    pub(crate) fn of<'a>(&self, x: &'a [i8]) -> &'a [i8] {
        &x[self.start..self.start + self.n_sites]
    }
}
