//! The kernel on two-level sites as arrays.

use super::{EngineBlock, EngineKind, SpaceArrays};
use crate::bits;
use crate::kernel::mask::{GUARDED, MaskKernel, Pieces};

/// A bit of a piece's `kind`: it has a sign mask.
const SIGNED: u32 = 256;
/// A bit of an outcome: its slot is negated.
const NEGATIVE: u32 = 1 << 31;

/// An operator on two-level sites. Group g makes change g + 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaskArrays {
    /// Local states and constraints.
    pub space: SpaceArrays,
    /// Words of a packed configuration.
    pub n_words: usize,
    /// Number of slots.
    pub n_slots: usize,
    /// `[table, first, second, kind]`. The kind is the number of sites that the piece looks at, or 255 if it has guards,
    /// and 256 more if it has a sign mask. `first` and `second` are these sites if there are at most two. Otherwise
    /// `first` is where they start in `supports`, or where the guards start in `guards`.
    pub pieces: Vec<[u32; 4]>,
    /// Where the pieces of each group start, and where those of the last end. The diagonal's come before.
    pub pieces_of_group: Vec<u32>,
    /// The sites that each group flips, `n_words` words each.
    pub flips: Vec<u64>,
    /// The sign mask of each piece, `n_words` words each.
    pub signs: Vec<u64>,
    /// Guarded sites and their bits, twice `n_words` words for each guarded piece.
    pub guards: Vec<u64>,
    /// Sites of pieces.
    pub supports: Vec<u32>,
    /// The slots of all tables.
    pub tables: Vec<u32>,
    /// Pieces of the diagonal that are counted by outcome: `[first member, end of members, first of outcome_of, first
    /// outcome, number of outcomes]`.
    pub classes: Vec<[u32; 5]>,
    /// The pieces of all classes.
    pub members: Vec<u32>,
    /// The number of a class's outcome for each index: the piece's sites, then the parity of its sign mask.
    pub outcome_of: Vec<u32>,
    /// A slot each, with the top bit set where it is negated.
    pub outcomes: Vec<u32>,
    /// Pieces of the diagonal that are in no class, in the order in which they are added.
    pub singles: Vec<u32>,
}

impl MaskArrays {
    pub(super) fn new(kernel: &MaskKernel, n_slots: usize) -> Self {
        let (pieces, n_words) = (&kernel.pieces, kernel.n_words());
        let mut out = MaskArrays {
            space: SpaceArrays::new(&kernel.blocks),
            n_words,
            n_slots,
            pieces: (0..pieces.list.len()).map(|p| piece(pieces, p)).collect(),
            pieces_of_group: vec![kernel.n_diagonal],
            flips: vec![0; kernel.groups.len() * n_words],
            signs: pieces.signs.clone(),
            guards: pieces.guards.clone(),
            supports: pieces.support.clone(),
            tables: pieces.tables.clone(),
            ..Self::default()
        };
        for (g, flips) in out.flips.chunks_exact_mut(n_words).enumerate() {
            kernel.flips_of(g).iter().for_each(|&site| bits::insert(flips, site as usize));
            out.pieces_of_group.push(kernel.pieces_of(g).1);
        }
        out.add_diagonal(kernel);
        out
    }

    fn add_diagonal(&mut self, kernel: &MaskKernel) {
        let diagonal = &kernel.diagonal;
        for class in &diagonal.classes {
            let starts = [self.members.len(), self.outcome_of.len(), self.outcomes.len()];
            let [members, outcome_of, outcomes] = starts.map(|start| start as u32);
            self.members.extend(&class.pieces);
            self.outcome_of.extend(class.outcome_of.iter().map(|&outcome| u32::from(outcome)));
            self.outcomes
                .extend(class.outcomes.iter().map(|o| o.slot | if o.negative { NEGATIVE } else { 0 }));
            let n_outcomes = class.outcomes.len() as u32;
            self.classes.push([members, self.members.len() as u32, outcome_of, outcomes, n_outcomes]);
        }
        self.singles.extend(diagonal.pairs.iter().map(|&(piece, _)| piece));
        self.singles.extend(&diagonal.others);
    }

    /// Number of groups.
    pub fn n_groups(&self) -> usize {
        self.pieces_of_group.len() - 1
    }

    pub(super) fn kind(&self) -> EngineKind {
        EngineKind::Masks {
            n_words: self.n_words,
            has_large_pieces: self.pieces.iter().any(|piece| piece[3] % SIGNED > 2),
            has_signs: self.pieces.iter().any(|piece| piece[3] >= SIGNED),
            max_outcomes: self.classes.iter().map(|class| class[4] as usize).max().unwrap_or(1),
        }
    }

    pub(super) fn block(&self) -> EngineBlock {
        let block = EngineBlock::default()
            .u32s(self.pieces.as_flattened())
            .u32s(&self.pieces_of_group)
            .u64s(&self.flips)
            .u64s(&self.signs)
            .u64s(&self.guards)
            .u32s(&self.supports)
            .u32s(&self.tables)
            .u32s(self.classes.as_flattened())
            .u32s(&self.members)
            .u32s(&self.outcome_of)
            .u32s(&self.outcomes)
            .u32s(&self.singles);
        let n_diagonal = self.pieces_of_group[0] as usize;
        self.space.add_to(block).numbers([
            self.space.n_sites(),
            self.space.totals.len(),
            self.n_slots,
            self.n_words,
            self.n_groups(),
            n_diagonal,
            self.classes.len(),
            self.singles.len(),
        ])
    }
}

fn piece(pieces: &Pieces, p: usize) -> [u32; 4] {
    let piece = &pieces.list[p];
    let (n, signed) = (piece.n_support, if piece.has_sign { SIGNED } else { 0 });
    let [first, second] = match pieces.support_of(p) {
        _ if n == GUARDED => [piece.support, 0],
        [] => [0, 0],
        &[a] => [a, 0],
        &[a, b] => [a, b],
        _ => [piece.support, 0],
    };
    [piece.table, first, second, u32::from(n) | signed]
}
