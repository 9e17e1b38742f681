//! Several sets of changes of one configuration.

/// Several sets of changes of one configuration: for each x', the sites on which it differs and their new quantum
/// numbers.
///
/// [`Walker::ratios`](crate::Walker::ratios) evaluates them together.
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

    /// Removes all sets but keeps the memory.
    pub fn clear(&mut self) {
        self.changes.clear();
        self.ends.clear();
    }

    /// Adds a set: (site, new quantum number) for each site that changes. No site comes twice.
    #[inline]
    pub fn push(&mut self, changes: impl IntoIterator<Item = (usize, i8)>) {
        // Most sets have one or two changes, for which `reserve` would take longer. A loop is inlined.
        for change in changes {
            self.changes.push(change);
        }
        self.ends.push(self.changes.len());
    }

    /// Number of sets.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no sets.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The sets in the order they were added.
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
