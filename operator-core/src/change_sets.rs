//! Several sets of changes of one configuration, weighed together.

/// Several sets of changes of one configuration: for each x' the sites on which it differs, with their new
/// quantum numbers.
///
/// [`Walker::ratios`](crate::Walker::ratios) weighs them together.
///
/// ```
/// use operator_core::ChangeSets;
///
/// let mut sets = ChangeSets::new();
/// sets.push([(0, -1), (3, 1)]);
/// sets.push([]);
/// assert_eq!(sets.len(), 2);
/// let sets: Vec<&[(usize, i8)]> = sets.iter().collect();
/// assert_eq!(sets, [&[(0, -1), (3, 1)][..], &[]]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSets {
    changes: Vec<(usize, i8)>,
    /// Where the changes of each set end.
    ends: Vec<usize>,
}

impl ChangeSets {
    /// No sets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes all sets, and keeps the memory.
    pub fn clear(&mut self) {
        self.changes.clear();
        self.ends.clear();
    }

    /// Adds a set: (site, new quantum number) for each site that changes, which come once each.
    #[inline]
    pub fn push(&mut self, changes: impl IntoIterator<Item = (usize, i8)>) {
        // Most sets have one or two, for which reserving would take longer; and a loop is inlined.
        for change in changes {
            self.changes.push(change);
        }
        self.ends.push(self.changes.len());
    }

    /// Number of sets.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no set.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The sets, in the order in which they were added.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &[(usize, i8)]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let set = &self.changes[start..end];
            start = end;
            set
        })
    }
}
