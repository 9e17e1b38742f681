//! The kernel on sites of any local dimension.

use crate::element::Element;
use crate::hilbert::{Block, LocalStates};
use crate::kernel::offsets::range;

/// An operator on sites of any local dimension.
///
/// A configuration is a list of digits, the local indices. Matrix elements that change the same sites form a
/// *group*, and each group is a sum over *lookups*. The digits on a lookup's sites give an index. For this
/// index the table lists which new digits (*targets*) are reached, and by which slots. Most groups have a
/// single lookup, whose targets are emitted as they are. A group whose terms cover too many sites for one table
/// keeps several lookups and adds them up.
///
/// Besides its own sites, a lookup may have a *sign set* of two-level sites: its values are negated if the
/// digits there have an odd sum. A fermion hop is thus a table over its two modes, however long the
/// Jordan-Wigner string between them.
#[derive(Debug)]
pub(crate) struct TableKernel {
    pub(crate) blocks: Vec<Block>,
    /// For the diagonal, `tables[lookup.table + index]` is a slot.
    pub(crate) diagonal: Vec<Lookup>,
    pub(crate) diagonal_tables: Vec<u32>,
    pub(crate) groups: Vec<Group>,
    pub(crate) lookups: Vec<Lookup>,
    /// Sites of all lookups, and the weight of each site's digit in the index.
    pub(crate) sites: Vec<u32>,
    pub(crate) strides: Vec<u32>,
    /// Sign sets of all lookups, as ranges of sites: most consist of the modes between two others.
    pub(crate) signs: Vec<(u32, u32)>,
    /// `entries[row_starts[lookup.table + index] .. row_starts[lookup.table + index + 1]]`.
    pub(crate) row_starts: Vec<u32>,
    pub(crate) entries: Vec<Entry>,
    /// Sites changed by each group.
    pub(crate) changed: Vec<u32>,
    /// New quantum numbers, `changed.len()` for each target.
    pub(crate) new_values: Vec<i8>,
    pub(crate) max_conn_size: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup {
    pub(crate) sites: (u32, u32),
    pub(crate) signs: (u32, u32),
    pub(crate) table: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) changed: (u32, u32),
    pub(crate) lookups: (u32, u32),
    /// Start of the targets' quantum numbers.
    pub(crate) new_values: u32,
    pub(crate) n_targets: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) target: u32,
    pub(crate) slot: u32,
}

/// Number of partial sums of the diagonal.
pub(crate) const DIAGONAL_LANES: usize = 4;

