//! What moves keep although the space does not fix it.

use std::fmt;
use std::ops::Range;

use operator_core::HilbertSpace;

/// What the moves of a rule keep in one block of a space, from nothing to most.
///
/// A local index counts a site's local states from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conserved {
    /// Nothing.
    Nothing,
    /// Whether the sum of local indices is even or odd.
    Parity,
    /// The sum of local indices, as magnetisations and numbers of particles are.
    Sum,
    /// The number of sites in each local state.
    Counts,
    /// The number of sites in each local state on each of several parts of the block.
    CountsOfParts,
}

/// A part of a space that a chain cannot leave, although the space is larger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sector {
    /// The sites of the block.
    pub sites: Range<usize>,
    /// What is kept there.
    pub conserved: Conserved,
}

impl Sector {
    /// The first block in which moves keep more than the space fixes; `conserved` has an entry for each block.
    pub(crate) fn first(hilbert: &HilbertSpace, conserved: &[Conserved]) -> Option<Self> {
        hilbert.blocks().iter().zip(conserved).find_map(|(block, &conserved)| {
            let (n_sites, dim) = (block.sites().len(), block.local().dim());
            let highest = n_sites * (dim.saturating_sub(1));
            let fixed = match block.total() {
                _ if highest == 0 => Conserved::CountsOfParts,
                None => Conserved::Nothing,
                // Only one state has the lowest or the highest sum.
                Some(total) if total == 0 || total == highest => Conserved::CountsOfParts,
                Some(total) if dim == 2 || total == 1 || total + 1 == highest => Conserved::Counts,
                Some(_) => Conserved::Sum,
            };
            (conserved > fixed).then(|| Sector { sites: block.sites(), conserved })
        })
    }
}

impl fmt::Display for Sector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.conserved {
            Conserved::Nothing => "nothing",
            Conserved::Parity => "the parity of the sum of quantum numbers",
            Conserved::Sum => "the sum of quantum numbers",
            Conserved::Counts => "the number of sites in each local state",
            Conserved::CountsOfParts => "the number of sites in each local state on each of several parts",
        };
        write!(f, "{what} of sites {} to {}", self.sites.start, self.sites.end.saturating_sub(1))
    }
}
