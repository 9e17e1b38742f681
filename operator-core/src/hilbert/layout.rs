//! The parts of every space: blocks of sites, and the numbering of their states.

use std::sync::{Arc, OnceLock};

use super::block::Block;
use super::counting;
use super::packed_ranking::PackedRanking;
use super::ranking::Ranking;
use crate::error::{Error, Result};

/// The parts of a space.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) n_sites: usize,
    pub(super) blocks: Vec<Block>,
    /// The number of states of each block. `None` if that of the whole space does not fit in a `usize`.
    pub(super) n_states: Option<NStates>,
    pub(super) log2_n_states: f64,
    /// Built on first use, as is the next: both take memory, and sampling needs neither.
    pub(super) rankings: OnceLock<Vec<Ranking>>,
    pub(super) packed_ranking: OnceLock<PackedRanking>,
}

/// Numbers of states.
#[derive(Debug)]
pub(super) struct NStates {
    pub(super) of_blocks: Vec<usize>,
    pub(super) of_all: usize,
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
        let (of_blocks, log2): (Vec<Option<usize>>, Vec<f64>) = blocks.iter().map(counting::count).unzip();
        let n_states = of_blocks.into_iter().collect::<Option<Vec<usize>>>().and_then(|of_blocks| {
            let of_all = of_blocks.iter().try_fold(1usize, |product, &n| product.checked_mul(n))?;
            Some(NStates { of_blocks, of_all })
        });
        let (rankings, packed_ranking) = (OnceLock::new(), OnceLock::new());
        let log2_n_states = log2.iter().sum();
        Ok(Arc::new(Layout { n_sites, blocks, n_states, log2_n_states, rankings, packed_ranking }))
    }
}
