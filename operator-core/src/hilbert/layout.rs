//! The parts of every space: blocks of sites, and the numbering of their states.

use std::sync::{Arc, OnceLock};

use super::block::Block;
use super::packed_ranking::PackedRanking;
use super::ranking::Ranking;
use crate::error::{Error, Result};

/// The parts of a space.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) n_sites: usize,
    pub(super) blocks: Vec<Block>,
    pub(super) rankings: Vec<Ranking>,
    pub(super) n_states: Option<usize>,
    /// Built on first use.
    pub(super) packed_ranking: OnceLock<PackedRanking>,
}

impl Layout {
    pub(super) fn new(blocks: Vec<Block>) -> Result<Arc<Self>> {
        let n_sites = blocks.iter().map(|block| block.n_sites).sum();
        if n_sites == 0 {
            return Err(Error::InvalidHilbert("it has no sites; expected at least 1".into()));
        }
        if n_sites > u32::MAX as usize / 2 {
            return Err(Error::InvalidHilbert(format!("{n_sites} sites; at most 2^31 are numbered")));
        }
        let rankings: Vec<Ranking> = blocks.iter().map(Ranking::new).collect();
        let n_states =
            rankings.iter().try_fold(1usize, |product, ranking| product.checked_mul(ranking.n_states()?));
        let packed_ranking = OnceLock::new();
        Ok(Arc::new(Layout { n_sites, blocks, rankings, n_states, packed_ranking }))
    }
}
