//! Fermion modes, with or without spin.

use std::fmt;
use std::sync::Arc;

use super::block::{Block, LocalStates};
use super::layout::Layout;
use super::spin;
use crate::error::{Error, Result};

/// Fermion modes, empty (0) or filled (1). The modes are orbitals, each with 2s + 1 spin states if the fermions
/// have spin.
///
/// With spin, all orbitals of the lowest s_z come first: for s = 1/2, the down modes and then the up modes.
///
/// ```
/// use operator_core::hilbert::{HilbertSpace, SpinOrbitalFermions};
/// let space: HilbertSpace =
///     SpinOrbitalFermions::with_spin(6, 0.5)?.with_n_fermions_per_spin(&[3, 2])?.into();
/// assert_eq!(space.n_states()?, 20 * 15);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpinOrbitalFermions {
    n_orbitals: usize,
    two_s: Option<usize>,
    n_fermions: Option<usize>,
    n_fermions_per_spin: Option<Vec<usize>>,
    layout: Arc<Layout>,
}

impl SpinOrbitalFermions {
    /// Spinless fermions.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] for no orbitals.
    pub fn new(n_orbitals: usize) -> Result<Self> {
        Self::build(n_orbitals, None, None, None)
    }

    /// Fermions of spin `s`, a multiple of 1/2 up to 127/2.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] for any other `s`, or no orbitals.
    pub fn with_spin(n_orbitals: usize, s: f64) -> Result<Self> {
        let two_s = 2.0 * s;
        if !(0.0..=127.0).contains(&two_s) || two_s.fract() != 0.0 {
            return Err(Error::InvalidHilbert(format!(
                "fermion spin s = {s}; expected a multiple of 1/2 from 0 to 127/2"
            )));
        }
        Self::build(n_orbitals, Some(two_s as usize), None, None)
    }

    /// Fixes the total number of fermions.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if they do not fit.
    pub fn with_n_fermions(&self, n_fermions: usize) -> Result<Self> {
        let n_modes = self.n_orbitals * self.n_spin_states();
        if n_fermions > n_modes {
            return Err(Error::InvalidHilbert(format!(
                "n_fermions = {n_fermions}; there are {n_modes} modes"
            )));
        }
        Self::build(self.n_orbitals, self.two_s, Some(n_fermions), None)
    }

    /// Fixes the number of fermions of each spin state, starting with the lowest s_z.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] unless there is one number for each spin state, and all of them fit.
    pub fn with_n_fermions_per_spin(&self, n_fermions: &[usize]) -> Result<Self> {
        if n_fermions.len() != self.n_spin_states() || n_fermions.iter().any(|&n| n > self.n_orbitals) {
            return Err(Error::InvalidHilbert(format!(
                "n_fermions_per_spin = {n_fermions:?}; expected {} numbers of at most {}",
                self.n_spin_states(),
                self.n_orbitals
            )));
        }
        Self::build(self.n_orbitals, self.two_s, None, Some(n_fermions.to_vec()))
    }

    fn build(
        n_orbitals: usize,
        two_s: Option<usize>,
        n_fermions: Option<usize>,
        per_spin: Option<Vec<usize>>,
    ) -> Result<Self> {
        let local = LocalStates { first: 0, step: 1, len: 2 };
        let n_spin_states = two_s.map_or(1, |two_s| two_s + 1);
        let blocks = match &per_spin {
            Some(per_spin) => (per_spin.iter().enumerate())
                .map(|(k, &n)| Block { start: k * n_orbitals, n_sites: n_orbitals, local, total: Some(n) })
                .collect(),
            None => {
                let n_sites = n_orbitals.checked_mul(n_spin_states).ok_or_else(|| {
                    Error::InvalidHilbert(format!("{n_orbitals} orbitals are too many to number"))
                })?;
                vec![Block { start: 0, n_sites, local, total: n_fermions }]
            }
        };
        let layout = Layout::new(blocks)?;
        Ok(SpinOrbitalFermions { n_orbitals, two_s, n_fermions, n_fermions_per_spin: per_spin, layout })
    }

    /// Number of spin states of an orbital; 1 for spinless fermions.
    pub fn n_spin_states(&self) -> usize {
        self.two_s.map_or(1, |two_s| two_s + 1)
    }

    /// Number of orbitals.
    pub fn n_orbitals(&self) -> usize {
        self.n_orbitals
    }

    /// The spin; `None` for spinless fermions.
    pub fn s(&self) -> Option<f64> {
        self.two_s.map(|two_s| two_s as f64 / 2.0)
    }

    /// The fixed total number of fermions, if any.
    pub fn n_fermions(&self) -> Option<usize> {
        self.n_fermions
    }

    /// The fixed number of fermions of each spin state, if any.
    pub fn n_fermions_per_spin(&self) -> Option<&[usize]> {
        self.n_fermions_per_spin.as_deref()
    }

    /// The mode of an orbital in a spin state, counted from the lowest s_z.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`] if there is no such orbital or spin state.
    pub fn mode(&self, orbital: usize, spin_state: usize) -> Result<usize> {
        if orbital >= self.n_orbitals || spin_state >= self.n_spin_states() {
            return Err(Error::InvalidHilbert(format!(
                "no mode for orbital {orbital} in spin state {spin_state}; {self} has {} orbitals and {} spin states",
                self.n_orbitals,
                self.n_spin_states()
            )));
        }
        Ok(spin_state * self.n_orbitals + orbital)
    }

    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}

impl fmt::Display for SpinOrbitalFermions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpinOrbitalFermions({} orbitals", self.n_orbitals)?;
        if let Some(two_s) = self.two_s {
            write!(f, ", s = {}", spin::half(two_s))?;
        }
        if let Some(n_fermions) = self.n_fermions {
            write!(f, ", n_fermions = {n_fermions}")?;
        }
        if let Some(per_spin) = &self.n_fermions_per_spin {
            write!(f, ", n_fermions_per_spin = {per_spin:?}")?;
        }
        f.write_str(")")
    }
}
