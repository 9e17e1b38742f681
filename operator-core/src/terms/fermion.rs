//! Strings of fermion operators.

use std::collections::HashMap;
use std::fmt;

use super::sites::check_sites;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;

/// A creation or annihilation operator of one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ladder {
    pub(crate) mode: usize,
    /// Whether it creates.
    pub(crate) dagger: bool,
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

    /// The mode.
    pub fn mode(self) -> usize {
        self.mode
    }

    /// Whether it is a creation operator.
    pub fn creates(self) -> bool {
        self.dagger
    }

    /// The Hermitian conjugate: c† for c, and c for c†.
    #[must_use]
    pub fn adjoint(self) -> Self {
        Ladder { dagger: !self.dagger, ..self }
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.mode, if self.dagger { "^" } else { "" })
    }
}

/// A product of creation and annihilation operators, which act right to left. Jordan-Wigner signs follow mode
/// order within a factor of the space; operators of different factors commute. It prints as `0^ 3^ 2 1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FermionString {
    ladders: Vec<Ladder>,
}

impl FermionString {
    pub(crate) fn new(hilbert: &HilbertSpace, ladders: &[Ladder]) -> Result<Self> {
        let string = FermionString { ladders: ladders.to_vec() };
        let name = || format!("fermion string {string}");
        for &Ladder { mode, .. } in ladders {
            check_sites(hilbert, &[mode], &name)?;
            if !hilbert.is_fermion_mode(mode) {
                let (term, hilbert) = (name(), hilbert.to_string());
                return Err(Error::WrongHilbert { term, hilbert, reason: "its sites are not fermion modes" });
            }
        }
        Ok(string)
    }

    /// A string of ladder operators on modes that are known to exist.
    pub(crate) fn from_ladders(ladders: Vec<Ladder>) -> Self {
        FermionString { ladders }
    }

    /// Whether the string is 0 because it fills a filled mode or empties an empty one, like `0^ 1 0^`.
    pub(crate) fn vanishes(&self) -> bool {
        const SHORT: usize = 16;
        if self.ladders.len() <= SHORT {
            let repeats = |(k, ladder): (usize, &Ladder)| {
                let before = self.ladders[..k].iter().rev().find(|other| other.mode == ladder.mode);
                before.is_some_and(|other| other.dagger == ladder.dagger)
            };
            return self.ladders.iter().enumerate().any(repeats);
        }
        // The last operator of each mode.
        let mut last = HashMap::with_capacity(self.ladders.len());
        self.ladders.iter().any(|ladder| last.insert(ladder.mode, ladder.dagger) == Some(ladder.dagger))
    }

    /// The product of two strings, whether it is negative, and its operators in the order of their modes, at most two
    /// of each mode: `a a† a = a`. So equal products of commuting operators are equal strings.
    ///
    /// A product that is 0 has a string that [vanishes](Self::vanishes).
    pub(crate) fn times(&self, right: &Self, hilbert: &HilbertSpace) -> (bool, Self) {
        let mut ladders: Vec<Ladder> = Vec::with_capacity(self.ladders.len() + right.ladders.len());
        let mut negative = false;
        for &ladder in self.ladders.iter().chain(&right.ladders) {
            // Only operators of the same factor of the space anticommute.
            let modes = hilbert.modes_with(ladder.mode).unwrap_or_default();
            let later = ladders.iter().rev().take_while(|other| other.mode > ladder.mode);
            let place = ladders.len() - later.clone().count();
            negative ^= later.filter(|other| modes.contains(&other.mode)).count() % 2 == 1;
            match ladders[..place] {
                [.., first, last] if first == ladder && last == ladder.adjoint() => {
                    ladders.remove(place - 1);
                }
                _ => ladders.insert(place, ladder),
            }
        }
        (negative, FermionString { ladders })
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
