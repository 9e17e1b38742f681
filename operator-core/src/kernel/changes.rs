//! The changes that an operator's elements make, numbered, so that one number names a connected configuration.

use super::lowered::Kernel;
use super::mask::MaskKernel;
use super::offsets::range;
use super::table::TableKernel;

/// What a change does to the quantum number q of a site: it becomes `offset + factor · q`, where `factor` is −1, 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The site.
    pub site: u32,
    /// What is added.
    pub offset: i8,
    /// What the old quantum number is multiplied by.
    pub factor: i8,
}

impl Edit {
    /// The new quantum number.
    #[inline(always)]
    pub fn apply(self, q: i8) -> i8 {
        self.offset.wrapping_add(self.factor.wrapping_mul(q))
    }
}

/// All changes that an operator's elements make. Number 0 changes nothing, which is the diagonal's change.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Where the edits of each change start and end.
    ends: Vec<(u32, u32)>,
    edits: Vec<Edit>,
    /// The number of the first change of each group.
    first: Vec<u32>,
}

impl Changes {
    pub(crate) fn new(kernel: &Kernel) -> Self {
        let mut changes = Changes { ends: vec![(0, 0)], edits: Vec::new(), first: Vec::new() };
        match kernel {
            Kernel::Mask(kernel) => changes.add_flips(kernel),
            Kernel::Table(kernel) => changes.add_targets(kernel),
        }
        changes
    }

    fn add_flips(&mut self, kernel: &MaskKernel) {
        for g in 0..kernel.groups.len() {
            self.first.push(self.next());
            // The two quantum numbers of a site add up to its mirror.
            self.push(kernel.flips_of(g).iter().map(|&site| Edit {
                site,
                offset: kernel.mirror[site as usize],
                factor: -1,
            }));
        }
    }

    fn add_targets(&mut self, kernel: &TableKernel) {
        for g in 0..kernel.groups.len() {
            self.first.push(self.next());
            for target in 0..kernel.n_targets(g) {
                let (sites, values) = kernel.target(g, target);
                let set = |(&site, &offset): (&u32, &i8)| Edit { site, offset, factor: 0 };
                self.push(sites.iter().zip(values).map(set));
            }
        }
        for step in &kernel.steps {
            self.first.push(self.next());
            let (sites, moves) = kernel.moves_of(step);
            self.push(sites.iter().zip(moves).map(|(&site, change)| Edit {
                site,
                offset: change.offset,
                factor: if change.negate { -1 } else { 1 },
            }));
        }
    }

    /// The number of the next change.
    fn next(&self) -> u32 {
        self.ends.len() as u32
    }

    fn push(&mut self, edits: impl Iterator<Item = Edit>) {
        let start = self.edits.len() as u32;
        self.edits.extend(edits);
        self.ends.push((start, self.edits.len() as u32));
    }

    /// The edits of a change; none for a number beyond the last.
    #[inline(always)]
    pub fn edits(&self, number: u32) -> &[Edit] {
        let ends = self.ends.get(number as usize);
        ends.and_then(|&ends| self.edits.get(range(ends))).unwrap_or_default()
    }

    /// The same changes with other edits.
    #[must_use]
    pub fn map(&self, f: impl Fn(Edit) -> Edit) -> Self {
        let edits = self.edits.iter().map(|&edit| f(edit)).collect();
        Changes { ends: self.ends.clone(), edits, first: self.first.clone() }
    }

    /// Number of changes.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of the first change of each group.
    pub(crate) fn first(&self) -> &[u32] {
        &self.first
    }
}
