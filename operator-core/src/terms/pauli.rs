//! Strings of Pauli matrices.

use std::fmt;

use num_complex::Complex64;

use super::sites::check_sites;
use crate::bits::SparseSet;
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PauliString {
    flip: SparseSet,
    sign: SparseSet,
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
        let with = |string: Self, &(site, pauli): &(usize, Pauli)| string.with(site, Some(pauli));
        Ok(paulis.iter().fold(Self::default(), with))
    }

    /// The string that flips `flip` and gives signs on `sign`.
    pub(crate) fn from_sets(flip: SparseSet, sign: SparseSet) -> Self {
        PauliString { flip, sign }
    }

    /// Adds a matrix on one more site, which is known to exist.
    pub(crate) fn with(mut self, site: usize, pauli: Option<Pauli>) -> Self {
        if matches!(pauli, Some(Pauli::X | Pauli::Y)) {
            self.flip.insert(site);
        }
        if matches!(pauli, Some(Pauli::Z | Pauli::Y)) {
            self.sign.insert(site);
        }
        self
    }

    /// The factors, ordered by site.
    pub fn paulis(&self) -> Vec<(usize, Pauli)> {
        let pauli = |site| match (self.flip.contains(site), self.sign.contains(site)) {
            (true, true) => Pauli::Y,
            (true, false) => Pauli::X,
            (false, _) => Pauli::Z,
        };
        self.flip.or(&self.sign).sites().map(|site| (site, pauli(site))).collect()
    }

    pub(crate) fn flip(&self) -> &SparseSet {
        &self.flip
    }

    pub(crate) fn sign(&self) -> &SparseSet {
        &self.sign
    }

    /// Whether it has no factor.
    pub(crate) fn is_identity(&self) -> bool {
        self.flip.is_empty() && self.sign.is_empty()
    }

    /// About the bytes that it takes beyond its own size.
    pub(crate) fn bytes(&self) -> usize {
        self.flip.bytes() + self.sign.bytes()
    }

    /// The phase in `<x|P|x'> = phase · (-1)^|x ∩ sign|` for non-zero elements. It has a factor −i for each Y,
    /// whose element is −i on a row of local index 0 and +i on one of index 1.
    pub(crate) fn phase(&self) -> Complex64 {
        let n_y = self.flip.and(&self.sign).count();
        Complex64::new(0.0, -1.0).powu(n_y as u32 % 4)
    }

    /// The product of two strings: a phase and a string.
    ///
    /// A string is `phase · M(flip, sign)` with `<x|M|x ^ flip> = (−1)^|x & sign|`, and
    /// `M(f, s) M(f', s') = (−1)^|f & s'| M(f ^ f', s ^ s')`.
    pub(super) fn times(&self, other: &PauliString) -> (Complex64, PauliString) {
        let product = PauliString::from_sets(self.flip.xor(&other.flip), self.sign.xor(&other.sign));
        let sign = if self.flip.odd_overlap(&other.sign) { -1.0 } else { 1.0 };
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
