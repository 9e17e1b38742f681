//! Groups that differ only in where their sites are. They share one table, which is made once.

use smallvec::SmallVec;

use super::pieces::{Piece, Step};
use crate::hilbert::{HilbertSpace, LocalStates};

/// All that the table of some pieces depends on, and whether it keeps to a constrained space.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// Local states of the table's sites in ascending order, and the block of each if that is constrained.
    sites: Vec<(LocalStates, Option<usize>)>,
    pieces: Vec<PieceShape>,
}

/// A piece whose sites are places among those of the table.
#[derive(PartialEq, Eq, Hash)]
struct PieceShape {
    steps: SmallVec<[(usize, Step); 2]>,
    factors: SmallVec<[(usize, u32); 2]>,
    sign: SmallVec<[usize; 4]>,
    parameter: Option<usize>,
    /// The bits of the coefficient's factor.
    factor: [u64; 2],
}

impl Shape {
    /// The shape of pieces with a table over `sites`. Signs elsewhere negate the table as a whole, so they are no part
    /// of it.
    pub(super) fn new(hilbert: &HilbertSpace, sites: &[usize], pieces: &[Piece]) -> Self {
        let blocks = hilbert.blocks();
        let of_site = |&site: &usize| {
            let block = blocks.partition_point(|block| block.start + block.n_sites <= site);
            (blocks[block].local, blocks[block].total.map(|_| block))
        };
        let of_piece = |piece: &Piece| {
            let place = |site: usize| sites.binary_search(&site).ok();
            let factor = piece.coefficient.factor;
            PieceShape {
                steps: piece.steps.iter().filter_map(|&(site, step)| Some((place(site)?, step))).collect(),
                factors: (piece.factors.iter())
                    .filter_map(|&(site, table)| Some((place(site)?, table)))
                    .collect(),
                sign: piece.sign.iter().filter_map(|&site| place(site)).collect(),
                parameter: piece.coefficient.parameter.map(|parameter| parameter.index()),
                factor: [factor.re.to_bits(), factor.im.to_bits()],
            }
        };
        Shape { sites: sites.iter().map(of_site).collect(), pieces: pieces.iter().map(of_piece).collect() }
    }
}
