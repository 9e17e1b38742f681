//! Sets of sites that take memory only for the words in which they have sites.

use std::ops::Range;

use smallvec::SmallVec;

use super::{SiteSet, empty, ones};

/// A set of sites, as its words of 64 sites that are not 0. Terms act on few sites, however many the space has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct SparseSet {
    /// In ascending order, without words that are 0.
    words: SmallVec<[Word; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Word {
    number: usize,
    bits: u64,
}

impl SparseSet {
    /// The word that holds a site, made if it is not there, is changed by `edit`.
    fn edit(&mut self, site: usize, edit: impl FnOnce(u64, u64) -> u64) {
        let (number, bit) = (site / 64, 1 << (site % 64));
        match self.words.binary_search_by_key(&number, |word| word.number) {
            Ok(k) => {
                self.words[k].bits = edit(self.words[k].bits, bit);
                if self.words[k].bits == 0 {
                    self.words.remove(k);
                }
            }
            Err(k) => self.words.insert(k, Word { number, bits: edit(0, bit) }),
        }
    }

    /// Adds `site`.
    pub(crate) fn insert(&mut self, site: usize) {
        self.edit(site, |bits, bit| bits | bit);
    }

    /// Adds `site` if it is absent, removes it if it is present.
    pub(crate) fn toggle(&mut self, site: usize) {
        self.edit(site, |bits, bit| if bits & bit == 0 { bits | bit } else { bits & !bit });
    }

    /// Whether `site` is in the set.
    pub(crate) fn contains(&self, site: usize) -> bool {
        let word = self.words.binary_search_by_key(&(site / 64), |word| word.number);
        word.is_ok_and(|k| self.words[k].bits >> (site % 64) & 1 == 1)
    }

    /// Number of sites in the set.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.bits.count_ones() as usize).sum()
    }

    /// Whether the set has no site.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The sites of the set in ascending order.
    pub(crate) fn sites(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().flat_map(|word| ones(word.bits).map(|k| 64 * word.number + k))
    }

    /// The sites in one of the two sets only.
    pub(crate) fn xor(&self, other: &Self) -> Self {
        self.merge(other, |a, b| a ^ b)
    }

    /// The sites in either set.
    pub(crate) fn or(&self, other: &Self) -> Self {
        self.merge(other, |a, b| a | b)
    }

    /// The sites in both sets.
    pub(crate) fn and(&self, other: &Self) -> Self {
        self.merge(other, |a, b| a & b)
    }

    /// The sites that are not in the other set.
    pub(crate) fn without(&self, other: &Self) -> Self {
        self.merge(other, |a, b| a & !b)
    }

    /// Whether an odd number of sites is in both sets.
    pub(crate) fn odd_overlap(&self, other: &Self) -> bool {
        self.and(other).count() % 2 == 1
    }

    /// Joins the sets word by word; words that become 0 are left out.
    fn merge(&self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let (mut a, mut b) = (self.words.iter().peekable(), other.words.iter().peekable());
        let mut words = SmallVec::new();
        loop {
            let next = [a.peek(), b.peek()].into_iter().flatten().map(|word| word.number).min();
            let Some(number) = next else { return SparseSet { words } };
            let bits = join(
                a.next_if(|word| word.number == number).map_or(0, |word| word.bits),
                b.next_if(|word| word.number == number).map_or(0, |word| word.bits),
            );
            if bits != 0 {
                words.push(Word { number, bits });
            }
        }
    }

    /// The set as one of `n_words` words.
    pub(crate) fn to_dense(&self, n_words: usize) -> SiteSet {
        let mut dense = empty(n_words);
        self.words.iter().for_each(|word| dense[word.number] = word.bits);
        dense
    }

    /// About the bytes that it takes beyond its own size.
    pub(crate) fn bytes(&self) -> usize {
        if self.words.spilled() { size_of_val(&self.words[..]) } else { 0 }
    }
}

impl FromIterator<usize> for SparseSet {
    fn from_iter<I: IntoIterator<Item = usize>>(sites: I) -> Self {
        let mut set = SparseSet::default();
        sites.into_iter().for_each(|site| set.insert(site));
        set
    }
}

/// The sites of a range.
impl From<Range<usize>> for SparseSet {
    fn from(sites: Range<usize>) -> Self {
        let word = |number: usize| {
            let (start, end) = (sites.start.max(64 * number), sites.end.min(64 * (number + 1)));
            let bits = (u64::MAX >> (64 - (end - start))) << (start % 64);
            Word { number, bits }
        };
        let words = if sites.is_empty() { 0..0 } else { sites.start / 64..sites.end.div_ceil(64) };
        SparseSet { words: words.map(word).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_their_sites() {
        for range in [0..0, 5..5, 0..1, 0..64, 3..64, 63..65, 64..128, 1..200, 127..128] {
            let set = SparseSet::from(range.clone());
            assert!(set.sites().eq(range.clone()), "{range:?}");
            assert_eq!(set, range.collect());
        }
    }

    #[test]
    fn sets_are_joined_as_dense_ones() {
        let a: SparseSet = [0, 63, 64, 300].into_iter().collect();
        let b: SparseSet = [63, 130, 300].into_iter().collect();
        assert_eq!(a.xor(&b).sites().collect::<Vec<_>>(), [0, 64, 130]);
        assert_eq!(a.or(&b).sites().collect::<Vec<_>>(), [0, 63, 64, 130, 300]);
        assert_eq!(a.and(&b).sites().collect::<Vec<_>>(), [63, 300]);
        assert_eq!(a.without(&b).sites().collect::<Vec<_>>(), [0, 64]);
        assert!(!a.odd_overlap(&b) && a.odd_overlap(&[64].into_iter().collect()));
        assert_eq!((a.count(), a.contains(64), a.contains(65), a.contains(1000)), (4, true, false, false));
        assert_eq!(a.to_dense(5)[..], [1 | 1 << 63, 1, 0, 0, 1 << 44]);
    }

    #[test]
    fn sites_that_are_toggled_twice_leave_nothing() {
        let mut set = SparseSet::default();
        for site in [7, 900, 900, 7] {
            set.toggle(site);
        }
        assert_eq!(set, SparseSet::default());
        assert!(set.is_empty());
    }
}
