use std::fmt;

use super::check_sites;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;

/// A creation or annihilation operator of one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ladder {
    /// The mode.
    pub mode: usize,
    /// Creation rather than annihilation.
    pub dagger: bool,
}

impl Ladder {
    /// Creation operator c†.
    pub fn create(mode: usize) -> Self {
        Ladder { mode, dagger: true }
    }

    /// Annihilation operator c.
    pub fn destroy(mode: usize) -> Self {
        Ladder { mode, dagger: false }
    }
}

/// A mode, and whether it is created.
impl From<(usize, bool)> for Ladder {
    fn from((mode, dagger): (usize, bool)) -> Self {
        Ladder { mode, dagger }
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.mode, if self.dagger { "^" } else { "" })
    }
}

/// A product of creation and annihilation operators, which act right to left; Jordan-Wigner signs in mode
/// order. It prints as `0^ 3^ 2 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FermionString {
    ladders: Vec<Ladder>,
}

impl FermionString {
    pub(crate) fn new(hilbert: &HilbertSpace, ladders: &[Ladder]) -> Result<Self> {
        let string = FermionString { ladders: ladders.to_vec() };
        let name = || format!("fermion string {string}");
        if !hilbert.is_fermionic() {
            return Err(Error::WrongHilbert {
                term: name(),
                hilbert: hilbert.to_string(),
                reason: "its sites are not fermion modes",
            });
        }
        for ladder in ladders {
            check_sites(hilbert, &[ladder.mode], &name)?;
        }
        Ok(string)
    }

    /// The factors, left to right.
    pub fn ladders(&self) -> &[Ladder] {
        &self.ladders
    }
}

impl fmt::Display for FermionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ladders.is_empty() {
            return f.write_str("I");
        }
        for (k, ladder) in self.ladders.iter().enumerate() {
            write!(f, "{}{ladder}", if k == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
