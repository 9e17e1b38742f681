//! Rows of local indices for changes that flip sites of two states, or add to indices.

use pulp::bytemuck;

use super::row_writer::{self, Change, Layout, Rows, Source};
use crate::kernel::changes::{Changes, Edit};

/// The most bytes of all masks.
const MAX_BYTES: usize = 64 << 20;

/// A mask for each change, a byte a site, which makes its row from that of the sample. This is faster than to copy the
/// sample and then change single bytes.
#[derive(Debug)]
pub struct MaskedRows {
    n_sites: usize,
    how: How,
    masks: Vec<i8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Inverts the bits of the mask: spin flips.
    Flip,
    /// Adds the mask: particles that hop.
    Add,
}

impl How {
    /// The mask's byte for an edit, if it is of this kind.
    fn byte(self, edit: &Edit) -> Option<i8> {
        match (self, edit.factor) {
            (How::Flip, -1) if edit.offset == 1 => Some(1),
            (How::Add, 1) => Some(edit.offset),
            _ => None,
        }
    }
}

impl MaskedRows {
    /// For the changes of local indices on `n_sites` sites. `None` if they are neither all flips of sites of two states nor
    /// all sums, or if all masks together are large.
    pub fn new(changes: &Changes, n_sites: usize) -> Option<Self> {
        [How::Flip, How::Add].into_iter().find_map(|how| Self::of(how, changes, n_sites))
    }

    fn of(how: How, changes: &Changes, n_sites: usize) -> Option<Self> {
        let layout = Layout::of(n_sites);
        if changes.len().checked_mul(layout.len())? > MAX_BYTES {
            return None;
        }
        let mut masks = Vec::with_capacity(changes.len() * layout.len());
        let mut mask = vec![0; n_sites];
        for number in 0..changes.len() as u32 {
            mask.fill(0);
            for edit in changes.edits(number) {
                *mask.get_mut(edit.site as usize)? = how.byte(edit)?;
            }
            layout.push(&mask, &mut masks);
        }
        Some(MaskedRows { n_sites, how, masks })
    }

    /// Writes the states that changes lead to from `x`, one a row.
    ///
    /// # Panics
    /// If there is not one row of the sites for each change, or a change has no number.
    pub fn write(&self, x: &[i8], changes: &[u32], rows: &mut [u8]) {
        assert_eq!(x.len(), self.n_sites, "a configuration has one index for each site");
        assert_eq!(rows.len(), changes.len() * self.n_sites, "there is a row for each change");
        let (numbers, rows) = (Numbers(changes), bytemuck::cast_slice_mut(rows));
        match self.how {
            How::Flip => row_writer::write(numbers, &Flips(&self.masks), x, rows),
            How::Add => row_writer::write(numbers, &Sums(&self.masks), x, rows),
        }
    }
}

struct Flips<'a>(&'a [i8]);

impl Change for Flips<'_> {
    #[inline(always)]
    fn masks(&self) -> &[i8] {
        self.0
    }
}

struct Sums<'a>(&'a [i8]);

impl Change for Sums<'_> {
    #[inline(always)]
    fn masks(&self) -> &[i8] {
        self.0
    }

    #[inline(always)]
    fn combine(index: i8, mask: i8) -> i8 {
        index.wrapping_add(mask)
    }
}

/// Changes by number.
struct Numbers<'a>(&'a [u32]);

impl Source for Numbers<'_> {
    #[inline(always)]
    fn send(self, mut rows: impl Rows) {
        self.0.iter().for_each(|&number| rows.push(u64::from(number)));
    }
}
