//! Spins of one length.

use std::fmt;
use std::sync::Arc;

use super::block::{Block, LocalStates};
use super::layout::Layout;
use crate::error::{Error, Result};

/// Spins of equal length s.
///
/// Quantum numbers are 2·s_z. Local states run from up to down, [2s, 2s − 2, …, −2s]; for s = 1/2 they are +1
/// and −1.
///
/// ```
/// use operator_core::hilbert::{HilbertSpace, Spin};
/// let space: HilbertSpace = Spin::half(4)?.with_total_sz(0.0)?.into();
/// assert_eq!(space.n_states()?, 6);
/// assert_eq!(space.all_states()?.row(0).to_vec(), [1, 1, -1, -1]);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Spin {
    two_s: usize,
    total_sz: Option<f64>,
    layout: Arc<Layout>,
}

impl Spin {
    /// `n` spins of length `s`, where `s` is a multiple of 1/2 up to 127/2.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] for any other `s`, or no sites.
    pub fn new(s: f64, n: usize) -> Result<Self> {
        let two_s = 2.0 * s;
        if !(1.0..=127.0).contains(&two_s) || two_s.fract() != 0.0 {
            return Err(Error::InvalidHilbert(format!(
                "spin s = {s}; expected a multiple of 1/2 from 1/2 to 127/2"
            )));
        }
        let two_s = two_s as usize;
        let local = LocalStates { first: two_s as i8, step: -2, len: two_s + 1 };
        let layout = Layout::new(vec![Block { start: 0, n_sites: n, local, total: None }])?;
        Ok(Spin { two_s, total_sz: None, layout })
    }

    /// `n` spins 1/2.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] for no sites.
    pub fn half(n: usize) -> Result<Self> {
        Self::new(0.5, n)
    }

    /// Fixes the total magnetisation Σ s_z.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if no state has this magnetisation.
    pub fn with_total_sz(&self, total_sz: f64) -> Result<Self> {
        let block = &self.layout.blocks[0];
        let lowered = block.n_sites as f64 * self.two_s as f64 / 2.0 - total_sz;
        let most = (block.n_sites * self.two_s) as f64;
        if !(0.0..=most).contains(&lowered) || lowered.fract() != 0.0 {
            return Err(Error::InvalidHilbert(format!(
                "total_sz = {total_sz}; {} spins of s = {} reach -{} to {} in steps of 1",
                block.n_sites,
                half(self.two_s),
                most / 2.0,
                most / 2.0
            )));
        }
        let block = Block { total: Some(lowered as usize), ..block.clone() };
        Ok(Spin { two_s: self.two_s, total_sz: Some(total_sz), layout: Layout::new(vec![block])? })
    }

    /// Length of the spins.
    pub fn s(&self) -> f64 {
        self.two_s as f64 / 2.0
    }

    /// The fixed magnetisation, if any.
    pub fn total_sz(&self) -> Option<f64> {
        self.total_sz
    }

    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}

impl fmt::Display for Spin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spin({}, {} sites", half(self.two_s), self.layout.n_sites)?;
        if let Some(total_sz) = self.total_sz {
            write!(f, ", total_sz = {total_sz}")?;
        }
        f.write_str(")")
    }
}

/// Half of an integer as text: `1/2`, `1`, `3/2`.
pub(super) fn half(twice: usize) -> String {
    if twice.is_multiple_of(2) { (twice / 2).to_string() } else { format!("{twice}/2") }
}
