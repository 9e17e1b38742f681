//! Connected configurations as rows of bytes: the sample's row, changed.
//!
//! A row is written in pieces of fixed size, of which the last overlaps the one before it, so that no row is
//! written beyond its end; the sample's pieces stay in vector registers.

use std::slice::ChunksExactMut;

use pulp::{Arch, Simd, WithSimd};

use super::mask::MaskKernel;

/// How an item, which names an element, turns the sample's row into another: by masks, or by edits.
pub(super) trait Change {
    /// For each item the bits to be inverted, in the pieces of a row one after another; empty if there are none.
    #[inline(always)]
    fn masks(&self) -> &[i8] {
        &[]
    }

    /// Changes single bytes of the row that has been written.
    #[inline(always)]
    fn edit(&self, _item: u64, _row: &mut [i8]) {}
}

/// Bytes of a piece, and number of pieces of a row; one piece of all bytes where sizes are not fixed.
fn pieces_of(n_sites: usize) -> (usize, usize) {
    match n_sites {
        8..16 => (8, 2),
        16..32 => (16, 2),
        32..=128 => (32, n_sites.div_ceil(32)),
        _ => (n_sites, 1),
    }
}

/// Where the `k`-th piece of a row starts.
#[inline(always)]
fn start(n_sites: usize, piece: usize, k: usize) -> usize {
    (k * piece).min(n_sites - piece)
}

/// Writes one row after another.
pub(super) trait Rows {
    /// The next row, that of `item`.
    fn push(&mut self, item: u64);
}

/// Says which rows are to be written.
pub(super) trait Source {
    /// Pushes all of them.
    fn send(self, rows: impl Rows);
}

/// Items that stand in a list.
impl Source for &[u64] {
    #[inline(always)]
    fn send(self, mut rows: impl Rows) {
        self.iter().for_each(|&item| rows.push(item));
    }
}

/// Writes the rows of a source.
pub(super) fn write(source: impl Source, change: &impl Change, x: &[i8], states: &mut [i8]) {
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
        match pieces_of(self.x.len()) {
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
        let Some(row) = self.states.next() else { return };
        let mut pieces = self.x;
        if !self.masks.is_empty() {
            let masks = &self.masks[item as usize];
            for (piece, mask) in pieces.iter_mut().zip(masks) {
                *piece = inverted(piece, mask);
            }
        }
        // Stated once, this spares a check at each piece.
        assert!(row.len() >= B * (N - 1));
        for (k, piece) in pieces[..N - 1].iter().enumerate() {
            row[k * B..(k + 1) * B].copy_from_slice(piece);
        }
        row[self.last..][..B].copy_from_slice(&pieces[N - 1]);
        self.change.edit(item, row);
    }
}

/// Not in place, where the compiler would have to know that the two do not overlap.
#[inline(always)]
fn inverted<const B: usize>(piece: &[i8; B], mask: &[i8; B]) -> [i8; B] {
    let mut inverted = *piece;
    inverted.iter_mut().zip(mask).for_each(|(q, mask)| *q ^= mask);
    inverted
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
        let Some(row) = self.states.next() else { return };
        match self.change.masks() {
            [] => row.copy_from_slice(self.x),
            masks => {
                let mask = &masks[item as usize * row.len()..];
                row.iter_mut().zip(self.x).zip(mask).for_each(|((to, x), mask)| *to = x ^ mask);
            }
        }
        self.change.edit(item, row);
    }
}

/// Rows of two-level sites: a flip replaces one quantum number by the other, so each row is the sample's with
/// the bits of a mask inverted.
///
/// Editing the bytes of a row that has just been written takes longer, as the processor has to put both writes
/// together.
#[derive(Debug)]
pub(super) struct RowMasks(Vec<i8>);

impl RowMasks {
    pub(super) fn new(kernel: &MaskKernel) -> Self {
        let n_sites = kernel.mirror.len();
        let (piece, n_pieces) = pieces_of(n_sites);
        let mut masks = Vec::with_capacity(kernel.groups.len() * n_pieces * piece);
        let mut mask = vec![0; n_sites];
        for g in 0..kernel.groups.len() {
            mask.fill(0);
            kernel.flips_of(g).iter().for_each(|&site| mask[site as usize] = kernel.inversion(site as usize));
            for k in 0..n_pieces {
                masks.extend_from_slice(&mask[start(n_sites, piece, k)..][..piece]);
            }
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

    /// Sets a site to 100.
    struct Mark;

    impl Change for Mark {
        fn edit(&self, site: u64, row: &mut [i8]) {
            row[site as usize] = 100;
        }
    }

    /// A row for each site, with and without the instructions that only some processors have.
    fn written(change: &impl Change, x: &[i8]) -> Vec<i8> {
        let items: Vec<u64> = (0..x.len() as u64).collect();
        let mut states = vec![-1; x.len() * x.len()];
        write(&items[..], change, x, &mut states);
        let mut portable = vec![-1; x.len() * x.len()];
        pulp::Scalar::new().vectorize(Write { source: &items[..], change, x, states: &mut portable });
        assert_eq!(portable, states);
        states
    }

    #[test]
    fn rows_of_any_length_are_the_sample_but_for_the_change() {
        for n_sites in 1..300usize {
            let x: Vec<i8> = (0..n_sites).map(|site| (site % 97) as i8).collect();
            let marked = written(&Mark, &x);
            // Masks that invert the last bit of one site.
            let (piece, n_pieces) = pieces_of(n_sites);
            let mask = |g: usize, k: usize, i: usize| i8::from(start(n_sites, piece, k) + i == g);
            let masks = (0..n_sites)
                .flat_map(|g| (0..n_pieces).flat_map(move |k| (0..piece).map(move |i| mask(g, k, i))));
            let inverted = written(&RowMasks(masks.collect()), &x);
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
