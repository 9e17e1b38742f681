//! The kernel on two-level sites.

use super::diagonal::Diagonal;
use super::occupied::OccupiedIndex;
use super::pieces::{Pieces, Words};
use crate::bits::SiteSet;
use crate::element::Element;
use crate::hilbert::Block;
use crate::kernel::offsets::range;

/// An operator on two-level sites.
///
/// A configuration is a bit mask; bit i is set if site i is in its local state 1. Terms that flip the same
/// sites form a *group*. They connect x to the same x' = x ^ flip, so the group is one matrix element. It is a
/// sum over *pieces*, each `(-1)^|x & sign| · table[bits of x on the piece's support]`. A Pauli string is a
/// piece with a sign mask and no support. The XX + YY of a bond is one piece whose table is zero if the two
/// spins are aligned. A fermion hop has its two modes as support and the Jordan-Wigner string as sign mask.
#[derive(Debug)]
pub(crate) struct MaskKernel {
    /// Blocks of sites with equal local states.
    pub(crate) blocks: Vec<Block>,
    /// For each site, the sum of its two quantum numbers.
    pub(crate) mirror: Vec<i8>,
    /// The diagonal's pieces come first, then the pieces of group 0, 1, …
    pub(crate) pieces: Pieces,
    /// Number of pieces of the diagonal.
    pub(crate) n_diagonal: u32,
    /// How the diagonal's pieces are added up.
    pub(crate) diagonal: Diagonal,
    pub(crate) groups: Vec<Group>,
    /// Sites flipped by each group.
    pub(crate) flips: Vec<u32>,
    /// Which groups to try, if most cannot have an element.
    pub(crate) occupied: Option<OccupiedIndex>,
}

/// What would be wrong with a number of a group.
const NO_SUCH_GROUP: &str = "groups are numbered by the kernel that has them";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) flips: (u32, u32),
    pub(crate) pieces: (u32, u32),
}

/// The groups with non-zero elements for one configuration, and these elements.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits<T> {
    groups: Vec<u32>,
    mels: Vec<T>,
    n: usize,
    /// The groups to try, unless all are tried.
    candidates: Vec<u32>,
}

impl<T: Element> Hits<T> {
    /// Makes room for the elements of `n_groups` groups and forgets earlier ones.
    #[inline]
    fn resize(&mut self, n_groups: usize) {
        self.groups.resize(n_groups, 0);
        self.mels.resize(n_groups, T::zero());
        self.n = 0;
    }

    /// The groups kept, and their elements.
    pub(crate) fn as_slices(&self) -> (&[u32], &[T]) {
        (&self.groups[..self.n], &self.mels[..self.n])
    }

    /// Keeps a group if its element is non-zero, without a branch.
    #[inline]
    fn push(&mut self, group: u32, mel: T) {
        self.groups[self.n] = group;
        self.mels[self.n] = mel;
        self.n += usize::from(mel != T::zero());
    }
}

impl MaskKernel {
    /// Words of a packed configuration.
    #[inline]
    pub(crate) fn n_words(&self) -> usize {
        self.pieces.n_words
    }

    pub(crate) fn max_conn_size(&self) -> usize {
        usize::from(self.n_diagonal > 0) + self.n_tried()
    }

    /// Upper bound on the number of groups evaluated for a configuration.
    pub(crate) fn n_tried(&self) -> usize {
        let n_groups = self.occupied.as_ref().map_or(usize::MAX, OccupiedIndex::max_candidates);
        n_groups.min(self.groups.len())
    }

    /// Packs quantum numbers, which must be local states, into bits.
    #[inline]
    pub(crate) fn pack(&self, x: &[i8], words: &mut SiteSet) {
        words.clear();
        words.resize(self.n_words(), 0);
        self.pack_into(x, words);
    }

    /// Packs consecutive rows of quantum numbers.
    pub(crate) fn pack_rows(&self, rows: &[i8], words: &mut Vec<u64>) {
        let n_sites = self.mirror.len();
        words.clear();
        words.resize(rows.len() / n_sites * self.n_words(), 0);
        let packed = words.chunks_exact_mut(self.n_words());
        rows.chunks_exact(n_sites).zip(packed).for_each(|(x, words)| self.pack_into(x, words));
    }

    /// Packs quantum numbers into words that are all 0.
    #[inline]
    fn pack_into(&self, x: &[i8], words: &mut [u64]) {
        for block in &self.blocks {
            let (first, second) = (block.local.first, block.local.first + block.local.step);
            pack_block(&x[block.start..block.start + block.n_sites], first, second, block.start, words);
        }
    }

