//! Merges like terms.

use std::collections::{BTreeMap, HashMap};

use ndarray::{Array2, Zip};
use num_complex::Complex64;

use super::{
    Coefficient, FermionString, LocalMatrix, LocalTerm, ParameterId, PauliString, ProductTerm, SiteMatrix,
    Term, TermKind,
};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::memory;
use crate::rounding::clean;

/// Products of matrices are joined to a matrix of at most this many rows.
const MAX_JOINED_ROWS: usize = 64;
/// As many elements as a matrix on two sites has at least.
const FEWEST_JOINED: usize = 16;

/// A sum of terms that merges like terms. These have the same parameter, and the same string, the same product, or
/// matrices on the same sites.
///
/// Values below rounding are dropped, by the rule of the kernel's linear forms.
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
    Product(ProductTerm),
    /// A sparse matrix on one site.
    Site(usize),
}

impl Shape {
    /// About the memory of a term of this shape: its place in the map, its sum, and what it holds alone.
    fn bytes(&self) -> f64 {
        let own = match self {
            Shape::Pauli(string) => string.bytes(),
            Shape::Fermion(string) => size_of_val(string.ladders()),
            Shape::Local(sites) => size_of_val(&sites[..]),
            Shape::Product(product) => {
                let unshared = product.factors().iter().filter(|(_, matrix)| matrix.is_unshared());
                size_of_val(product.factors()) + unshared.map(|(_, matrix)| matrix.bytes()).sum::<usize>()
            }
            Shape::Site(_) => 0,
        };
        (2 * size_of::<Key>() + size_of::<Sum>() + own) as f64
    }
}

/// A factor or matrix, and the sum of the absolute values added to it.
enum Sum {
    /// A multiple of a string, or of one matrix.
    Multiple { factor: Complex64, size: f64, matrix: Option<LocalMatrix> },
    /// A sum of different matrices.
    Matrix { sum: Array2<Complex64>, size: Array2<f64> },
    /// A sum of sparse matrices, `dim` and the elements.
    Site { dim: usize, sum: BTreeMap<(usize, usize), (Complex64, f64)> },
}

impl<'a> Collector<'a> {
    /// An empty sum.
    pub(crate) fn new(hilbert: &'a HilbertSpace) -> Self {
        Collector { hilbert, places: HashMap::new(), sums: Vec::new(), bytes: 0.0 }
    }

    /// Adds a term. [`finish`](Self::finish) reports coefficients that are not finite.
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
            TermKind::Product(product) => match product.factors() {
                [(site, matrix)] => {
                    self.push_site(*site, parameter, factor, matrix);
                    return Ok(());
                }
                _ => (Shape::Product(product), None),
            },
            TermKind::Fermion(string) if string.vanishes() => return Ok(()),
            TermKind::Fermion(string) => (Shape::Fermion(string), None),
            TermKind::Local(local) => {
                let local = local.sorted(self.hilbert);
                (Shape::Local(local.sites().to_vec()), Some(local.shared_matrix().clone()))
            }
        };
        let next = self.sums.len();
        let bytes_if_new = shape.bytes();
        let place = *self.places.entry(Key { shape, parameter }).or_insert(next);
        if let Some(sum) = self.sums.get_mut(place) {
            self.bytes += sum.add(factor, matrix);
        } else {
            self.bytes += bytes_if_new;
            self.bytes += matrix.as_ref().filter(|matrix| matrix.is_unshared()).map_or(0.0, matrix_bytes);
            self.sums.push(Sum::Multiple { factor, size: factor.norm(), matrix });
        }
        let what = || format!("a sum of {} terms", self.sums.len());
        memory::expect_fits(what, self.bytes, "keep the factors of the product apart")
    }

    fn push_site(
        &mut self,
        site: usize,
        parameter: Option<ParameterId>,
        factor: Complex64,
        matrix: &SiteMatrix,
    ) {
        let next = self.sums.len();
        let place = *self.places.entry(Key { shape: Shape::Site(site), parameter }).or_insert(next);
        if place == next {
            self.sums.push(Sum::Site { dim: matrix.dim().0, sum: BTreeMap::new() });
        }
        if let Sum::Site { sum, .. } = &mut self.sums[place] {
            for (row, column, z) in matrix.elements() {
                let (sum, size) = sum.entry((row, column)).or_insert((Complex64::ZERO, 0.0));
                *sum += factor * z;
                *size += (factor * z).norm();
            }
        }
    }

    /// The terms that are not zero, in the order in which each was first added.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a coefficient or matrix element is not finite or overflows an f64.
    pub(crate) fn finish(self) -> Result<Vec<Term>> {
        let mut keys: Vec<(usize, Key)> = self.places.into_iter().map(|(key, place)| (place, key)).collect();
        keys.sort_unstable_by_key(|&(place, _)| place);
        let hilbert = self.hilbert;
        let terms = keys.into_iter().zip(self.sums).map(|((_, key), sum)| sum.finish(key, hilbert));
        let terms = terms.filter_map(Result::transpose).collect::<Result<Vec<_>>>()?;
        joined_where_smaller(terms, hilbert)
    }
}

