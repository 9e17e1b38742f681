use std::collections::HashMap;

use super::table::TableKernel;
use super::{range, table};
use crate::element::Element;

/// Rows of tables have no more entries than this, and groups change no more sites.
pub(super) const MAX_WIDTH: usize = 4;
/// The bit of an item that says that its element is negated.
const NEGATIVE: u64 = 1 << 63;

/// Tables for given values of the slots, laid out so that the elements of a sample are listed without
/// branches: a row's entries lie together, all that a row could have are written to the list, and the list
/// grows by the number that it has.
#[derive(Debug)]
pub(super) struct TableList<T> {
    /// Start and number of the entries of each row.
    rows: Vec<(u32, u32)>,
    /// Where the rows of each group start.
    group_rows: Vec<u32>,
    /// Matrix element of each entry.
    mels: Vec<T>,
    /// Which target of its group each entry is, as in the kernel.
    targets: Vec<u32>,
    /// New quantum numbers of each entry; beyond the last, the first is repeated.
    values: Vec<[i8; MAX_WIDTH]>,
    /// The largest number of entries of a row.
    width: usize,
}

impl<T: Element> TableList<T> {
    /// `None` for kernels whose groups are sums of tables, or have too many entries a row or changed sites.
    pub(super) fn new(kernel: &TableKernel, slots: &[T]) -> Option<Self> {
        let mut out = TableList {
            rows: Vec::new(),
            group_rows: Vec::with_capacity(kernel.groups.len()),
            mels: Vec::new(),
            targets: Vec::new(),
            values: Vec::new(),
            width: 1,
        };
        let mut known: HashMap<(u32, u32, usize), u32> = HashMap::new();
        for group in &kernel.groups {
            let n_changed = range(group.changed).len();
            if range(group.lookups).len() != 1 || n_changed > MAX_WIDTH {
                return None;
            }
            let lookup = &kernel.lookups[group.lookups.0 as usize];
            let next = u32::try_from(out.rows.len()).ok()?;
            let rows = *known.entry((lookup.table, group.new_values, n_changed)).or_insert(next);
            if rows == next {
                for row in 0..kernel.n_rows(lookup) {
                    out.push_row(kernel, group, lookup.table as usize + row, slots)?;
                }
            }
            out.group_rows.push(rows);
        }
        // Entries are numbered by 31 bits.
        (out.mels.len() < 1 << 31).then_some(out)
    }

    fn push_row(
        &mut self,
        kernel: &TableKernel,
        group: &table::Group,
        row: usize,
        slots: &[T],
    ) -> Option<()> {
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

    /// Appends the elements of a sample to a list; an item is a group and an entry.
    #[inline(always)]
    pub(super) fn list(&self, kernel: &TableKernel, digits: &[u8], items: &mut Vec<u64>) {
        match self.width {
            1 => self.list_width::<1>(kernel, digits, items),
            2 => self.list_width::<2>(kernel, digits, items),
            _ => self.list_width::<MAX_WIDTH>(kernel, digits, items),
        }
    }

    #[inline(always)]
    fn list_width<const W: usize>(&self, kernel: &TableKernel, digits: &[u8], items: &mut Vec<u64>) {
        let start = items.len();
        items.resize(start + W * (kernel.groups.len() + 1), 0);
        let (list, mut n) = (&mut items[start..], 0);
        for ((g, group), &rows) in kernel.groups.iter().enumerate().zip(&self.group_rows) {
            let lookup = &kernel.lookups[group.lookups.0 as usize];
            let (first, count) = self.rows[rows as usize + kernel.index(lookup, digits)];
            let negative = if kernel.is_negative(lookup, digits) { NEGATIVE } else { 0 };
            let first = negative | u64::from(first) << 32 | g as u64;
            for (k, item) in list[n..n + W].iter_mut().enumerate() {
                *item = first + ((k as u64) << 32);
            }
            n += count as usize;
        }
        items.truncate(start + n);
    }

    /// Number of the group of an item.
    #[inline(always)]
    pub(super) fn group(item: u64) -> usize {
        item as u32 as usize
    }

    #[inline(always)]
    fn entry(item: u64) -> usize {
        ((item & !NEGATIVE) >> 32) as usize
    }

    /// Number of the target of an item.
    #[inline(always)]
    pub(super) fn target(&self, item: u64) -> u32 {
        self.targets[Self::entry(item)]
    }

    /// New quantum numbers of an item's changed sites.
    #[inline(always)]
    pub(super) fn values(&self, item: u64) -> &[i8; MAX_WIDTH] {
        &self.values[Self::entry(item)]
    }

    /// The matrix element of an item.
    #[inline(always)]
    pub(super) fn mel(&self, item: u64) -> T {
        let mel = self.mels[Self::entry(item)];
        if item & NEGATIVE == 0 { mel } else { -mel }
    }
}
