//! Connected configurations as rows of bytes: the sample's row, with a few bytes edited.
//!
//! A row is copied in pieces of fixed size that stay in vector registers; the last piece overlaps the one
//! before it, so that no row is written beyond its end.

use pulp::{Arch, Simd, WithSimd};

/// How an element's number says which sites of the sample's row change, and to what.
pub(super) trait Edit {
    /// What names a change.
    type Item: Copy;

    /// Turns `row`, which holds x, into x'.
    fn edit(&self, item: Self::Item, row: &mut [i8]);
}

/// Writes one row after another: `x` with each of the changes.
pub(super) fn write<E: Edit>(x: &[i8], items: &[E::Item], edit: &E, states: &mut [i8]) {
    Arch::new().dispatch(Write { x, items, edit, states });
}

struct Write<'a, E: Edit> {
    x: &'a [i8],
    items: &'a [E::Item],
    edit: &'a E,
    states: &'a mut [i8],
}

impl<E: Edit> WithSimd for Write<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Write { x, items, edit, states } = self;
        match x.len() {
            0 => {}
            1..8 => copy_and_edit(Plain(x), x.len(), items, edit, states),
            8..16 => copy_and_edit(Ends::<8, 1>::new(x), x.len(), items, edit, states),
            16..32 => copy_and_edit(Ends::<16, 1>::new(x), x.len(), items, edit, states),
            32..=64 => copy_and_edit(Ends::<32, 1>::new(x), x.len(), items, edit, states),
            65..=96 => copy_and_edit(Ends::<32, 2>::new(x), x.len(), items, edit, states),
            97..=128 => copy_and_edit(Ends::<32, 3>::new(x), x.len(), items, edit, states),
            _ => copy_and_edit(Plain(x), x.len(), items, edit, states),
        }
    }
}

#[inline(always)]
fn copy_and_edit<C: Copied, E: Edit>(
    copied: C,
    n_sites: usize,
    items: &[E::Item],
    edit: &E,
    states: &mut [i8],
) {
    for (row, &item) in states.chunks_exact_mut(n_sites).zip(items) {
        copied.write(row);
        edit.edit(item, row);
    }
}

/// A row that is ready to be written many times.
trait Copied {
    fn write(&self, row: &mut [i8]);
}

struct Plain<'a>(&'a [i8]);

impl Copied for Plain<'_> {
    #[inline(always)]
    fn write(&self, row: &mut [i8]) {
        row.copy_from_slice(self.0);
    }
}

/// The first `N` pieces of `B` bytes of a row and its last `B` bytes: all of a row of `B · N` to `B · (N + 1)`.
struct Ends<const B: usize, const N: usize> {
    head: [[i8; B]; N],
    tail: [i8; B],
}

impl<const B: usize, const N: usize> Ends<B, N> {
    #[inline(always)]
    fn new(x: &[i8]) -> Self {
        let mut out = Ends { head: [[0; B]; N], tail: [0; B] };
        out.head.iter_mut().zip(x.chunks_exact(B)).for_each(|(to, from)| to.copy_from_slice(from));
        out.tail.copy_from_slice(&x[x.len() - B..]);
        out
    }
}

impl<const B: usize, const N: usize> Copied for Ends<B, N> {
    #[inline(always)]
    fn write(&self, row: &mut [i8]) {
        // Stated once, this spares a check at each piece.
        assert!(row.len() >= B * N && row.len() >= B);
        for (k, piece) in self.head.iter().enumerate() {
            row[k * B..(k + 1) * B].copy_from_slice(piece);
        }
        let start = row.len() - B;
        row[start..].copy_from_slice(&self.tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets a site to 100.
    struct Mark;

    impl Edit for Mark {
        type Item = usize;

        fn edit(&self, site: usize, row: &mut [i8]) {
            row[site] = 100;
        }
    }

    #[test]
    fn rows_of_any_length_are_the_sample_but_for_the_edit() {
        for n_sites in 0..300usize {
            let x: Vec<i8> = (0..n_sites).map(|site| (site % 97) as i8).collect();
            let sites: Vec<usize> = (0..n_sites).rev().collect();
            let mut states = vec![-1; n_sites * n_sites];
            write(&x, &sites, &Mark, &mut states);
            for (row, &site) in states.chunks_exact(n_sites.max(1)).zip(&sites) {
                let mut expected = x.clone();
                expected[site] = 100;
                assert_eq!(row, expected);
            }
            // With and without the instructions that only some processors have.
            let mut portable = vec![-1; n_sites * n_sites];
            let write = Write { x: &x, items: &sites, edit: &Mark, states: &mut portable };
            pulp::Scalar::new().vectorize(write);
            assert_eq!(portable, states);
        }
    }
}
