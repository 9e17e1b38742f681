//! Tensor products of spaces.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::block::Block;
use super::layout::Layout;
use super::space::HilbertSpace;
use crate::error::{Error, Result};

/// The tensor product of Hilbert spaces of any kind: the sites of the first factor, then those of the second,
/// and so on.
///
/// States are in lexicographic order with the first factor most significant. A matrix A on the first of two
/// factors is therefore the Kronecker product A ⊗ 1. Operators of different factors commute, even if both are
/// fermionic: a Jordan-Wigner string ends at its factor's first mode.
///
/// A factor that is itself a tensor product is replaced by its factors.
///
/// ```
/// use operator_core::hilbert::{Fock, HilbertSpace, Spin, TensorHilbert};
/// let cavity = TensorHilbert::new([HilbertSpace::from(Spin::half(3)?), Fock::new(2, 1)?.into()])?;
/// assert_eq!(cavity.to_string(), "Spin(1/2, 3 sites) ⊗ Fock(n_max = 2, 1 sites)");
/// assert_eq!(cavity.sites(1)?, 3..4);
///
/// let same = (Spin::half(3)? * Fock::new(2, 1)?)?;
/// assert_eq!(same, cavity.into());
/// assert_eq!(same.n_states()?, 8 * 3);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TensorHilbert {
    factors: Arc<[HilbertSpace]>,
    layout: Arc<Layout>,
}

impl TensorHilbert {
    /// The product of `factors` in this order.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] for no factors, or more than 2^31 sites.
    pub fn new(factors: impl IntoIterator<Item = impl Into<HilbertSpace>>) -> Result<Self> {
        let factors: Arc<[HilbertSpace]> =
            factors.into_iter().flat_map(|factor| factor.into().factors().to_vec()).collect();
        if factors.is_empty() {
            return Err(Error::InvalidHilbert("a tensor product of no factors; expected at least 1".into()));
        }
        let starts = starts(&factors);
        let blocks = factors.iter().zip(starts).flat_map(|(factor, start)| {
            factor.blocks().iter().map(move |block| Block { start: start + block.start, ..block.clone() })
        });
        let layout = Layout::new(blocks.collect())?;
        Ok(TensorHilbert { factors, layout })
    }

    /// The factors. None of them is a tensor product.
    pub fn factors(&self) -> &[HilbertSpace] {
        &self.factors
    }

    /// The sites of factor `k`.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if there is no such factor.
    pub fn sites(&self, k: usize) -> Result<Range<usize>> {
        let ranges = self.factors.iter().zip(starts(&self.factors));
        match ranges.map(|(factor, start)| start..start + factor.n_sites()).nth(k) {
            Some(sites) => Ok(sites),
            None => Err(Error::InvalidHilbert(format!(
                "factor {k} does not exist; {self} has factors 0 to {}",
                self.factors.len() - 1
            ))),
        }
    }

    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}

/// The first site of each factor.
fn starts(factors: &[HilbertSpace]) -> impl Iterator<Item = usize> + '_ {
    factors.iter().scan(0, |next, factor| {
        let start = *next;
        *next += factor.n_sites();
        Some(start)
    })
}

impl HilbertSpace {
    /// The tensor product of `factors`; see [`TensorHilbert::new`].
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] for no factors, or more than 2^31 sites.
    pub fn tensor(factors: impl IntoIterator<Item = impl Into<HilbertSpace>>) -> Result<Self> {
        Ok(TensorHilbert::new(factors)?.into())
    }

    /// The factors of a tensor product; any other space is its only factor.
    pub fn factors(&self) -> &[HilbertSpace] {
        match self {
            HilbertSpace::Tensor(space) => space.factors(),
            space => std::slice::from_ref(space),
        }
    }

    /// The factor that a site belongs to, and the sites of this factor. `None` if there is no such site.
    pub fn factor_of(&self, site: usize) -> Option<(&HilbertSpace, Range<usize>)> {
        let factors = self.factors();
        let ranges = factors.iter().zip(starts(factors));
        let mut ranges = ranges.map(|(factor, start)| (factor, start..start + factor.n_sites()));
        ranges.find(|(_, sites)| sites.contains(&site))
    }

    /// The sites of another space that equals consecutive factors of this one, starting with number `first`.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] if these factors differ or do not exist.
    pub fn sites_of(&self, part: &HilbertSpace, first: usize) -> Result<Range<usize>> {
        let start = self.factors().iter().take(first).map(HilbertSpace::n_sites).sum();
        let own = self.factors().get(first..).unwrap_or_default();
        if own.starts_with(part.factors()) {
            return Ok(start..start + part.n_sites());
        }
        Err(Error::HilbertMismatch {
            left: part.to_string(),
            right: format!("the factors from number {first} on of {self}"),
        })
    }
}

impl fmt::Display for TensorHilbert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, factor) in self.factors.iter().enumerate() {
            write!(f, "{}{factor}", if k == 0 { "" } else { " ⊗ " })?;
        }
        Ok(())
    }
}
