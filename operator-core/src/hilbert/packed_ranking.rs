//! Numbers packed states of two-level sites with tables.

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
    /// Start of its tables. If the block's number of set bits is fixed, there is one for each number set
    /// before.
    table: usize,
    /// Whether it is the first of its block.
    is_first: bool,
    /// Whether the block's number of set bits is fixed.
    counts: bool,
}

impl PackedRanking {
    /// For blocks of two-level sites, each with its ranking, that have `n_states` states together.
    pub(super) fn new(blocks: &[Block], rankings: &[Ranking], n_states: usize) -> Self {
        let mut out = PackedRanking { pieces: Vec::new(), tables: Vec::new() };
        // The number of states of the later blocks for each state of this one.
        let mut later = n_states;
        for (block, ranking) in blocks.iter().zip(rankings) {
            later /= ranking.n_states().expect("the states of the whole space are numbered");
            let end = block.start + block.n_sites;
            let mut site = block.start;
            while site < end {
                let n_sites = SITES_AT_A_TIME.min(end - site).min(64 - site % 64);
                let piece = Piece {
                    word: site / 64,
                    shift: (site % 64) as u32,
                    mask: (1 << n_sites) - 1,
                    n_sites: n_sites as u32,
                    table: out.tables.len(),
                    is_first: site == block.start,
                    counts: block.total.is_some(),
                };
                for set_before in 0..=block.total.unwrap_or(0) {
                    for bits in 0..1usize << n_sites {
                        let digits = (0..n_sites).map(|k| bits >> k & 1);
                        let before = ranking.states_before(site - block.start, set_before, digits);
                        out.tables.push(before.saturating_mul(later));
                    }
                }
                out.pieces.push(piece);
                site += n_sites;
            }
        }
        out
    }

    /// The number of a state, which must belong to the space.
    #[inline]
    pub fn index_of(&self, words: &[u64]) -> usize {
        let (mut index, mut n_set) = (0, 0);
        for piece in &self.pieces {
            let bits = words[piece.word] >> piece.shift & piece.mask;
            n_set = if piece.is_first || !piece.counts { 0 } else { n_set };
            index += self.tables[piece.table + (n_set << piece.n_sites) + bits as usize];
            n_set += bits.count_ones() as usize;
        }
        index
    }
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