/// Joins products of matrices on equal sites to one matrix where they are more than it has elements, as in high powers.
fn joined_where_smaller(terms: Vec<Term>, hilbert: &HilbertSpace) -> Result<Vec<Term>> {
    // Fewer are not joined on any two sites.
    if terms.len() <= FEWEST_JOINED {
        return Ok(terms);
    }
    let key = |term: &Term| match &term.kind {
        TermKind::Product(product) => {
            let sites: Vec<usize> = product.sites().collect();
            Some((sites, term.coefficient.parameter))
        }
        _ => None,
    };
    let mut places: HashMap<_, Vec<usize>> = HashMap::new();
    for (k, term) in terms.iter().enumerate() {
        if let Some(key) = key(term) {
            places.entry(key).or_default().push(k);
        }
    }
    let mut joined: HashMap<usize, Option<Term>> = HashMap::new();
    for ((sites, parameter), places) in places {
        let n_rows = sites.iter().fold(1usize, |n, &site| n.saturating_mul(hilbert.local_dim(site)));
        if n_rows > MAX_JOINED_ROWS || places.len() <= n_rows * n_rows {
            continue;
        }
        let mut sum =
            Sum::Matrix { sum: Array2::zeros((n_rows, n_rows)), size: Array2::zeros((n_rows, n_rows)) };
        for term in places.iter().map(|&k| &terms[k]) {
            if let TermKind::Product(product) = &term.kind {
                sum.add(term.coefficient.factor, Some(product.matrix().into()));
            }
        }
        joined.extend(places[1..].iter().map(|&k| (k, None)));
        joined.insert(places[0], sum.finish(Key { shape: Shape::Local(sites), parameter }, hilbert)?);
    }
    let kept = terms.into_iter().enumerate().map(|(k, term)| joined.remove(&k).unwrap_or(Some(term)));
    Ok(kept.flatten().collect())
}

fn matrix_bytes(matrix: &LocalMatrix) -> f64 {
    (matrix.len() * size_of::<Complex64>()) as f64
}

impl Sum {
    /// Adds `factor ·` a string or matrix. Returns the bytes that this takes.
    fn add(&mut self, factor: Complex64, matrix: Option<LocalMatrix>) -> f64 {
        match (&mut *self, matrix) {
            (Sum::Multiple { factor: sum, size, matrix: known }, matrix) if *known == matrix => {
                *sum += factor;
                *size += factor.norm();
                0.0
            }
            (Sum::Multiple { factor: sum, size, matrix: Some(known) }, Some(matrix)) => {
                let (sum, size) = (known.mapv(|z| *sum * z), known.mapv(|z| *size * z.norm()));
                *self = Sum::Matrix { sum, size };
                1.5 * matrix_bytes(&matrix) + self.add(factor, Some(matrix))
            }
            (Sum::Matrix { sum, size }, Some(matrix)) => {
                Zip::from(sum).and(size).and(&**matrix).for_each(|sum, size, &z| {
                    *sum += factor * z;
                    *size += (factor * z).norm();
                });
                0.0
            }
            // Equal keys never mix strings with matrices.
            (_, None) | (Sum::Multiple { matrix: None, .. } | Sum::Site { .. }, Some(_)) => 0.0,
        }
    }

