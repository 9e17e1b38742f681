//! Sets of sites as bit masks: one bit a site, 64 sites a word.

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

/// Whether the set has no site.
pub(crate) fn is_empty(set: &[u64]) -> bool {
    set.iter().all(|&word| word == 0)
}

/// The sites of the set in ascending order.
pub(crate) fn sites(set: &[u64]) -> impl Iterator<Item = usize> + '_ {
    set.iter().enumerate().flat_map(|(w, &word)| {
        std::iter::successors((word != 0).then_some(word), |&rest| {
            let rest = rest & (rest - 1);
            (rest != 0).then_some(rest)
        })
        .map(move |rest| 64 * w + rest.trailing_zeros() as usize)
    })
}

/// Whether an odd number of sites is in both sets.
#[inline]
pub(crate) fn odd_overlap(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).fold(0u64, |acc, (&x, &y)| acc ^ (x & y)).count_ones() & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

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
