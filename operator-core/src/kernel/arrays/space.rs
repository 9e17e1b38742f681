//! Local states and constraints as arrays.

use super::EngineBlock;
use crate::hilbert::Block;
use crate::kernel::changes::Edit;

/// The local states of each site, and the constraints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpaceArrays {
    /// For each site the quantum number of local index 0, the difference between consecutive ones, and the last index.
    pub locals: Vec<(i8, i8, u8)>,
    /// Sites whose local indices have a fixed sum: the first, the end, and the sum.
    pub totals: Vec<[u32; 3]>,
}

impl SpaceArrays {
    pub(super) fn new(blocks: &[Block]) -> Self {
        let locals = blocks.iter().flat_map(|block| {
            let local = block.local;
            // A quantum number has eight bits, so there are at most 256.
            std::iter::repeat_n((local.first, local.step, (local.len - 1) as u8), block.n_sites)
        });
        let totals = blocks.iter().filter_map(|block| {
            let sites = block.sites();
            Some([sites.start, sites.end, block.total?].map(|n| n as u32))
        });
        SpaceArrays { locals: locals.collect(), totals: totals.collect() }
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.locals.len()
    }

    /// A change of quantum numbers as one of local indices: with q = first + step · index, it adds another number.
    pub(super) fn on_indices(&self, edit: Edit) -> Edit {
        let (first, step, _) = self.locals[edit.site as usize];
        let [first, step] = [first, step].map(i32::from);
        let moved_first = i32::from(edit.offset) + i32::from(edit.factor) * first;
        Edit { offset: ((moved_first - first) / step) as i8, ..edit }
    }

    pub(super) fn add_to(&self, block: EngineBlock) -> EngineBlock {
        let local = |&(first, step, last): &(i8, i8, u8)| [first as u8, step as u8, last, 0];
        block.array(self.locals.iter().map(local)).u32s(self.totals.as_flattened())
    }
}
