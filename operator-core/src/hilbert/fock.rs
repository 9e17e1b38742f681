//! Bosons.

use std::fmt;
use std::sync::Arc;

use super::block::{Block, LocalStates};
use super::layout::Layout;
use crate::error::{Error, Result};

/// Bosons, from 0 to n_max on each site.
///
/// ```
/// use operator_core::hilbert::{Fock, HilbertSpace};
/// let space: HilbertSpace = Fock::new(2, 3)?.with_n_particles(3)?.into();
/// assert_eq!(space.n_states()?, 7);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fock {
    n_particles: Option<usize>,
    layout: Arc<Layout>,
}

impl Fock {
    /// `n` sites with at most `n_max` bosons each, where `n_max` is from 1 to 127: batches hold a quantum number in a byte
    /// with a sign (`i8`), on all spaces.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] for any other `n_max`, or no sites.
    pub fn new(n_max: usize, n: usize) -> Result<Self> {
        if !(1..=127).contains(&n_max) {
            return Err(Error::InvalidHilbert(format!(
                "n_max = {n_max}; expected 1 to 127, which a quantum number of one signed byte holds"
            )));
        }
        let local = LocalStates { first: 0, step: 1, len: n_max + 1 };
        let layout = Layout::new(vec![Block { start: 0, n_sites: n, local, total: None }])?;
        Ok(Fock { n_particles: None, layout })
    }

    /// Fixes the total number of bosons.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if they do not fit.
    pub fn with_n_particles(&self, n_particles: usize) -> Result<Self> {
        let block = &self.layout.blocks[0];
        let most = block.n_sites * self.n_max();
        if n_particles > most {
            return Err(Error::InvalidHilbert(format!(
                "n_particles = {n_particles}; {} sites of n_max = {} hold at most {most}",
                block.n_sites,
                self.n_max()
            )));
        }
        let block = Block { total: Some(n_particles), ..block.clone() };
        Ok(Fock { n_particles: Some(n_particles), layout: Layout::new(vec![block])? })
    }

    /// The largest number of bosons on a site.
    pub fn n_max(&self) -> usize {
        self.layout.blocks[0].local.len - 1
    }

    /// The fixed total number of bosons, if any.
    pub fn n_particles(&self) -> Option<usize> {
        self.n_particles
    }

    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}

impl fmt::Display for Fock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fock(n_max = {}, {} sites", self.n_max(), self.layout.n_sites)?;
        if let Some(n_particles) = self.n_particles {
            write!(f, ", n_particles = {n_particles}")?;
        }
        f.write_str(")")
    }
}
