//! Rows of local indices for changes that flip sites of two states.

use pulp::bytemuck;

use super::row_writer::{self, Change, Layout, Rows, Source};
use crate::kernel::changes::Changes;

/// The most bytes of all masks.
const MAX_BYTES: usize = 64 << 20;

/// A mask for each change, whose bytes are 1 at the sites that it flips. A row is that of its sample with the bits of
/// the mask inverted, which is faster than to copy the sample and then change single bytes.
#[derive(Debug)]
pub struct FlippedRows {
    n_sites: usize,
    masks: Vec<i8>,
}

impl FlippedRows {
    /// For the changes of local indices on `n_sites` sites. `None` if one does anything but flip sites of two states, or
    /// if all masks together are large.
    pub fn new(changes: &Changes, n_sites: usize) -> Option<Self> {
        let layout = Layout::of(n_sites);
        if changes.len().checked_mul(layout.len())? > MAX_BYTES {
            return None;
        }
        let mut masks = Vec::with_capacity(changes.len() * layout.len());
        let mut mask = vec![0; n_sites];
        for number in 0..changes.len() as u32 {
            mask.fill(0);
            for edit in changes.edits(number) {
                if (edit.offset, edit.factor) != (1, -1) {
                    return None;
                }
                *mask.get_mut(edit.site as usize)? = 1;
            }
            layout.push(&mask, &mut masks);
        }
        Some(FlippedRows { n_sites, masks })
    }

    /// Writes the states that changes lead to from `x`, one a row.
    ///
    /// # Panics
    /// If there is not one row of the sites for each change, or a change has no number.
    pub fn write(&self, x: &[i8], changes: &[u32], rows: &mut [u8]) {
        assert_eq!(x.len(), self.n_sites, "a configuration has one index for each site");
        assert_eq!(rows.len(), changes.len() * self.n_sites, "there is a row for each change");
        row_writer::write(Numbers(changes), self, x, bytemuck::cast_slice_mut(rows));
    }
}

impl Change for FlippedRows {
    #[inline(always)]
    fn masks(&self) -> &[i8] {
        &self.masks
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
