//! Products of sparse matrices on single sites.

use std::collections::BTreeMap;
use std::fmt;

use ndarray::Array2;
use num_complex::Complex64;

use super::sites::check_sites;
use super::{FermionString, LocalTerm, Pauli, PauliString, SiteMatrix, TermKind, real_matrix};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::kernel::MaskString;
use crate::terms::Coefficient;

/// The most products that the algebra makes of one matrix on several sites.
const MAX_PRODUCTS: usize = 1 << 16;

/// A product of sparse matrices, each on a site of its own. Its size does not grow with the product of the sites'
/// local dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProductTerm {
    /// In ascending order of the sites.
    factors: Vec<(usize, SiteMatrix)>,
}

impl ProductTerm {
    pub(crate) fn new(hilbert: &HilbertSpace, factors: &[(usize, SiteMatrix)]) -> Result<Self> {
        let sites: Vec<usize> = factors.iter().map(|&(site, _)| site).collect();
        check_sites(hilbert, &sites, &|| format!("product of matrices on sites {sites:?}"))?;
        for (site, matrix) in factors {
            let ((rows, cols), expected) = (matrix.dim(), hilbert.local_dim(*site));
            if (rows, cols) != (expected, expected) {
                return Err(Error::MatrixShape { sites: vec![*site], rows, cols, expected });
            }
            if let Some((r, c, value)) = matrix.elements().find(|(_, _, value)| !value.is_finite()) {
                let what = format!("element ({r}, {c}) of the matrix on site {site}");
                return Err(Error::NotFinite { what, value });
            }
        }
        let mut factors = factors.to_vec();
        factors.sort_by_key(|&(site, _)| site);
        Ok(ProductTerm { factors })
    }

    /// Matrices of the right size on ascending sites that are known to exist.
    pub(crate) fn from_factors(factors: Vec<(usize, SiteMatrix)>) -> Self {
        ProductTerm { factors }
    }

    /// The sites and their matrices, in ascending order of the sites.
    pub fn factors(&self) -> &[(usize, SiteMatrix)] {
        &self.factors
    }

