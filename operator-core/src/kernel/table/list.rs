//! Tables for given slot values, laid out to list the elements of a sample without branches.

use std::collections::HashMap;
use std::ops::Range;

use super::kernel::{DIAGONAL_LANES, Group, Lookup, TableKernel, sum_of_lanes};
use crate::element::Element;
use crate::kernel::offsets::range;

/// The most entries in a row of a table, and the most sites that a group changes.
pub(crate) const MAX_WIDTH: usize = 4;
/// The bit of an item that marks its element as negated.
const NEGATIVE: u64 = 1 << 63;

/// Tables for given slot values, laid out to list the elements of a sample without branches. The entries of a
/// row are contiguous. The widest possible row is always written to the list, and the list grows by the number
/// of actual entries.
#[derive(Debug)]
pub(crate) struct TableList<T> {
    /// Start and number of the entries of each row.
    rows: Vec<(u32, u32)>,
    groups: Vec<ListGroup>,
    /// Whether all tables cover at most two sites and have no sign sets.
    is_simple: bool,
    /// The diagonal's tables, if each covers at most two sites without signs. The rows of a table are values.
    diagonal: Option<Vec<[ListGroup; DIAGONAL_LANES]>>,
    diagonal_values: Vec<T>,
    /// Matrix element of each entry.
    mels: Vec<T>,
    /// The target of each entry within its group, as in the kernel.
    targets: Vec<u32>,
    /// New quantum numbers of each entry, padded by repeating the first.
    values: Vec<[i8; MAX_WIDTH]>,
    /// The largest number of entries of a row.
    width: usize,
}

/// Where to look up a table that covers one or two sites.
#[derive(Clone, Copy, Debug)]
struct ListGroup {
    sites: [u32; 2],
    strides: [u32; 2],
    /// Start of its rows.
    rows: u32,
}

impl ListGroup {
    fn new(kernel: &TableKernel, lookup: &Lookup, rows: u32) -> Self {
        match (&kernel.sites[range(lookup.sites)], &kernel.strides[range(lookup.sites)]) {
            (&[a, b], &[first, second]) => ListGroup { sites: [a, b], strides: [first, second], rows },
            (sites, strides) => {
                let first = |of: &[u32]| [of.first().copied().unwrap_or(0), 0];
                ListGroup { sites: first(sites), strides: first(strides), rows }
            }
        }
    }

    /// The row for a sample's digits.
    #[inline(always)]
    fn row(&self, digits: &[u8]) -> usize {
        let [a, b] = self.sites.map(|site| u32::from(digits[site as usize]));
        (self.rows + self.strides[0] * a + self.strides[1] * b) as usize
    }
}

impl<T: Element> TableList<T> {
    /// `None` if rows have too many entries, or groups change too many sites.
    pub(crate) fn new(kernel: &TableKernel, slots: &[T]) -> Option<Self> {
        let mut out = TableList {
            rows: Vec::new(),
            groups: Vec::with_capacity(kernel.groups.len()),
            is_simple: true,
            diagonal: None,
            diagonal_values: kernel.slot_tables.iter().map(|&slot| slots[slot as usize]).collect(),
            mels: Vec::new(),
            targets: Vec::new(),
            values: Vec::new(),
            width: 1,
        };
        out.diagonal = out.diagonal_in_lanes(kernel);
        let mut known: HashMap<(u32, u32, usize), u32> = HashMap::new();
        for group in &kernel.groups {
            let n_changed = range(group.changed).len();
            if n_changed > MAX_WIDTH {
                return None;
            }
            let lookup = &group.lookup;
            let next = u32::try_from(out.rows.len()).ok()?;
            let rows = *known.entry((lookup.table, group.new_values, n_changed)).or_insert(next);
            if rows == next {
                for row in 0..kernel.n_rows(lookup) {
                    out.push_row(kernel, group, lookup.table as usize + row, slots)?;
                }
            }
            out.is_simple &= is_simple(lookup);
            out.groups.push(ListGroup::new(kernel, lookup, rows));
        }
        // Entry numbers have 31 bits.
        (out.mels.len() < 1 << 31).then_some(out)
    }

    fn push_row(&mut self, kernel: &TableKernel, group: &Group, row: usize, slots: &[T]) -> Option<()> {
        let start = self.mels.len();
        let n_changed = range(group.changed).len();
        let entries = kernel.row_starts[row] as usize..kernel.row_starts[row + 1] as usize;
        for entry in &kernel.entries[entries] {
            let mel = slots[entry.slot as usize];
            if mel != T::zero() {
                let first = group.new_values as usize + entry.target as usize * n_changed;
                let values = &kernel.new_values[first..first + n_changed];
                self.mels.push(mel);
                self.targets.push(entry.target);
                self.values.push(std::array::from_fn(|k| values[if k < n_changed { k } else { 0 }]));
            }
        }
        let n = self.mels.len() - start;
        self.rows.push((u32::try_from(start).ok()?, n as u32));
        self.width = self.width.max(n);
        (n <= MAX_WIDTH).then_some(())
    }

