//! Products of terms.

use num_complex::Complex64;

use super::convert::{pauli_to_local, to_paulis};
use super::embed::union;
use super::{LocalTerm, PauliString, ProductTerm, TermKind};
use crate::error::Result;
use crate::hilbert::HilbertSpace;

/// A matrix times a Pauli string becomes a matrix on at most this many sites.
const MAX_MATRIX_SITES: usize = 6;
/// Two matrices are multiplied as matrices if the product has at most this many rows, or is no larger than the
/// larger of the two.
const MAX_DENSE_ROWS: usize = 64;

/// Emits the terms of `a · b`, each with a factor.
///
/// Terms of one family give a term of that family, as long as matrices do not grow. On two-level sites, a Pauli
/// string times a matrix becomes a matrix on few sites and Pauli strings otherwise. Everything else is multiplied as
/// products of sparse matrices, site by site.
///
/// # Errors
/// [`Error::TooLarge`](crate::Error::TooLarge) if a matrix splits into too many products or Pauli strings;
/// [`Error::NotFinite`](crate::Error::NotFinite); the errors of `emit`.
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
            let (negative, product) = a.times(b, hilbert);
            emit(Complex64::from(if negative { -1.0 } else { 1.0 }), TermKind::Fermion(product))
        }
        (TermKind::Local(a), TermKind::Local(b)) if stays_small(a, b, hilbert) => {
            emit(Complex64::ONE, a.times(b, hilbert)?.into())
        }
        (TermKind::Local(local), TermKind::Pauli(string)) if is_small(local, string, hilbert) => {
            emit(Complex64::ONE, local.times(&pauli_to_local(hilbert, string)?, hilbert)?.into())
        }
        (TermKind::Pauli(string), TermKind::Local(local)) if is_small(local, string, hilbert) => {
            emit(Complex64::ONE, pauli_to_local(hilbert, string)?.times(local, hilbert)?.into())
        }
        (TermKind::Local(local), TermKind::Pauli(_)) if is_two_level(local, hilbert) => {
            to_paulis(hilbert, a, &mut |z, a| multiply(hilbert, &a, b, &mut |w, kind| emit(z * w, kind)))
        }
        (TermKind::Pauli(_), TermKind::Local(local)) if is_two_level(local, hilbert) => {
            to_paulis(hilbert, b, &mut |z, b| multiply(hilbert, a, &b, &mut |w, kind| emit(z * w, kind)))
        }
        _ => {
            let right = products_of(hilbert, b)?;
            for (z, left) in products_of(hilbert, a)? {
                for (w, right) in &right {
                    if let Some((factor, kind)) = left.times(right).simplified(hilbert) {
                        emit(z * w * factor, kind)?;
                    }
                }
            }
            Ok(())
        }
    }
}

/// A term as products of sparse matrices on single sites, each with a factor.
pub(super) fn products_of(hilbert: &HilbertSpace, kind: &TermKind) -> Result<Vec<(Complex64, ProductTerm)>> {
    Ok(match kind {
        TermKind::Local(local) => ProductTerm::of_local(hilbert, local)?
            .into_iter()
            .map(|product| (Complex64::ONE, product))
            .collect(),
        TermKind::Product(product) => vec![(Complex64::ONE, product.clone())],
        TermKind::Pauli(string) => vec![(Complex64::ONE, ProductTerm::of_pauli(string))],
        TermKind::Fermion(string) => ProductTerm::of_fermion(hilbert, string).into_iter().collect(),
    })
}

fn stays_small(a: &LocalTerm, b: &LocalTerm, hilbert: &HilbertSpace) -> bool {
    let rows = |sites: &[usize]| {
        sites.iter().fold(1usize, |rows, &site| rows.saturating_mul(hilbert.local_dim(site)))
    };
    rows(&union(a.sites(), b.sites())) <= MAX_DENSE_ROWS.max(rows(a.sites())).max(rows(b.sites()))
}

fn is_two_level(local: &LocalTerm, hilbert: &HilbertSpace) -> bool {
    local.sites().iter().all(|&site| hilbert.local_dim(site) == 2)
}

/// Whether to multiply a matrix and a Pauli string as matrices: if they act on few two-level sites.
fn is_small(local: &LocalTerm, string: &PauliString, hilbert: &HilbertSpace) -> bool {
    let sites: Vec<usize> = string.paulis().iter().map(|&(site, _)| site).collect();
    is_two_level(local, hilbert) && union(local.sites(), &sites).len() <= MAX_MATRIX_SITES
}
