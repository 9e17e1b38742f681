//! Sets of sites as bit masks: one bit a site, 64 sites a word.

mod sparse;

pub(crate) use sparse::SparseSet;

use smallvec::SmallVec;

/// A set of sites. Two words are held inline: no allocation up to 128 sites.
pub(crate) type SiteSet = SmallVec<[u64; 2]>;

/// Number of 64-bit words that hold `n_sites` bits; at least one.
pub(crate) fn n_words(n_sites: usize) -> usize {
    n_sites.div_ceil(64).max(1)
}

/// The empty set.
pub(crate) fn empty(n_words: usize) -> SiteSet {
    SmallVec::from_elem(0, n_words)
}

/// Adds `site` if it is absent, removes it if it is present.
#[inline]
pub(crate) fn toggle(set: &mut [u64], site: usize) {
    set[site / 64] ^= 1 << (site % 64);
}

/// Adds `site`.
#[inline]
pub(crate) fn insert(set: &mut [u64], site: usize) {
    set[site / 64] |= 1 << (site % 64);
}

/// Whether `site` is in the set.
#[inline]
pub(crate) fn contains(set: &[u64], site: usize) -> bool {
    set[site / 64] >> (site % 64) & 1 == 1
}

/// Number of sites in the set.
pub(crate) fn count(set: &[u64]) -> usize {
    set.iter().map(|word| word.count_ones() as usize).sum()
}

/// The sites of the set in ascending order.
pub(crate) fn sites(set: &[u64]) -> impl Iterator<Item = usize> + '_ {
    set.iter().enumerate().flat_map(|(w, &word)| ones(word).map(move |k| 64 * w + k))
}

/// The numbers of the bits that are set in a word, in ascending order.
#[inline(always)]
pub(crate) fn ones(word: u64) -> Ones {
    Ones(word)
}

pub(crate) struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let first = (self.0 != 0).then(|| self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(first)
    }
}

/// Whether an odd number of sites is in both sets.
#[inline]
pub(crate) fn odd_overlap(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).fold(0u64, |acc, (&x, &y)| acc ^ (x & y)).count_ones() & 1 == 1
}

/// Turns rows of 64 bits into columns: afterwards bit j of word i is what bit i of word j was.
///
/// # Source
/// H. S. Warren, Hacker's Delight, section 7-3: blocks are swapped, then blocks within these.
#[inline(always)]
pub(crate) fn transpose(words: &mut [u64; 64]) {
    swap_blocks::<32>(words, 0x0000_0000_ffff_ffff);
    swap_blocks::<16>(words, 0x0000_ffff_0000_ffff);
    swap_blocks::<8>(words, 0x00ff_00ff_00ff_00ff);
    swap_blocks::<4>(words, 0x0f0f_0f0f_0f0f_0f0f);
    swap_blocks::<2>(words, 0x3333_3333_3333_3333);
    swap_blocks::<1>(words, 0x5555_5555_5555_5555);
}

#[inline(always)]
fn swap_blocks<const WIDTH: usize>(words: &mut [u64; 64], mask: u64) {
    for pair in words.chunks_exact_mut(2 * WIDTH) {
        let (upper, lower) = pair.split_at_mut(WIDTH);
        for (a, b) in upper.iter_mut().zip(lower) {
            let swapped = ((*a >> WIDTH) ^ *b) & mask;
            *a ^= swapped << WIDTH;
            *b ^= swapped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let rows: [u64; 64] = std::array::from_fn(|i| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut columns = rows;
        transpose(&mut columns);
        for (i, column) in columns.iter().enumerate() {
            for (j, row) in rows.iter().enumerate() {
                assert_eq!(column >> j & 1, row >> i & 1);
            }
        }
    }

    #[test]
    fn sites_are_listed_in_order_across_words() {
        let mut set = empty(3);
        for site in [130, 0, 63, 64] {
            insert(&mut set, site);
        }
        assert_eq!(sites(&set).collect::<Vec<_>>(), [0, 63, 64, 130]);
        assert_eq!(count(&set), 4);
        toggle(&mut set, 63);
        assert!(!contains(&set, 63) && contains(&set, 64));
    }

    #[test]
    fn overlap_parity_is_summed_over_words() {
        let mut a = empty(2);
        let mut b = empty(2);
        for site in [1, 70] {
            insert(&mut a, site);
            insert(&mut b, site);
        }
        assert!(!odd_overlap(&a, &b));
        toggle(&mut b, 70);
        assert!(odd_overlap(&a, &b));
    }
}
