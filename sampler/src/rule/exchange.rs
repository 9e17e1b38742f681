//! Exchanges of the quantum numbers of two sites.

use std::collections::BTreeSet;
use std::ops::Range;

use operator_core::{Graph, HilbertSpace, memory};
use rand::RngExt;

use super::{Conserved, HostRule, SiteMoves};
use crate::changes::apply;
use crate::error::{Error, Result};
use crate::rng::ChainRng;

/// Proposes to exchange the quantum numbers of a pair of sites, uniformly among its pairs.
///
/// It conserves every sum of quantum numbers. It also draws pairs of equal quantum numbers; such a move changes
/// nothing and counts as accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRule {
    n_sites: usize,
    pairs: Vec<[usize; 2]>,
}

const NAME: &str = "ExchangeRule";

impl ExchangeRule {
    /// Exchanges the two sites of an edge. Sites that share edges of several colours are one pair.
    pub fn new(graph: &Graph) -> Self {
        let mut met = BTreeSet::new();
        let is_new = |&[a, b]: &[usize; 2]| met.insert([a.min(b), a.max(b)]);
        ExchangeRule {
            n_sites: graph.n_nodes(),
            pairs: graph.edges().iter().copied().filter(is_new).collect(),
        }
    }

    /// Exchanges any two sites that are at most `distance` edges apart. With `distance` 1 it is [`new`](Self::new)
    /// up to the order of the pairs.
    ///
    /// # Errors
    /// [`TooLarge`](operator_core::Error::TooLarge) if the pairs do not fit into memory.
    pub fn with_distance(graph: &Graph, distance: usize) -> Result<Self> {
        let expect_fit = |n_pairs: f64| {
            let what = || format!("{n_pairs} or more pairs of sites within the distance {distance}");
            let bytes = n_pairs * size_of::<[usize; 2]>() as f64;
            memory::expect_fits(what, bytes, "take a smaller distance")
        };
        expect_fit(fewest_pairs(graph, distance))?;
        let mut pairs = Vec::new();
        // The site that each was last reached from.
        let mut reached_from: Vec<usize> = (0..graph.n_nodes()).collect();
        for site in 0..graph.n_nodes() {
            let (mut front, mut steps, first) = (vec![site], 0, pairs.len());
            reached_from[site] = site;
            while steps < distance && !front.is_empty() {
                let next = front.iter().flat_map(|&site| graph.neighbors(site)).copied();
                let is_new = |&other: &usize| std::mem::replace(&mut reached_from[other], site) != site;
                front = next.filter(is_new).collect();
                pairs.extend(front.iter().filter(|&&other| other > site).map(|&other| [site, other]));
                steps += 1;
            }
            pairs[first..].sort_unstable();
            expect_fit(pairs.len() as f64)?;
        }
        Ok(ExchangeRule { n_sites: graph.n_nodes(), pairs })
    }

    /// Repeats the pairs for each spin state, if `hilbert` is fermions whose orbitals are the sites of the graph.
    /// Modes are numbered spin state by spin state. For other spaces the rule stays as it is.
    #[must_use]
    pub fn with_space(self, hilbert: &HilbertSpace) -> Self {
        let HilbertSpace::SpinOrbitalFermions(fermions) = hilbert else { return self };
        if fermions.n_orbitals() != self.n_sites {
            return self;
        }
        let starts = (0..hilbert.n_sites()).step_by(self.n_sites.max(1));
        let pairs = starts.flat_map(|start| self.pairs.iter().map(move |[a, b]| [start + a, start + b]));
        ExchangeRule { n_sites: hilbert.n_sites(), pairs: pairs.collect() }
    }

    /// The pairs of sites.
    pub fn pairs(&self) -> &[[usize; 2]] {
        &self.pairs
    }

    fn draw(&self, rng: &mut ChainRng) -> Option<[usize; 2]> {
        match self.pairs.len() {
            0 => None,
            n_pairs => self.pairs.get(rng.random_range(0..n_pairs)).copied(),
        }
    }
}

