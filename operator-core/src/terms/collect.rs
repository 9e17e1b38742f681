//! Like terms as one.

use std::collections::HashMap;

use ndarray::{Array2, Zip};
use num_complex::Complex64;

use super::{Coefficient, FermionString, LocalMatrix, LocalTerm, ParameterId, PauliString, Term, TermKind};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::kernel::clean;

/// All matrices of a sum may take this many bytes.
const MAX_BYTES: f64 = 4.0 * 1024.0 * 1024.0 * 1024.0;

/// A sum of terms in which like terms are one: those of the same parameter with the same string, or with
/// matrices on the same sites.
///
/// What falls below rounding is dropped, by the rule of the kernel's linear forms.
pub(crate) struct Collector<'a> {
    hilbert: &'a HilbertSpace,
    places: HashMap<Key, usize>,
    sums: Vec<Sum>,
    bytes: f64,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    shape: Shape,
    parameter: Option<ParameterId>,
}

#[derive(PartialEq, Eq, Hash)]
enum Shape {
    Pauli(PauliString),
    Fermion(FermionString),
    /// In ascending order.
    Local(Vec<usize>),
}

/// A factor or matrix with the sum of the absolute values that went into it.
enum Sum {
    /// A multiple of a string, or of one matrix.
    Multiple { factor: Complex64, size: f64, matrix: Option<LocalMatrix> },
    /// A sum of different matrices.
    Matrix { sum: Array2<Complex64>, size: Array2<f64> },
}

impl<'a> Collector<'a> {
    /// No terms.
    pub(crate) fn new(hilbert: &'a HilbertSpace) -> Self {
        Collector { hilbert, places: HashMap::new(), sums: Vec::new(), bytes: 0.0 }
    }

    /// Adds a term. A coefficient that is not finite is found in [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the matrices no longer fit into memory.
    pub(crate) fn push(&mut self, coefficient: Coefficient, kind: TermKind) -> Result<()> {
        let Coefficient { factor, parameter } = coefficient;
        if factor == Complex64::ZERO {
            return Ok(());
        }
        let (shape, matrix) = match kind {
            TermKind::Pauli(string) => (Shape::Pauli(string), None),
            TermKind::Fermion(string) if string.vanishes() => return Ok(()),
            TermKind::Fermion(string) => (Shape::Fermion(string), None),
            TermKind::Local(local) => {
                let local = local.sorted(self.hilbert);
                (Shape::Local(local.sites().to_vec()), Some(local.shared_matrix().clone()))
            }
        };
        let next = self.sums.len();
        let place = *self.places.entry(Key { shape, parameter }).or_insert(next);
        if place < next {
            self.sums[place].add(factor, matrix);
            return Ok(());
        }
        self.bytes += matrix.as_ref().filter(|matrix| matrix.is_unshared()).map_or(0.0, matrix_bytes);
        if self.bytes > MAX_BYTES {
            return Err(Error::TooLarge {
                what: "the sum of local matrices".into(),
                bytes: self.bytes,
                limit: MAX_BYTES,
                remedy: "keep the factors of the product apart",
            });
        }
        self.sums.push(Sum::Multiple { factor, size: factor.norm(), matrix });
        Ok(())
    }

    /// The terms that are not zero, in the order in which each was first added.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a coefficient or matrix element is not finite or grew beyond what f64 holds.
    pub(crate) fn finish(self) -> Result<Vec<Term>> {
        let mut keys: Vec<(usize, Key)> = self.places.into_iter().map(|(key, place)| (place, key)).collect();
        keys.sort_unstable_by_key(|&(place, _)| place);
        let terms = keys.into_iter().zip(self.sums).map(|((_, key), sum)| sum.finish(key));
        terms.filter_map(Result::transpose).collect()
    }
}

fn matrix_bytes(matrix: &LocalMatrix) -> f64 {
    (matrix.len() * size_of::<Complex64>()) as f64
}

impl Sum {
    fn add(&mut self, factor: Complex64, matrix: Option<LocalMatrix>) {
        match (&mut *self, matrix) {
            (Sum::Multiple { factor: sum, size, matrix: known }, matrix) if *known == matrix => {
                *sum += factor;
                *size += factor.norm();
            }
            (Sum::Multiple { factor: sum, matrix: Some(known), .. }, Some(matrix)) => {
                let (sum, size) = (known.mapv(|z| *sum * z), known.mapv(|z| (*sum * z).norm()));
                *self = Sum::Matrix { sum, size };
                self.add(factor, Some(matrix));
            }
            (Sum::Matrix { sum, size }, Some(matrix)) => {
                Zip::from(sum).and(size).and(&**matrix).for_each(|sum, size, &z| {
                    *sum += factor * z;
                    *size += (factor * z).norm();
                });
            }
            // Equal keys never mix strings with matrices.
            (_, None) | (Sum::Multiple { matrix: None, .. }, Some(_)) => {}
        }
    }

    fn finish(self, Key { shape, parameter }: Key) -> Result<Option<Term>> {
        let (factor, kind) = match (self, shape) {
            (Sum::Multiple { factor, size, .. }, Shape::Pauli(string)) => {
                (finite_and_clean(factor, size, &string)?, TermKind::Pauli(string))
            }
            (Sum::Multiple { factor, size, .. }, Shape::Fermion(string)) => {
                (finite_and_clean(factor, size, &string)?, TermKind::Fermion(string))
            }
            (Sum::Multiple { factor, size, matrix: Some(matrix) }, Shape::Local(sites)) => {
                let term = LocalTerm::from_parts(sites, matrix);
                let factor = finite_and_clean(factor, size, &term)?;
                let zero = term.matrix().iter().all(|&z| z == Complex64::ZERO);
                (if zero { Complex64::ZERO } else { factor }, TermKind::Local(term))
            }
            (Sum::Matrix { mut sum, size }, Shape::Local(sites)) => {
                let name = format!("the sum of matrices on sites {sites:?}");
                for (z, &size) in sum.iter_mut().zip(&size) {
                    *z = finite_and_clean(*z, size, &name)?;
                }
                let zero = sum.iter().all(|&z| z == Complex64::ZERO);
                let factor = if zero { Complex64::ZERO } else { Complex64::ONE };
                (factor, TermKind::Local(LocalTerm::from_parts(sites, sum)))
            }
            _ => return Ok(None),
        };
        let coefficient = Coefficient { factor, parameter };
        Ok((factor != Complex64::ZERO).then_some(Term { coefficient, kind }))
    }
}

fn finite_and_clean(value: Complex64, size: f64, name: &dyn std::fmt::Display) -> Result<Complex64> {
    if size.is_finite() && value.is_finite() {
        return Ok(clean(value, size));
    }
    let value = if value.is_finite() { Complex64::new(size, 0.0) } else { value };
    Err(Error::NotFinite { what: format!("coefficient of {name}"), value })
}
