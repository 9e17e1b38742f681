//! Numbers packed states of two-level sites with tables.

use std::ops::RangeInclusive;

use super::block::Block;
use super::ranking::Ranking;

/// Number of sites looked up at once.
const SITES_AT_A_TIME: usize = 8;

/// Numbers of packed states of a space of two-level sites, in the order of
/// [`all_states`](super::HilbertSpace::all_states).
///
/// Eight sites are looked up at a time: the table says how many states precede those with these bits. In a
/// block with a fixed number of set bits this also depends on the number set before.
///
/// # Source
/// H. Q. Lin, Exact diagonalization of quantum-spin models, Phys. Rev. B 42, 6561 (1990), extended to more than
/// two tables.
#[derive(Clone, Debug)]
pub struct PackedRanking {
    pieces: Vec<Piece>,
    tables: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    word: usize,
    shift: u32,
    mask: u64,
    n_sites: u32,
    /// Start of the table for no bits set before. If the block's number of set bits is fixed, there is a table for
    /// each number that can be set before. Then this start may wrap around.
    table: usize,
    /// Whether it is the first of its block.
    is_first: bool,
    /// Whether the block's number of set bits is fixed.
    counts: bool,
}

impl PackedRanking {
    /// For blocks of two-level sites, each with its ranking.
    pub(super) fn new(blocks: &[Block], rankings: &[Ranking]) -> Self {
        let mut out = PackedRanking { pieces: Vec::new(), tables: Vec::new() };
        // The number of states of the later blocks for each state of this one.
        let mut later: usize = rankings.iter().map(Ranking::n_states).product();
        for (block, ranking) in blocks.iter().zip(rankings) {
            later /= ranking.n_states();
            let mut site = block.start;
            while site < block.sites().end {
                let n_sites = SITES_AT_A_TIME.min(block.sites().end - site).min(64 - site % 64);
                let set_before = n_set_before(block, site - block.start);
                out.pieces.push(Piece {
                    word: site / 64,
                    shift: (site % 64) as u32,
                    mask: (1 << n_sites) - 1,
                    n_sites: n_sites as u32,
                    table: out.tables.len().wrapping_sub(set_before.start() << n_sites),
                    is_first: site == block.start,
                    counts: block.total.is_some(),
                });
                for set_before in set_before {
                    for bits in 0..1usize << n_sites {
                        let digits = (0..n_sites).map(|k| bits >> k & 1);
                        let before = ranking.states_before(site - block.start, set_before, digits);
                        out.tables.push(before.saturating_mul(later));
                    }
                }
                site += n_sites;
            }
        }
        out
    }

    /// About the bytes of its tables.
    pub(super) fn bytes(blocks: &[Block]) -> f64 {
        let bytes_per_site = ((8 << SITES_AT_A_TIME) / SITES_AT_A_TIME) as f64;
        let n_tables =
            |block: &Block| block.total.map_or(1, |total| total.min(block.n_sites - total) + 1) as f64;
        blocks.iter().map(|block| bytes_per_site * block.n_sites as f64 * n_tables(block)).sum()
    }

    /// The number of a state, which must belong to the space.
    #[inline]
    pub fn index_of(&self, words: &[u64]) -> usize {
        let (mut index, mut n_set) = (0, 0);
        for piece in &self.pieces {
            let bits = words[piece.word] >> piece.shift & piece.mask;
            n_set = if piece.is_first || !piece.counts { 0 } else { n_set };
            index += self.tables[piece.table.wrapping_add(n_set << piece.n_sites) + bits as usize];
            n_set += bits.count_ones() as usize;
        }
        index
    }
}

/// How many of a block's first sites may be set in its states; 0 if it has no constraint.
fn n_set_before(block: &Block, n_before: usize) -> RangeInclusive<usize> {
    let total = block.total.unwrap_or(0);
    total.saturating_sub(block.n_sites - n_before)..=total.min(n_before)
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::hilbert::{Fock, HilbertSpace, Qubit, Spin, SpinOrbitalFermions};

    #[test]
    fn packed_states_have_the_numbers_of_their_rows() {
        let spins: HilbertSpace = Spin::half(11).unwrap().with_total_sz(1.5).unwrap().into();
        let fermions = SpinOrbitalFermions::with_spin(5, 0.5).unwrap();
        let fermions: HilbertSpace = fermions.with_n_fermions_per_spin(&[2, 4]).unwrap().into();
        let one: HilbertSpace = Fock::new(1, 62).unwrap().with_n_particles(1).unwrap().into();
        for space in [
            Qubit::new(9).unwrap().into(),
            spins.clone(),
            fermions.clone(),
            (spins * Qubit::new(2).unwrap()).unwrap(),
            (one * fermions).unwrap(),
        ] {
            let ranking = space.packed_ranking().unwrap();
            for (index, x) in space.all_states().unwrap().rows().into_iter().enumerate().step_by(3) {
                let mut words = [0u64; 2];
                for (site, &q) in x.iter().enumerate() {
                    words[site / 64] |= u64::from(q != space.local(site).value(0)) << (site % 64);
                }
                assert_eq!(ranking.index_of(&words), index, "{space}");
            }
        }
        let bosons = HilbertSpace::from(Fock::new(2, 3).unwrap());
        assert!(matches!(bosons.packed_ranking(), Err(Error::NotTwoLevel { .. })));
    }
}