    /// The sites in ascending order.
    pub fn sites(&self) -> impl Iterator<Item = usize> + '_ {
        self.factors.iter().map(|&(site, _)| site)
    }

    /// The same product with each matrix mapped.
    pub(super) fn map(&self, f: impl Fn(&SiteMatrix) -> SiteMatrix) -> Self {
        ProductTerm { factors: self.factors.iter().map(|(site, matrix)| (*site, f(matrix))).collect() }
    }

    /// The same product on sites further on.
    pub(super) fn shifted(&self, by: usize) -> Self {
        ProductTerm { factors: self.factors.iter().map(|(site, m)| (site + by, m.clone())).collect() }
    }

    /// The matrix on all of its sites, the first of which is the most significant digit.
    pub(super) fn matrix(&self) -> Array2<Complex64> {
        let matrices = self.factors.iter().map(|(_, matrix)| matrix.dense());
        matrices.fold(Array2::eye(1), |product, matrix| ndarray::linalg::kron(&product, &matrix))
    }

    /// The product of two, multiplied site by site.
    pub(super) fn times(&self, other: &Self) -> Self {
        let mut factors = Vec::with_capacity(self.factors.len() + other.factors.len());
        let (mut left, mut right) = (self.factors.iter().peekable(), other.factors.iter().peekable());
        loop {
            factors.push(match (left.peek(), right.peek()) {
                (Some((a, x)), Some((b, y))) if a == b => {
                    left.next();
                    right.next();
                    (*a, x.times(y))
                }
                (Some((a, x)), Some((b, _))) if a < b => {
                    left.next();
                    (*a, x.clone())
                }
                (_, Some((b, y))) => {
                    right.next();
                    (*b, y.clone())
                }
                (Some((a, x)), None) => {
                    left.next();
                    (*a, x.clone())
                }
                (None, None) => return ProductTerm { factors },
            });
        }
    }

    /// The product in its simplest form, with a factor: without identities, as a Pauli string where all matrices
    /// are multiples of Pauli matrices. `None` if it is 0.
    pub(crate) fn simplified(self, hilbert: &HilbertSpace) -> Option<(Complex64, TermKind)> {
        if self.factors.iter().any(|(_, matrix)| matrix.n_elements() == 0) {
            return None;
        }
        let mut factor = Complex64::ONE;
        let mut factors = self.factors;
        factors.retain(|(_, matrix)| match matrix.multiple_of_identity() {
            Some(multiple) => {
                factor *= multiple;
                false
            }
            None => true,
        });
        if factors.is_empty() {
            return Some((factor, TermKind::identity(hilbert)));
        }
        let paulis: Option<Vec<_>> =
            factors.iter().map(|(site, matrix)| Some((*site, multiple_of_pauli(matrix)?))).collect();
        let Some(paulis) = paulis else { return Some((factor, TermKind::Product(ProductTerm { factors }))) };
        let mut string = PauliString::default();
        for (site, (multiple, pauli)) in paulis {
            factor *= multiple;
            string = string.with(site, Some(pauli));
        }
        Some((factor, TermKind::Pauli(string)))
    }

    /// A Pauli string as a product.
    pub(super) fn of_pauli(string: &PauliString) -> Self {
        let matrix = |pauli| match pauli {
            Pauli::X => real_matrix([[0.0, 1.0], [1.0, 0.0]]),
            Pauli::Y => real_matrix([[0.0, -1.0], [1.0, 0.0]]).mapv(|z| z * Complex64::I),
            Pauli::Z => real_matrix([[1.0, 0.0], [0.0, -1.0]]),
        };
        let factors = string.paulis().into_iter().map(|(site, pauli)| (site, matrix(pauli).into()));
        ProductTerm { factors: factors.collect() }
    }

    /// A fermion string as a product and its sign: an element of it flips, guards or signs each mode by itself.
    /// `None` if the string is 0.
    pub(super) fn of_fermion(hilbert: &HilbertSpace, string: &FermionString) -> Option<(Complex64, Self)> {
        let string = MaskString::from_fermion(hilbert, string, Coefficient::from(1.0), 0)?;
        let factor = |site: usize| {
            let (flips, guarded) = (string.flip.contains(site), string.guard.contains(site));
            let elements = (0..2).filter(|&row| !guarded || (row == 1) == string.guard_value.contains(site));
            let elements = elements.map(|row| {
                let sign = if row == 1 && string.sign.contains(site) { -1.0 } else { 1.0 };
                (row, if flips { 1 - row } else { row }, Complex64::from(sign))
            });
            (site, SiteMatrix::new(2, elements))
        };
        let sites = string.flip.or(&string.guard).or(&string.sign);
        let factors = sites.sites().map(factor).collect();
        Some((string.coefficient.factor, ProductTerm { factors }))
    }

    /// A matrix as a sum of products: one for each non-zero element on all sites but the last.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if these are too many.
    pub(super) fn of_local(hilbert: &HilbertSpace, local: &LocalTerm) -> Result<Vec<Self>> {
        let local = local.clone().sorted(hilbert);
        let Some((&last, others)) = local.sites().split_last() else {
            // A number; the caller multiplies by it.
            let matrix = SiteMatrix::from(local.matrix().clone());
            let factors = matrix.elements().next().map(|(_, _, z)| {
                let dim = hilbert.local_dim(0);
                (0, SiteMatrix::identity(dim).map(|one| one * z))
            });
            return Ok(factors.map(|factor| ProductTerm { factors: vec![factor] }).into_iter().collect());
        };
        let dim = hilbert.local_dim(last);
        let mut blocks: BTreeMap<(usize, usize), Vec<_>> = BTreeMap::new();
        for ((row, column), &z) in local.matrix().indexed_iter().filter(|(_, z)| **z != Complex64::ZERO) {
            blocks.entry((row / dim, column / dim)).or_default().push((row % dim, column % dim, z));
        }
        if blocks.len() > MAX_PRODUCTS {
            return Err(Error::TooLarge {
                what: format!("the {} products of the {local}", blocks.len()),
                bytes: blocks.len() as f64 * 256.0,
                limit: MAX_PRODUCTS as f64 * 256.0,
                remedy: "write it as a sum of products of matrices on single sites",
            });
        }
        let products = blocks.into_iter().map(|((mut row, mut column), elements)| {
            let mut factors = vec![(last, SiteMatrix::new(dim, elements))];
            for &site in others.iter().rev() {
                let dim = hilbert.local_dim(site);
                factors.push((site, SiteMatrix::new(dim, [(row % dim, column % dim, Complex64::ONE)])));
                (row, column) = (row / dim, column / dim);
            }
            factors.reverse();
            ProductTerm { factors }
        });
        Ok(products.collect())
    }
}

/// A matrix on two local states as a multiple of a Pauli matrix.
fn multiple_of_pauli(matrix: &SiteMatrix) -> Option<(Complex64, Pauli)> {
    if matrix.dim() != (2, 2) {
        return None;
    }
    let elements: Vec<_> = matrix.elements().collect();
    match elements[..] {
        [(0, 1, a), (1, 0, b)] if a == b => Some((a, Pauli::X)),
        [(0, 1, a), (1, 0, b)] if a == -b => Some((a * Complex64::I, Pauli::Y)),
        [(0, 0, a), (1, 1, b)] if a == -b => Some((a, Pauli::Z)),
        _ => None,
    }
}

impl From<ProductTerm> for TermKind {
    fn from(term: ProductTerm) -> Self {
        TermKind::Product(term)
    }
}

impl fmt::Display for ProductTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sites: Vec<usize> = self.sites().collect();
        match sites[..] {
            [site] => write!(f, "matrix on site {site}"),
            _ => write!(f, "product of matrices on sites {sites:?}"),
        }
    }
}