    /// Number of non-zero elements of a packed configuration.
    #[inline]
    pub(crate) fn n_conn<T: Element>(&self, words: &[u64], values: &[T], hits: &mut Hits<T>) -> usize {
        let diagonal = self.evaluate(words, values, hits);
        hits.n + usize::from(diagonal != T::zero())
    }

    /// Lists the groups with non-zero elements and returns the diagonal.
    #[inline]
    pub(crate) fn evaluate<T: Element>(&self, words: &[u64], values: &[T], hits: &mut Hits<T>) -> T {
        match *words {
            [a] => self.evaluate_words(&[a], words, values, hits),
            [a, b] => self.evaluate_words(&[a, b], words, values, hits),
            [a, b, c, d] => self.evaluate_words(&[a, b, c, d], words, values, hits),
            _ => self.evaluate_words(words, words, values, hits),
        }
    }

    #[inline]
    fn evaluate_words<T: Element, W: Words + ?Sized>(
        &self,
        words: &W,
        slice: &[u64],
        values: &[T],
        hits: &mut Hits<T>,
    ) -> T {
        match &self.occupied {
            None => {
                hits.resize(self.groups.len());
                for (g, group) in self.groups.iter().enumerate() {
                    hits.push(g as u32, self.pieces.sum(group.pieces, words, values));
                }
            }
            Some(index) => {
                let mut candidates = std::mem::take(&mut hits.candidates);
                index.candidates(slice, &mut candidates);
                hits.resize(candidates.len());
                for &g in &candidates {
                    hits.push(g, self.pieces.sum(self.groups[g as usize].pieces, words, values));
                }
                hits.candidates = candidates;
            }
        }
        self.diagonal.element(&self.pieces, words, values)
    }

    /// The pieces of group `g`. The numbers of groups come from this kernel: a `Found` is read only by the engine that
    /// filled it.
    #[inline]
    pub(crate) fn pieces_of(&self, g: usize) -> (u32, u32) {
        debug_assert!(g < self.groups.len(), "{NO_SUCH_GROUP}");
        self.groups.get(g).map_or((0, 0), |group| group.pieces)
    }

    /// The sites that group `g` flips.
    #[inline]
    pub(crate) fn flips_of(&self, g: usize) -> &[u32] {
        debug_assert!(g < self.groups.len(), "{NO_SUCH_GROUP}");
        // No panic in release, so that visitors can keep their sums in registers.
        let flips = self.groups.get(g).map_or(0..0, |group| range(group.flips));
        self.flips.get(flips).unwrap_or_default()
    }

    /// The bits in which the two quantum numbers of a site differ.
    pub(crate) fn inversion(&self, site: usize) -> i8 {
        let block = self.blocks.iter().find(|block| site < block.start + block.n_sites);
        let local = block.expect("every site is in a block").local;
        local.first ^ (local.first + local.step)
    }
}

/// Packs eight sites a step. The two quantum numbers differ in some bit; it is moved to the bottom of each
/// byte, and a multiplication gathers the eight bits.
#[inline]
fn pack_block(x: &[i8], first: i8, second: i8, start: usize, words: &mut [u64]) {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let differing = (first ^ second) as u8;
    let shift = differing.trailing_zeros();
    let base = LOW.wrapping_mul(u64::from(first as u8));
    let mut site = start;
    let chunks = x.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        let bytes = u64::from_le_bytes(std::array::from_fn(|k| chunk[k] as u8));
        let ones = ((bytes ^ base) >> shift) & LOW;
        let eight = ones.wrapping_mul(GATHER) >> 56;
        words[site / 64] |= eight << (site % 64);
        if site % 64 > 56 {
            words[site / 64 + 1] |= eight >> (64 - site % 64);
        }
        site += 8;
    }
    for &value in rest {
        words[site / 64] |= u64::from(value != first) << (site % 64);
        site += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits;

    #[test]
    fn packing_agrees_with_a_bit_at_a_time_at_any_offset() {
        for (first, second) in [(1i8, -1i8), (0, 1), (3, 1)] {
            for start in [0usize, 3, 60, 57] {
                for n in [0usize, 1, 7, 8, 9, 64, 70] {
                    let x: Vec<i8> =
                        (0..n).map(|i| if (i * i + i / 3) % 3 == 0 { second } else { first }).collect();
                    let mut words = vec![0u64; 3];
                    pack_block(&x, first, second, start, &mut words);
                    for site in 0..192 {
                        let expected = site >= start && site < start + n && x[site - start] == second;
                        assert_eq!(bits::contains(&words, site), expected, "{first} {start} {n} {site}");
                    }
                }
            }
        }
    }
}
