//! Which groups can have an element when there are few particles.

use std::collections::BTreeSet;

use super::pieces::Pieces;
use crate::bits::{self, SiteSet};
use crate::hilbert::HilbertSpace;
use crate::kernel::offsets::range;

/// Pairs of sites are listed up to this many sites.
const MAX_SITES: usize = 4096;

/// Finds the groups that can have an element from the few sites that are *marked*.
///
/// A hop `c†_i c_j` has an element only if i is filled and j is empty. With few particles most hops have none.
/// So instead of trying every group, this goes through the filled sites and pairs of filled sites, and lists
/// the groups that can start there. In blocks that are more than half filled, the empty sites are the marked
/// ones.
#[derive(Debug)]
pub(crate) struct OccupiedIndex {
    n_sites: usize,
    /// Sites that are marked when they are empty.
    inverted: SiteSet,
    /// Groups that may have an element whichever sites are marked.
    always: Vec<u32>,
    singles: Buckets,
    pairs: Buckets,
    /// Upper bound on the number of groups listed for any configuration.
    max_candidates: usize,
}

/// Lists of groups, one after another.
#[derive(Debug)]
struct Buckets {
    offsets: Vec<u32>,
    groups: Vec<u32>,
}

impl Buckets {
    fn new(n_buckets: usize, mut entries: Vec<(usize, u32)>) -> Self {
        entries.sort_unstable();
        let mut offsets = vec![0; n_buckets + 1];
        entries.iter().for_each(|&(bucket, _)| offsets[bucket + 1] += 1);
        for k in 0..n_buckets {
            offsets[k + 1] += offsets[k];
        }
        Buckets { offsets, groups: entries.into_iter().map(|(_, group)| group).collect() }
    }

    fn of(&self, bucket: usize) -> &[u32] {
        &self.groups[range((self.offsets[bucket], self.offsets[bucket + 1]))]
    }

    /// Total number of groups in the `n` longest lists.
    fn longest(&self, n: usize) -> usize {
        let mut lengths: Vec<u32> = self.offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        lengths.iter().take(n).map(|&length| length as usize).sum()
    }
}

/// Number of the pair `a < b` among all pairs.
fn pair(a: usize, b: usize) -> usize {
    b * b.saturating_sub(1) / 2 + a
}

