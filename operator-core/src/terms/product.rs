//! Products of terms.

use num_complex::Complex64;

use super::convert::{fermion_to_paulis, pauli_to_local, to_paulis};
use super::embed::union;
use super::{FermionString, LocalTerm, PauliString, TermKind};
use crate::error::Result;
use crate::hilbert::HilbertSpace;

/// A matrix times a Pauli string becomes a matrix on at most this many sites.
const MAX_MATRIX_SITES: usize = 6;

/// Emits the terms of `a · b`, each with a factor.
///
/// Terms of one family give a term of that family. A Pauli string times a matrix becomes a matrix on few sites
/// and Pauli strings otherwise. A fermion string times a term of another family goes through its Jordan-Wigner
/// image.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) if there are too many sites for a matrix or too many Pauli
/// strings; the errors of `emit`.
pub(crate) fn multiply(
    hilbert: &HilbertSpace,
    a: &TermKind,
    b: &TermKind,
    emit: &mut dyn FnMut(Complex64, TermKind) -> Result<()>,
) -> Result<()> {
    match (a, b) {
        (TermKind::Pauli(a), TermKind::Pauli(b)) => {
            let (phase, product) = a.times(b);
            emit(phase, TermKind::Pauli(product))
        }
        (TermKind::Fermion(a), TermKind::Fermion(b)) => {
            let product = FermionString::from_ladders([a.ladders(), b.ladders()].concat());
            emit(Complex64::ONE, TermKind::Fermion(product))
        }
        (TermKind::Local(a), TermKind::Local(b)) => emit(Complex64::ONE, a.times(b, hilbert)?.into()),
        (TermKind::Local(local), TermKind::Pauli(string)) if is_small(local, string, hilbert) => {
            emit(Complex64::ONE, local.times(&pauli_to_local(hilbert, string)?, hilbert)?.into())
        }
        (TermKind::Pauli(string), TermKind::Local(local)) if is_small(local, string, hilbert) => {
            emit(Complex64::ONE, pauli_to_local(hilbert, string)?.times(local, hilbert)?.into())
        }
        (TermKind::Local(_), TermKind::Pauli(_)) => {
            to_paulis(hilbert, a, &mut |z, a| multiply(hilbert, &a, b, &mut |w, kind| emit(z * w, kind)))
        }
        (TermKind::Pauli(_), TermKind::Local(_)) => {
            to_paulis(hilbert, b, &mut |z, b| multiply(hilbert, a, &b, &mut |w, kind| emit(z * w, kind)))
        }
        (TermKind::Fermion(string), _) => {
            fermion_to_paulis(hilbert, string)?.into_iter().try_for_each(|(z, string)| {
                multiply(hilbert, &TermKind::Pauli(string), b, &mut |w, kind| emit(z * w, kind))
            })
        }
        (_, TermKind::Fermion(string)) => {
            fermion_to_paulis(hilbert, string)?.into_iter().try_for_each(|(z, string)| {
                multiply(hilbert, a, &TermKind::Pauli(string), &mut |w, kind| emit(z * w, kind))
            })
        }
    }
}

/// Whether to multiply a matrix and a Pauli string as matrices: if they act on few sites, or if the matrix has
/// no Pauli strings.
fn is_small(local: &LocalTerm, string: &PauliString, hilbert: &HilbertSpace) -> bool {
    let sites: Vec<usize> = string.paulis().iter().map(|&(site, _)| site).collect();
    union(local.sites(), &sites).len() <= MAX_MATRIX_SITES
        || local.sites().iter().any(|&site| hilbert.local_dim(site) != 2)
}
