//! Connected configurations as rows of bytes: the sample's row with changes.
//!
//! A row is written in pieces of fixed size. The last piece overlaps the one before it, so no write passes the
//! end of the row. The sample's pieces stay in vector registers.

use std::slice::ChunksExactMut;

use pulp::{Arch, Simd, WithSimd};

use crate::kernel::mask::MaskKernel;

/// How an item turns the sample's row into a connected one: by combining it with a mask row, or by edits.
pub(crate) trait Change {
    /// Rows to combine with the sample's row, in the pieces of a [`Layout`]; empty if there are none.
    #[inline(always)]
    fn masks(&self) -> &[i8] {
        &[]
    }

    /// The number of the item's row among these.
    #[inline(always)]
    fn mask_of(&self, item: u64) -> usize {
        item as usize
    }

    /// A quantum number of the new row, from those of the sample and the mask.
    #[inline(always)]
    fn combine(q: i8, mask: i8) -> i8 {
        q ^ mask
    }

    /// Changes single bytes of the row just written.
    #[inline(always)]
    fn edit(&self, _item: u64, _row: &mut [i8]) {}
}

/// The pieces of a row. Rows without a fixed piece size are one piece.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    n_sites: usize,
    piece: usize,
    n_pieces: usize,
}

impl Layout {
    pub(crate) fn of(n_sites: usize) -> Self {
        let (piece, n_pieces) = match n_sites {
            8..16 => (8, 2),
            16..32 => (16, 2),
            32..=128 => (32, n_sites.div_ceil(32)),
            _ => (n_sites, 1),
        };
        Layout { n_sites, piece, n_pieces }
    }

    /// Total bytes of the pieces of a row.
    pub(crate) fn len(self) -> usize {
        self.piece * self.n_pieces
    }

    /// Appends the pieces of a row.
    pub(crate) fn push(self, row: &[i8], to: &mut Vec<i8>) {
        (0..self.n_pieces)
            .for_each(|k| to.extend_from_slice(&row[start(self.n_sites, self.piece, k)..][..self.piece]));
    }
}

/// Where the `k`-th piece of a row starts.
#[inline(always)]
fn start(n_sites: usize, piece: usize, k: usize) -> usize {
    (k * piece).min(n_sites - piece)
}

/// Writes one row after another.
pub(crate) trait Rows {
    /// Writes the row of `item`.
    fn push(&mut self, item: u64);
}

/// Says which rows to write.
pub(crate) trait Source {
    /// Pushes every row.
    fn send(self, rows: impl Rows);
}

/// Writes the rows of a source.
pub(crate) fn write(source: impl Source, change: &impl Change, x: &[i8], states: &mut [i8]) {
    Arch::new().dispatch(Write { source, change, x, states });
}

struct Write<'a, S, C> {
    source: S,
    change: &'a C,
    x: &'a [i8],
    states: &'a mut [i8],
}

impl<S: Source, C: Change> WithSimd for Write<'_, S, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        let Layout { piece, n_pieces, .. } = Layout::of(self.x.len());
        match (piece, n_pieces) {
            (8, 2) => self.in_pieces::<8, 2>(),
            (16, 2) => self.in_pieces::<16, 2>(),
            (32, 1) => self.in_pieces::<32, 1>(),
            (32, 2) => self.in_pieces::<32, 2>(),
            (32, 3) => self.in_pieces::<32, 3>(),
            (32, 4) => self.in_pieces::<32, 4>(),
            (0, _) => {}
            _ => {
                let Write { source, change, x, states } = self;
                source.send(Whole { change, x, states: states.chunks_exact_mut(x.len()) });
            }
        }
    }
}

impl<S: Source, C: Change> Write<'_, S, C> {
    #[inline(always)]
    fn in_pieces<const B: usize, const N: usize>(self) {
        let Write { source, change, x, states } = self;
        let n_sites = x.len();
        let masks = change.masks().as_chunks().0.as_chunks().0;
        let x: [[i8; B]; N] = std::array::from_fn(|k| std::array::from_fn(|i| x[start(n_sites, B, k) + i]));
        source.send(Pieces { change, masks, x, last: n_sites - B, states: states.chunks_exact_mut(n_sites) });
    }
}

/// Why a row is there for each element.
const ONE_ROW_EACH: &str = "the slice has a row for each element that was counted";

/// Rows of `N` pieces of `B` bytes.
struct Pieces<'a, C, const B: usize, const N: usize> {
    change: &'a C,
    masks: &'a [[[i8; B]; N]],
    x: [[i8; B]; N],
    /// Where the last piece starts.
    last: usize,
    states: ChunksExactMut<'a, i8>,
}