    fn finish(self, Key { shape, parameter }: Key, hilbert: &HilbertSpace) -> Result<Option<Term>> {
        let (factor, kind) = match (self, shape) {
            (Sum::Multiple { factor, size, .. }, Shape::Pauli(string)) => {
                (finite_and_clean(factor, size, &string)?, TermKind::Pauli(string))
            }
            (Sum::Multiple { factor, size, .. }, Shape::Fermion(string)) => {
                (finite_and_clean(factor, size, &string)?, TermKind::Fermion(string))
            }
            (Sum::Multiple { factor, size, .. }, Shape::Product(product)) => {
                (finite_and_clean(factor, size, &product)?, TermKind::Product(product))
            }
            (Sum::Site { dim, sum }, Shape::Site(site)) => {
                let name = format!("the sum of matrices on site {site}");
                let clean = |((row, column), (z, size)): ((usize, usize), (Complex64, f64))| {
                    Ok((row, column, finite_and_clean(z, size, &name)?))
                };
                let elements = sum.into_iter().map(clean).collect::<Result<Vec<_>>>()?;
                let matrix = SiteMatrix::new(dim, elements);
                match ProductTerm::from_factors(vec![(site, matrix)]).simplified(hilbert) {
                    Some(simplified) => simplified,
                    None => return Ok(None),
                }
            }
            (Sum::Multiple { factor, size, matrix: Some(matrix) }, Shape::Local(sites)) => {
                let term = LocalTerm::from_parts(sites, matrix);
                let factor = finite_and_clean(factor, size, &term)?;
                // A matrix that no other term holds may be a product, whose elements can overflow.
                let unshared = term.shared_matrix().is_unshared();
                if let Some(&value) = term.matrix().iter().find(|z| unshared && !z.is_finite()) {
                    return Err(Error::NotFinite { what: format!("an element of the {term}"), value });
                }
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

/// The value, cleaned by the rule of [`clean`].
///
/// # Errors
/// [`Error::NotFinite`].
fn finite_and_clean(value: Complex64, size: f64, name: &dyn std::fmt::Display) -> Result<Complex64> {
    if size.is_finite() && value.is_finite() {
        return Ok(clean(value, size));
    }
    let value = if value.is_finite() { Complex64::new(size, 0.0) } else { value };
    Err(Error::NotFinite { what: format!("coefficient of {name}"), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hilbert::Fock;
    use crate::terms::{Terms, real_matrix};

    fn collected(hilbert: &HilbertSpace, summands: &[(f64, LocalTerm)]) -> Vec<Term> {
        let mut sum = Collector::new(hilbert);
        for (factor, local) in summands {
            sum.push((*factor).into(), local.clone().into()).unwrap();
        }
        sum.finish().unwrap()
    }

    #[test]
    fn what_cancels_up_to_rounding_leaves_no_trace_in_a_sum_of_matrices() {
        let hilbert: HilbertSpace = Fock::new(1, 2).unwrap().into();
        let one_site = |rows| LocalTerm::new(&hilbert, &[0], real_matrix::<2>(rows).into()).unwrap();
        let (flip, up) = (one_site([[0.0, 1.0], [1.0, 0.0]]), one_site([[1.0, 0.0], [0.0, 0.0]]));
        let cancelling = [(0.1, flip.clone()), (0.2, flip.clone()), (-0.3, flip.clone())];
        assert!(collected(&hilbert, &cancelling).is_empty());
        let others = [&[(1.0, up.clone())][..], &cancelling].concat();
        for summands in [others.clone(), others.into_iter().rev().collect()] {
            let terms = collected(&hilbert, &summands);
            assert_eq!(terms.len(), 1);
            assert_eq!(terms[0].kind, TermKind::Local(up.clone()));
        }
    }

    #[test]
    fn sites_in_another_order_are_the_same_sites() {
        let hilbert: HilbertSpace = Fock::new(1, 2).unwrap().into();
        let mut hop = [[0.0; 4]; 4];
        hop[1][2] = 1.0;
        let mut terms = Terms::new(hilbert.clone());
        terms.local(1.0, &[0, 1], real_matrix(hop)).unwrap();
        let mut back = Terms::new(hilbert);
        back.local(1.0, &[1, 0], real_matrix(hop)).unwrap();
        let sum = (terms + back).unwrap();
        assert_eq!(sum.len(), 1);
        assert!(sum.is_hermitian().unwrap());
    }

    #[test]
    fn a_matrix_that_terms_share_stays_shared() {
        let hilbert: HilbertSpace = Fock::new(1, 3).unwrap().into();
        let matrix = LocalMatrix::from(real_matrix([[0.0, 1.0], [2.0, 0.0]]));
        let mut terms = Terms::new(hilbert);
        for site in [0, 1, 2, 0] {
            terms.local(1.0, &[site], matrix.clone()).unwrap();
        }
        let same = |terms: &Terms, address| {
            let mut addresses = terms.iter().map(|term| match &term.kind {
                TermKind::Local(local) => local.shared_matrix().address(),
                _ => std::ptr::null(),
            });
            addresses.all(|other| other == address)
        };
        let merged = terms.collected().unwrap();
        assert_eq!(merged.len(), 3);
        assert!(same(&merged, matrix.address()));
    }
}
