//! Equality of operators, independent of how they are written.

use std::collections::HashMap;

use num_complex::Complex64;
use smallvec::SmallVec;

use super::product::products_of;
use super::{SiteMatrix, TermKind, Terms};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::rounding::agrees;

/// The most entries in the expansion of an operator.
const MAX_ENTRIES: usize = 1 << 22;

impl Terms {
    /// Whether two operators are equal up to rounding at the present values of their parameters. The order and
    /// family of their terms do not matter. The comparison ignores the space's constraint.
    ///
    /// It brings the difference to a unique form: normal order if there are only fermion strings, otherwise an
    /// expansion in products of one-site operators. These are 1 and the Pauli matrices on two-level sites, and 1 and
    /// the matrices of one element on larger ones.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] on different spaces; [`Error::TooLarge`] if the expansion has more than 2^22
    /// entries.
    pub fn equivalent(&self, other: &Terms) -> Result<bool> {
        let difference = (self - other)?.frozen()?;
        let left = if difference.iter().all(|term| matches!(term.kind, TermKind::Fermion(_))) {
            largest(&difference.normal_ordered()?)
        } else {
            largest_in_expansion(&difference)?
        };
        let size = largest(&self.frozen()?).max(largest(&other.frozen()?));
        Ok(left == 0.0 || agrees(left, size))
    }

    /// Whether the operator is its own Hermitian conjugate; see [`equivalent`](Self::equivalent).
    ///
    /// # Errors
    /// As for [`equivalent`](Self::equivalent).
    pub fn is_hermitian(&self) -> Result<bool> {
        self.equivalent(&self.adjoint())
    }
}

/// The sites on which a product is not 1, each with the number of its one-site operator.
type Basis = SmallVec<[(usize, usize); 4]>;

/// The largest coefficient in the expansion of an operator in products of one-site operators.
fn largest_in_expansion(terms: &Terms) -> Result<f64> {
    let mut expansion: HashMap<Basis, Complex64> = HashMap::new();
    for term in terms.iter() {
        for (factor, product) in products_of(terms.hilbert(), &term.kind)? {
            let mut entries: Vec<(Basis, Complex64)> = vec![(Basis::new(), factor * term.coefficient.factor)];
            for (site, matrix) in product.factors() {
                let parts = one_site(terms.hilbert(), *site, matrix);
                check_n_entries(expansion.len() + entries.len().saturating_mul(parts.len()), terms)?;
                let mut next = Vec::with_capacity(entries.len() * parts.len());
                for (basis, z) in &entries {
                    next.extend(parts.iter().map(|&(number, w)| {
                        let mut basis = basis.clone();
                        if number != 0 {
                            basis.push((*site, number));
                        }
                        (basis, z * w)
                    }));
                }
                entries = next;
            }
            entries.into_iter().for_each(|(basis, z)| *expansion.entry(basis).or_default() += z);
        }
    }
    Ok(expansion.values().map(|z| z.norm()).fold(0.0, f64::max))
}

fn check_n_entries(n: usize, terms: &Terms) -> Result<()> {
    if n <= MAX_ENTRIES {
        return Ok(());
    }
    let bytes = |n: usize| n as f64 * size_of::<(Basis, Complex64)>() as f64;
    Err(Error::TooLarge {
        what: format!("the comparison of operators on {}", terms.hilbert()),
        bytes: bytes(n),
        limit: bytes(MAX_ENTRIES),
        remedy: "compare operators of fewer or shorter terms",
    })
}

/// A matrix in the basis of one-site operators: their numbers, 0 for the identity, and coefficients.
fn one_site(hilbert: &HilbertSpace, site: usize, matrix: &SiteMatrix) -> Vec<(usize, Complex64)> {
    let dim = hilbert.local_dim(site);
    if dim == 2 {
        let m = matrix.dense();
        let parts = [
            (0, (m[[0, 0]] + m[[1, 1]]) / 2.0),
            (1, (m[[0, 1]] + m[[1, 0]]) / 2.0),
            (2, (m[[0, 1]] - m[[1, 0]]) / 2.0 * Complex64::I),
            (3, (m[[0, 0]] - m[[1, 1]]) / 2.0),
        ];
        return parts.into_iter().filter(|(_, z)| *z != Complex64::ZERO).collect();
    }
    // |0><0| is 1 minus the other diagonal elements.
    let zero = matrix.elements().next().filter(|&(row, column, _)| (row, column) == (0, 0));
    let zero = zero.map_or(Complex64::ZERO, |(_, _, z)| z);
    let mut parts: HashMap<usize, Complex64> = HashMap::from([(0, zero)]);
    (1..dim).for_each(|k| *parts.entry(k * dim + k).or_default() -= zero);
    for (row, column, z) in matrix.elements().filter(|&(row, column, _)| (row, column) != (0, 0)) {
        *parts.entry(row * dim + column).or_default() += z;
    }
    parts.into_iter().filter(|(_, z)| *z != Complex64::ZERO).collect()
}

/// The largest absolute value of a coefficient times its largest matrix element.
fn largest(terms: &Terms) -> f64 {
    terms.iter().map(|term| term.coefficient.factor.norm() * term.kind.largest_element()).fold(0.0, f64::max)
}