impl<C: Change, const B: usize, const N: usize> Rows for Pieces<'_, C, B, N> {
    #[inline(always)]
    fn push(&mut self, item: u64) {
        let row = self.states.next().expect(ONE_ROW_EACH);
        let mut pieces = self.x;
        if !self.masks.is_empty() {
            let masks = &self.masks[self.change.mask_of(item)];
            for (piece, mask) in pieces.iter_mut().zip(masks) {
                *piece = combined::<C, B>(piece, mask);
            }
        }
        // Stated once, this removes a bounds check for each piece.
        assert!(row.len() >= B * (N - 1));
        for (k, piece) in pieces[..N - 1].iter().enumerate() {
            row[k * B..(k + 1) * B].copy_from_slice(piece);
        }
        row[self.last..][..B].copy_from_slice(&pieces[N - 1]);
        self.change.edit(item, row);
    }
}

/// Not in place: the compiler would have to know that the two do not overlap.
#[inline(always)]
fn combined<C: Change, const B: usize>(piece: &[i8; B], mask: &[i8; B]) -> [i8; B] {
    let mut combined = *piece;
    combined.iter_mut().zip(mask).for_each(|(q, mask)| *q = C::combine(*q, *mask));
    combined
}

/// Rows of any length.
struct Whole<'a, C> {
    change: &'a C,
    x: &'a [i8],
    states: ChunksExactMut<'a, i8>,
}

impl<C: Change> Rows for Whole<'_, C> {
    #[inline(always)]
    fn push(&mut self, item: u64) {
        let row = self.states.next().expect(ONE_ROW_EACH);
        match self.change.masks() {
            [] => row.copy_from_slice(self.x),
            masks => {
                let mask = &masks[self.change.mask_of(item) * row.len()..];
                row.iter_mut().zip(self.x).zip(mask).for_each(|((to, x), mask)| *to = C::combine(*x, *mask));
            }
        }
        self.change.edit(item, row);
    }
}

/// Rows of two-level sites. A flip replaces one quantum number by the other, so each row is the sample's row
/// with the bits of a mask inverted.
///
/// Editing bytes of a row that was just written is slower, because the processor has to merge the two writes.
#[derive(Debug)]
pub(crate) struct RowMasks(Vec<i8>);

impl RowMasks {
    pub(crate) fn new(kernel: &MaskKernel) -> Self {
        let n_sites = kernel.mirror.len();
        let layout = Layout::of(n_sites);
        let mut masks = Vec::with_capacity(kernel.groups.len() * layout.len());
        let mut mask = vec![0; n_sites];
        for g in 0..kernel.groups.len() {
            mask.fill(0);
            kernel.flips_of(g).iter().for_each(|&site| mask[site as usize] = kernel.inversion(site as usize));
            layout.push(&mask, &mut masks);
        }
        RowMasks(masks)
    }
}

impl Change for RowMasks {
    #[inline(always)]
    fn masks(&self) -> &[i8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items from a list.
    #[derive(Clone, Copy)]
    struct Items<'a>(&'a [u64]);

    impl Source for Items<'_> {
        fn send(self, mut rows: impl Rows) {
            self.0.iter().for_each(|&item| rows.push(item));
        }
    }

    /// Sets a site to 100.
    struct Mark;

    impl Change for Mark {
        fn edit(&self, site: u64, row: &mut [i8]) {
            row[site as usize] = 100;
        }
    }

    /// A row for each site, with and without instructions that only some processors have.
    fn written(change: &impl Change, x: &[i8]) -> Vec<i8> {
        let items: Vec<u64> = (0..x.len() as u64).collect();
        let mut states = vec![-1; x.len() * x.len()];
        write(Items(&items), change, x, &mut states);
        let mut portable = vec![-1; x.len() * x.len()];
        pulp::Scalar::new().vectorize(Write { source: Items(&items), change, x, states: &mut portable });
        assert_eq!(portable, states);
        states
    }

    #[test]
    fn rows_of_any_length_are_the_sample_but_for_the_change() {
        for n_sites in 1..300usize {
            let x: Vec<i8> = (0..n_sites).map(|site| (site % 97) as i8).collect();
            let marked = written(&Mark, &x);
            // Masks that invert the last bit of one site.
            let mut masks = Vec::new();
            for g in 0..n_sites {
                let mask: Vec<i8> = (0..n_sites).map(|site| i8::from(site == g)).collect();
                Layout::of(n_sites).push(&mask, &mut masks);
            }
            let inverted = written(&RowMasks(masks), &x);
            for site in 0..n_sites {
                let row = site * n_sites..(site + 1) * n_sites;
                let mut expected = x.clone();
                expected[site] = 100;
                assert_eq!(marked[row.clone()], expected);
                expected[site] = x[site] ^ 1;
                assert_eq!(inverted[row], expected);
            }
        }
    }
}