#[inline]
pub(crate) fn sum_of_lanes<T: Element>(lanes: [T; DIAGONAL_LANES]) -> T {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

#[inline]
fn signed<T: Element>(value: T, negative: bool) -> T {
    if negative { -value } else { value }
}

impl TableKernel {
    pub(crate) fn max_conn_size(&self) -> usize {
        self.max_conn_size
    }

    /// Appends the local indices of quantum numbers, which must be local states.
    #[inline]
    pub(crate) fn push_digits(&self, x: &[i8], digits: &mut Vec<u8>) {
        for block in &self.blocks {
            let (first, step) = (i16::from(block.local.first), i16::from(block.local.step));
            let row = &x[block.start..block.start + block.n_sites];
            match step {
                1 => digits.extend(row.iter().map(|&q| (i16::from(q) - first) as u8)),
                -2 => digits.extend(row.iter().map(|&q| ((first - i16::from(q)) / 2) as u8)),
                _ => digits.extend(row.iter().map(|&q| ((i16::from(q) - first) / step) as u8)),
            }
        }
    }

    /// Calls `f` with group, target and value of each non-zero off-diagonal element.
    #[inline]
    pub(crate) fn for_each<T: Element>(
        &self,
        digits: &[u8],
        values: &[T],
        sums: &mut Vec<T>,
        mut f: impl FnMut(usize, u32, T),
    ) {
        for g in 0..self.groups.len() {
            self.for_each_of(g, digits, values, sums, &mut f);
        }
    }

    /// The same for group `g` only.
    #[inline(always)]
    pub(crate) fn for_each_of<T: Element>(
        &self,
        g: usize,
        digits: &[u8],
        values: &[T],
        sums: &mut Vec<T>,
        f: &mut impl FnMut(usize, u32, T),
    ) {
        let mut emit = |target: u32, mel: T| {
            if mel != T::zero() {
                f(g, target, mel);
            }
        };
        let group = &self.groups[g];
        match group.lookups.1 - group.lookups.0 {
            1 => {
                let lookup = &self.lookups[group.lookups.0 as usize];
                let row = self.row(lookup, digits);
                let negative = !row.is_empty() && self.is_negative(lookup, digits);
                for entry in row {
                    emit(entry.target, signed(values[entry.slot as usize], negative));
                }
            }
            _ => {
                sums.clear();
                sums.resize(group.n_targets as usize, T::zero());
                for lookup in &self.lookups[range(group.lookups)] {
                    let negative = self.is_negative(lookup, digits);
                    for entry in self.row(lookup, digits) {
                        sums[entry.target as usize] += signed(values[entry.slot as usize], negative);
                    }
                }
                for (target, &mel) in sums.iter().enumerate() {
                    emit(target as u32, mel);
                }
            }
        }
    }

    /// The sites that group `g` changes, and the quantum numbers of a target on them.
    #[inline]
    pub(crate) fn target(&self, g: usize, target: u32) -> (&[u32], &[i8]) {
        let group = &self.groups[g];
        let sites = &self.changed[range(group.changed)];
        let start = group.new_values as usize + target as usize * sites.len();
        (sites, &self.new_values[start..start + sites.len()])
    }

    /// The diagonal element, added up in lanes so that no addition waits for the previous one.
    #[inline]
    pub(crate) fn diagonal<T: Element>(&self, digits: &[u8], values: &[T]) -> T {
        let mut lanes = [T::zero(); DIAGONAL_LANES];
        for lookups in self.diagonal.chunks(DIAGONAL_LANES) {
            for (lane, lookup) in lanes.iter_mut().zip(lookups) {
                let slot = self.diagonal_tables[lookup.table as usize + self.index(lookup, digits)];
                *lane += signed(values[slot as usize], self.is_negative(lookup, digits));
            }
        }
        sum_of_lanes(lanes)
    }

    #[inline]
    pub(crate) fn index(&self, lookup: &Lookup, digits: &[u8]) -> usize {
        let sites = &self.sites[range(lookup.sites)];
        let strides = &self.strides[range(lookup.sites)];
        // Most lookups cover one site or one bond.
        match (sites, strides) {
            (&[a], _) => return usize::from(digits[a as usize]),
            (&[a, b], &[stride, _]) => {
                return usize::from(digits[a as usize]) * stride as usize + usize::from(digits[b as usize]);
            }
            _ => {}
        }
        sites
            .iter()
            .zip(strides)
            .map(|(&site, &stride)| usize::from(digits[site as usize]) * stride as usize)
            .sum()
    }

    /// Whether a configuration's values are negated.
    #[inline]
    pub(crate) fn is_negative(&self, lookup: &Lookup, digits: &[u8]) -> bool {
        if lookup.signs.0 == lookup.signs.1 {
            return false;
        }
        let parity = self.signs[range(lookup.signs)].iter().fold(0, |parity, &(start, end)| {
            digits[start as usize..end as usize].iter().fold(parity, |parity, digit| parity ^ digit)
        });
        parity & 1 == 1
    }

    /// Number of rows of a lookup's table.
    pub(crate) fn n_rows(&self, lookup: &Lookup) -> usize {
        let (sites, strides) = (&self.sites[range(lookup.sites)], &self.strides[range(lookup.sites)]);
        match (sites.first(), strides.first()) {
            (Some(&site), Some(&stride)) => self.local_dim(site as usize) * stride as usize,
            _ => 1,
        }
    }

    fn local_dim(&self, site: usize) -> usize {
        self.local(site).len
    }

    /// The local states of a site.
    pub(crate) fn local(&self, site: usize) -> LocalStates {
        let block = self.blocks.partition_point(|block| block.start + block.n_sites <= site);
        self.blocks[block].local
    }

    #[inline]
    fn row(&self, lookup: &Lookup, digits: &[u8]) -> &[Entry] {
        self.entries_of(lookup.table as usize + self.index(lookup, digits))
    }

    /// The entries of a row of all tables.
    #[inline]
    pub(crate) fn entries_of(&self, row: usize) -> &[Entry] {
        &self.entries[self.row_starts[row] as usize..self.row_starts[row + 1] as usize]
    }

    pub(crate) fn for_each_slot(
        &self,
        lookups: (u32, u32),
        target: Option<u32>,
        digits: &[u8],
        f: &mut impl FnMut(usize, bool),
    ) {
        let Some(target) = target else {
            for lookup in &self.diagonal {
                let slot = self.diagonal_tables[lookup.table as usize + self.index(lookup, digits)];
                f(slot as usize, self.is_negative(lookup, digits));
            }
            return;
        };
        for lookup in &self.lookups[range(lookups)] {
            for entry in self.row(lookup, digits).iter().filter(|entry| entry.target == target) {
                f(entry.slot as usize, self.is_negative(lookup, digits));
            }
        }
    }
}