    /// The diagonal's tables by the lane in which [`TableKernel::diagonal_of_tables`] adds them up, without those whose
    /// values are all zero.
    fn diagonal_in_lanes(&mut self, kernel: &TableKernel) -> Option<Vec<[ListGroup; DIAGONAL_LANES]>> {
        let mut lanes: [Vec<ListGroup>; DIAGONAL_LANES] = Default::default();
        for (k, lookup) in kernel.diagonal.iter().enumerate() {
            if !is_simple(lookup) {
                return None;
            }
            let start = lookup.table as usize;
            let values = &self.diagonal_values[start..start + kernel.n_rows(lookup)];
            if values.iter().any(|value| *value != T::zero()) {
                lanes[k % DIAGONAL_LANES].push(ListGroup::new(kernel, lookup, lookup.table));
            }
        }
        // Shorter lanes add zeros.
        let zero = ListGroup { sites: [0; 2], strides: [0; 2], rows: self.diagonal_values.len() as u32 };
        self.diagonal_values.push(T::zero());
        let longest = lanes.iter().map(Vec::len).max().unwrap_or(0);
        let at = |k: usize| std::array::from_fn(|lane| lanes[lane].get(k).copied().unwrap_or(zero));
        Some((0..longest).map(at).collect())
    }

    /// The diagonal element, added up as [`TableKernel::diagonal`] does.
    pub(crate) fn diagonal(&self, kernel: &TableKernel, digits: &[u8], slots: &[T]) -> T {
        let tables = self.diagonal_of_tables(kernel, digits, slots);
        if kernel.n_diagonal_products == 0 {
            tables
        } else {
            tables + kernel.diagonal_products(digits, slots)
        }
    }

    /// The part of the diagonal element that tables give, added up as [`TableKernel::diagonal_of_tables`] does.
    pub(crate) fn diagonal_of_tables(&self, kernel: &TableKernel, digits: &[u8], slots: &[T]) -> T {
        let Some(diagonal) = &self.diagonal else { return kernel.diagonal_of_tables(digits, slots) };
        let mut sums = [T::zero(); DIAGONAL_LANES];
        for lanes in diagonal {
            for (sum, lane) in sums.iter_mut().zip(lanes) {
                *sum += self.diagonal_values[lane.row(digits)];
            }
        }
        sum_of_lanes(sums)
    }

    /// Writes the elements of a sample into a list from `start` on and returns their number. The list grows as
    /// needed. An item names a group and an entry.
    pub(crate) fn list(
        &self,
        kernel: &TableKernel,
        digits: &[u8],
        start: usize,
        items: &mut Vec<u64>,
    ) -> usize {
        let end = start + MAX_WIDTH + self.width * self.groups.len();
        if items.len() < end {
            items.resize(end.max(2 * items.len()), 0);
        }
        let items = &mut items[start..end];
        match (self.width, self.is_simple) {
            (1, true) => self.list_pairs::<1>(digits, items),
            (2, true) => self.list_pairs::<2>(digits, items),
            (_, true) => self.list_pairs::<MAX_WIDTH>(digits, items),
            (_, false) => self.list_all(kernel, digits, items),
        }
    }

    #[inline(always)]
    fn list_pairs<const W: usize>(&self, digits: &[u8], items: &mut [u64]) -> usize {
        let mut n = 0;
        for (g, group) in self.groups.iter().enumerate() {
            let (first, count) = self.rows[group.row(digits)];
            push::<W>(g, first, 0, &mut items[n..]);
            n += count as usize;
        }
        n
    }

    fn list_all(&self, kernel: &TableKernel, digits: &[u8], items: &mut [u64]) -> usize {
        let mut n = 0;
        for ((g, group), list_group) in kernel.groups.iter().enumerate().zip(&self.groups) {
            let lookup = &group.lookup;
            let (first, count) = self.rows[list_group.rows as usize + kernel.index(lookup, digits)];
            let sign = if kernel.is_negative(lookup, digits) { NEGATIVE } else { 0 };
            push::<MAX_WIDTH>(g, first, sign, &mut items[n..]);
            n += count as usize;
        }
        n
    }

    /// The item of a step group's element. Its entry is none of the list's.
    #[inline(always)]
    pub(crate) fn step_item(&self, group: usize) -> u64 {
        (self.mels.len() as u64) << 32 | group as u64
    }

    /// The target number of an item.
    #[inline(always)]
    pub(crate) fn target(&self, item: u64) -> u32 {
        self.targets[parts(item).1]
    }

    pub(crate) fn n_entries(&self) -> usize {
        self.mels.len()
    }

    /// The entries of a row of a group's table.
    pub(crate) fn entries_of(&self, group: usize, row: usize) -> Range<usize> {
        let (first, count) = self.rows[self.groups[group].rows as usize + row];
        first as usize..(first + count) as usize
    }

    /// New quantum numbers of each entry on the sites of its group.
    pub(crate) fn values(&self) -> &[[i8; MAX_WIDTH]] {
        &self.values
    }

    /// The matrix element of an item.
    #[inline(always)]
    pub(crate) fn mel(&self, item: u64) -> T {
        let mel = self.mels[parts(item).1];
        if item & NEGATIVE == 0 { mel } else { -mel }
    }
}

/// The group and the entry of an item.
#[inline(always)]
pub(crate) fn parts(item: u64) -> (usize, usize) {
    (item as u32 as usize, ((item & !NEGATIVE) >> 32) as usize)
}

/// Whether a table covers one or two sites and has no sign set.
fn is_simple(lookup: &Lookup) -> bool {
    matches!(range(lookup.sites).len(), 1 | 2) && range(lookup.signs).is_empty()
}

/// Writes the first `W` entries of a row, which may have fewer.
#[inline(always)]
fn push<const W: usize>(group: usize, first: u32, sign: u64, items: &mut [u64]) {
    if let Some(items) = items.first_chunk_mut::<W>() {
        let first = sign | u64::from(first) << 32 | group as u64;
        *items = std::array::from_fn(|k| first + ((k as u64) << 32));
    }
}
