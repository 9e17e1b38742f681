//! Strings of Pauli matrices.

use std::fmt;

use num_complex::Complex64;

use super::sites::check_sites;
use crate::bits::{self, SiteSet};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;

/// A Pauli matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pauli {
    /// σx
    X,
    /// σy
    Y,
    /// σz
    Z,
}

/// A product of Pauli matrices on two-level sites, stored as two sets of sites: those it flips (X or Y) and
/// those that give a sign (Z or Y).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PauliString {
    flip: SiteSet,
    sign: SiteSet,
}

impl PauliString {
    pub(crate) fn new(hilbert: &HilbertSpace, paulis: &[(usize, Pauli)]) -> Result<Self> {
        let string = Self::on_occupations(hilbert, paulis)?;
        if paulis.iter().any(|&(site, _)| hilbert.is_fermion_mode(site)) {
            return Err(Error::WrongHilbert {
                term: format!("Pauli string {}", product_name(paulis)),
                hilbert: hilbert.to_string(),
                reason: "Pauli matrices act on spins and qubits; write fermions in ladder operators, which \
                         jordan_wigner maps to Pauli strings on qubits",
            });
        }
        Ok(string)
    }

    /// The same on fermion modes too, whose occupation numbers it takes for the states of qubits.
    pub(crate) fn on_occupations(hilbert: &HilbertSpace, paulis: &[(usize, Pauli)]) -> Result<Self> {
        let name = || format!("Pauli string {}", product_name(paulis));
        let sites: Vec<usize> = paulis.iter().map(|&(site, _)| site).collect();
        check_sites(hilbert, &sites, &name)?;
        if sites.iter().any(|&site| hilbert.local_dim(site) != 2) {
            return Err(Error::WrongHilbert {
                term: name(),
                hilbert: hilbert.to_string(),
                reason: "Pauli matrices need two local states a site",
            });
        }
        let n_words = bits::n_words(hilbert.n_sites());
        let (mut flip, mut sign) = (bits::empty(n_words), bits::empty(n_words));
        for &(site, pauli) in paulis {
            if pauli != Pauli::Z {
                bits::insert(&mut flip, site);
            }
            if pauli != Pauli::X {
                bits::insert(&mut sign, site);
            }
        }
        Ok(PauliString { flip, sign })
    }

    /// The string that flips `flip` and gives signs on `sign`. Both sets have the space's length.
    pub(crate) fn from_sets(flip: SiteSet, sign: SiteSet) -> Self {
        PauliString { flip, sign }
    }

    /// The empty string, with sets of `n_words`.
    pub(crate) fn identity(n_words: usize) -> Self {
        PauliString { flip: bits::empty(n_words), sign: bits::empty(n_words) }
    }

    /// Adds a matrix on one more site, which is known to exist.
    pub(crate) fn with(mut self, site: usize, pauli: Option<Pauli>) -> Self {
        if matches!(pauli, Some(Pauli::X | Pauli::Y)) {
            bits::insert(&mut self.flip, site);
        }
        if matches!(pauli, Some(Pauli::Z | Pauli::Y)) {
            bits::insert(&mut self.sign, site);
        }
        self
    }

    /// The factors, ordered by site.
    pub fn paulis(&self) -> Vec<(usize, Pauli)> {
        let mut out: Vec<_> = bits::sites(&self.flip)
            .map(|site| (site, if bits::contains(&self.sign, site) { Pauli::Y } else { Pauli::X }))
            .chain(
                bits::sites(&self.sign)
                    .filter(|&site| !bits::contains(&self.flip, site))
                    .map(|site| (site, Pauli::Z)),
            )
            .collect();
        out.sort_unstable_by_key(|&(site, _)| site);
        out
    }

    pub(crate) fn flip(&self) -> &SiteSet {
        &self.flip
    }

    pub(crate) fn sign(&self) -> &SiteSet {
        &self.sign
    }

    /// The phase in `<x|P|x'> = phase · (-1)^|x ∩ sign|` for non-zero elements. It has a factor −i for each Y,
    /// whose element is −i on a row of local index 0 and +i on one of index 1.
    pub(crate) fn phase(&self) -> Complex64 {
        let n_y: u32 = self.flip.iter().zip(&self.sign).map(|(a, b)| (a & b).count_ones()).sum();
        Complex64::new(0.0, -1.0).powu(n_y % 4)
    }

    /// The product of two strings: a phase and a string.
    ///
    /// A string is `phase · M(flip, sign)` with `<x|M|x ^ flip> = (−1)^|x & sign|`, and
    /// `M(f, s) M(f', s') = (−1)^|f & s'| M(f ^ f', s ^ s')`.
    pub(super) fn times(&self, other: &PauliString) -> (Complex64, PauliString) {
        let xor = |a: &SiteSet, b: &SiteSet| -> SiteSet { a.iter().zip(b).map(|(a, b)| a ^ b).collect() };
        let product = PauliString::from_sets(xor(&self.flip, &other.flip), xor(&self.sign, &other.sign));
        let sign = if bits::odd_overlap(&self.flip, &other.sign) { -1.0 } else { 1.0 };
        (self.phase() * other.phase() * product.phase().conj() * sign, product)
    }
}

fn product_name(paulis: &[(usize, Pauli)]) -> String {
    match paulis {
        [] => "I".to_owned(),
        _ => paulis.iter().map(|(site, pauli)| format!("{pauli:?}{site}")).collect::<Vec<_>>().join(" "),
    }
}

impl fmt::Display for PauliString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&product_name(&self.paulis()))
    }
}