impl OccupiedIndex {
    /// The index of some groups, each given by the sites it flips and its range of pieces. `None` if the index
    /// would not halve the number of groups to try.
    pub(crate) fn build<'a>(
        hilbert: &HilbertSpace,
        pieces: &Pieces,
        groups: impl ExactSizeIterator<Item = (&'a [u32], (u32, u32))>,
    ) -> Option<Self> {
        let n_sites = hilbert.n_sites();
        if n_sites > MAX_SITES || !hilbert.is_constrained() {
            return None;
        }
        let (inverted, marked) = marked_fraction(hilbert);
        let (mut always, mut singles, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        let mut n_tried = 0.0;
        let n_groups = groups.len();
        for (g, (flips, own)) in groups.enumerate() {
            let g = g as u32;
            match starts(pieces, flips, own, &inverted) {
                None => {
                    always.push(g);
                    n_tried += 1.0;
                }
                Some(starts) => {
                    for start in starts {
                        n_tried += start.iter().map(|&site| marked[site]).product::<f64>();
                        match start[..] {
                            [a] => singles.push((a, g)),
                            [a, b] => pairs.push((pair(a, b), g)),
                            _ => {}
                        }
                    }
                }
            }
        }
        if n_tried > 0.5 * n_groups as f64 {
            return None;
        }
        let (singles, pairs) = (Buckets::new(n_sites, singles), Buckets::new(pair(0, n_sites), pairs));
        // The constraints fix the number of marked sites. In the worst case these have the longest lists.
        let n_marked =
            marked.iter().map(|&part| if part < 0.5 { part } else { 1.0 }).sum::<f64>().round() as usize;
        let n_pairs = n_marked * n_marked.saturating_sub(1) / 2;
        let max_candidates = always.len() + singles.longest(n_marked) + pairs.longest(n_pairs);
        Some(OccupiedIndex { n_sites, inverted, always, singles, pairs, max_candidates })
    }

    pub(crate) fn max_candidates(&self) -> usize {
        self.max_candidates
    }

    /// Lists the groups that may have an element for a configuration, in their order.
    pub(crate) fn candidates(&self, words: &[u64], groups: &mut Vec<u32>) {
        groups.clear();
        groups.extend_from_slice(&self.always);
        let mut marked: SiteSet =
            words.iter().zip(&self.inverted).map(|(x, inverted)| x ^ inverted).collect();
        mask_end(&mut marked, self.n_sites);
        for b in bits::sites(&marked) {
            groups.extend_from_slice(self.singles.of(b));
            for a in bits::sites(&marked).take_while(|&a| a < b) {
                groups.extend_from_slice(self.pairs.of(pair(a, b)));
            }
        }
        groups.sort_unstable();
        // Several marked sites may start the same group.
        groups.dedup();
    }
}

/// Clears the bits beyond the last site.
fn mask_end(set: &mut SiteSet, n_sites: usize) {
    if !n_sites.is_multiple_of(64)
        && let Some(last) = set.last_mut()
    {
        *last &= (1 << (n_sites % 64)) - 1;
    }
}

/// The sites that are marked when they are empty, and how often each site is marked.
fn marked_fraction(hilbert: &HilbertSpace) -> (SiteSet, Vec<f64>) {
    let mut inverted = bits::empty(bits::n_words(hilbert.n_sites()));
    let mut marked = vec![0.5; hilbert.n_sites()];
    for block in hilbert.blocks() {
        let Some(total) = block.total else { continue };
        let filled = total as f64 / block.n_sites as f64;
        let sites = block.start..block.start + block.n_sites;
        marked[sites.clone()].fill(filled.min(1.0 - filled));
        if filled > 0.5 {
            sites.for_each(|site| bits::insert(&mut inverted, site));
        }
    }
    (inverted, marked)
}

/// For each of the group's elements, the flipped sites that are marked: sets of one or two sites in ascending
/// order. `None` if a set has another size, or if signs alone decide.
fn starts(pieces: &Pieces, flips: &[u32], own: (u32, u32), inverted: &[u64]) -> Option<BTreeSet<Vec<usize>>> {
    let mut starts = BTreeSet::new();
    for p in range(own) {
        if let Some((guard, value)) = pieces.guards_of(p) {
            if !flips.iter().all(|&flip| bits::contains(guard, flip as usize)) {
                return None;
            }
            let sites = flips.iter().map(|&flip| flip as usize);
            let marked = sites.filter(|&site| bits::contains(value, site) != bits::contains(inverted, site));
            push_start(marked.collect(), &mut starts)?;
            continue;
        }
        let support = pieces.support_of(p);
        let places: Vec<(usize, usize)> = flips
            .iter()
            .map(|flip| Some((*flip as usize, support.iter().position(|site| site == flip)?)))
            .collect::<Option<_>>()?;
        for (index, _) in pieces.table_of(p).iter().enumerate().filter(|(_, slot)| **slot != 0) {
            let is_marked =
                |&&(site, k): &&(usize, usize)| (index >> k & 1 == 1) != bits::contains(inverted, site);
            push_start(places.iter().filter(is_marked).map(|&(site, _)| site).collect(), &mut starts)?;
        }
    }
    Some(starts)
}

/// Adds a set of one or two sites; `None` for a set of another size.
fn push_start(mut start: Vec<usize>, starts: &mut BTreeSet<Vec<usize>>) -> Option<()> {
    start.sort_unstable();
    if !(1..=2).contains(&start.len()) {
        return None;
    }
    starts.insert(start);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};
    use crate::kernel::conservation::Conservation;
    use crate::kernel::forms::FormBuilder;
    use crate::terms::{Ladder, Terms};

    /// All hops of one and two particles among some modes.
    fn groups_tried(n_modes: usize, n_fermions: usize) -> (Option<usize>, usize) {
        let space = SpinOrbitalFermions::new(n_modes).unwrap().with_n_fermions(n_fermions).unwrap();
        let hilbert = HilbertSpace::from(space);
        let mut terms = Terms::new(hilbert.clone());
        let pairs = |n: usize| (0..n).flat_map(|b| (0..b).map(move |a| (a, b)));
        for (a, b) in pairs(n_modes) {
            for (c, d) in pairs(n_modes) {
                let string = [Ladder::create(a), Ladder::create(b), Ladder::destroy(c), Ladder::destroy(d)];
                terms.fermion(1.0, &string).unwrap();
            }
        }
        let terms: Vec<_> = terms.iter().cloned().collect();
        let (mut forms, mut always) = (FormBuilder::new(), Conservation::Always);
        let strings = build::Strings::new(&hilbert, &terms, f64::INFINITY).unwrap();
        let kernel = build::build(&hilbert, &terms, strings, &mut forms, &mut always).unwrap();
        let mut candidates = Vec::new();
        let tried = kernel.occupied.as_ref().map(|index| {
            index.candidates(&[(1 << n_fermions) - 1], &mut candidates);
            assert!(candidates.len() <= index.max_candidates());
            candidates.len()
        });
        (tried, kernel.groups.len())
    }

    #[test]
    fn few_particles_or_few_holes_start_few_hops() {
        for n_fermions in [2, 18] {
            let (tried, n_groups) = groups_tried(20, n_fermions);
            // Hops of one particle beside another, pairs that hop to any of the 18 other modes, and the hop
            // between the two marked modes, which is tried in vain.
            assert_eq!(tried, Some(2 * 18 + 18 * 17 / 2 + 1), "{n_groups}");
        }
        assert_eq!(groups_tried(8, 4).0, None, "at half filling every other hop exists");
    }
}