/// A lower bound of the number of pairs within `distance`, found without visiting them. A site of a connected part of
/// `n` sites has at least one other at each distance up to `n - 1`, or else all others nearer.
fn fewest_pairs(graph: &Graph, distance: usize) -> f64 {
    let mut seen = vec![false; graph.n_nodes()];
    let mut n_ends = 0.0;
    for start in 0..graph.n_nodes() {
        let (mut part, mut pending) = (0_usize, vec![start]);
        while let Some(site) = pending.pop() {
            if !std::mem::replace(&mut seen[site], true) {
                part += 1;
                pending.extend(graph.neighbors(site));
            }
        }
        n_ends += part as f64 * part.saturating_sub(1).min(distance) as f64;
    }
    n_ends / 2.0
}

/// The changes of an exchange: both sites, or none if they are equal.
pub(crate) fn exchanged(x: &[i8], [a, b]: [usize; 2]) -> impl Iterator<Item = (usize, i8)> + use<> {
    let values = x.get(a).copied().zip(x.get(b).copied()).filter(|(at_a, at_b)| at_a != at_b);
    values.into_iter().flat_map(move |(at_a, at_b)| [(a, at_b), (b, at_a)])
}

impl HostRule for ExchangeRule {
    fn propose_row(&self, _: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> Result<f64> {
        if let Some(pair) = self.draw(rng) {
            apply(exchanged(x, pair), x);
        }
        Ok(0.0)
    }

    fn propose_changes(
        &self,
        _: &HilbertSpace,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64> {
        changes.extend(self.draw(rng).into_iter().flat_map(|pair| exchanged(x, pair)));
        Ok(0.0)
    }

    /// # Errors
    /// [`Error::GraphSize`] if the graph has another number of sites than the space; [`Error::NoMoves`] without pairs;
    /// [`Error::Exchange`] for a pair whose exchange leaves the space.
    fn check_space(&self, hilbert: &HilbertSpace) -> Result<()> {
        let (n_nodes, n_sites) = (self.n_sites, hilbert.n_sites());
        if n_nodes != n_sites {
            return Err(Error::GraphSize { n_nodes, n_sites, hilbert: hilbert.to_string() });
        }
        if self.pairs.is_empty() {
            return Err(Error::no_moves(NAME, hilbert, "the graph has no edges"));
        }
        let blocks = hilbert.blocks();
        let block_of = |site| blocks.partition_point(|block| block.sites().end <= site);
        for &[from, to] in &self.pairs {
            let (a, b) = (block_of(from), block_of(to));
            let free = blocks[a].total().is_none() && blocks[b].total().is_none();
            if a != b && !(free && blocks[a].local() == blocks[b].local()) {
                return Err(Error::Exchange { from, to, hilbert: hilbert.to_string() });
            }
        }
        Ok(())
    }

    /// Blocks whose sites go to other blocks keep nothing of their own.
    fn conserves_of(&self, hilbert: &HilbertSpace) -> Vec<Conserved> {
        // Each site points to one of its part, the first of the part to itself.
        let mut first: Vec<usize> = (0..hilbert.n_sites()).collect();
        fn root(first: &mut [usize], mut site: usize) -> usize {
            while first[site] != site {
                first[site] = first[first[site]];
                site = first[site];
            }
            site
        }
        let n_sites = hilbert.n_sites();
        for &[a, b] in self.pairs.iter().filter(|pair| pair.iter().all(|&site| site < n_sites)) {
            let (a, b) = (root(&mut first, a), root(&mut first, b));
            first[a.max(b)] = a.min(b);
        }
        let roots: Vec<usize> = (0..first.len()).map(|site| root(&mut first, site)).collect();
        let of_block = |sites: Range<usize>| {
            let outside = (0..roots.len()).filter(|site| !sites.contains(site));
            let own: BTreeSet<usize> = roots[sites.clone()].iter().copied().collect();
            if outside.map(|site| roots[site]).any(|root| own.contains(&root)) {
                Conserved::Nothing
            } else if own.len() > 1 {
                Conserved::CountsOfParts
            } else {
                Conserved::Counts
            }
        };
        hilbert.blocks().iter().map(|block| of_block(block.sites())).collect()
    }

    /// [`check_space`](HostRule::check_space) has seen all pairs.
    fn stays(&self) -> bool {
        true
    }

    fn site_moves(&self) -> Option<SiteMoves> {
        SiteMoves::exchanges(&self.pairs)
    }
}
