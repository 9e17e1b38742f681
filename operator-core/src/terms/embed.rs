//! Extends matrices to more sites, or brings their sites into another order.

use ndarray::Array2;
use num_complex::Complex64;

use super::LocalTerm;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::rounding::clean;

/// The most rows of a local matrix that the algebra builds (16 MiB).
const MAX_DIM: usize = 1024;

/// Number of states of some sites, if the algebra builds matrices of this size.
///
/// # Errors
/// [`Error::TooLarge`].
pub(crate) fn checked_dim(hilbert: &HilbertSpace, sites: &[usize]) -> Result<usize> {
    let dim = sites.iter().fold(1usize, |dim, &site| dim.saturating_mul(hilbert.local_dim(site)));
    if dim > MAX_DIM {
        let bytes = |dim: usize| (dim as f64).powi(2) * size_of::<Complex64>() as f64;
        return Err(Error::TooLarge {
            what: format!("the matrix on {} sites, {dim} x {dim},", sites.len()),
            bytes: bytes(dim),
            limit: bytes(MAX_DIM),
            remedy: "write it in Pauli or fermion strings, or keep the factors of the product apart",
        });
    }
    Ok(dim)
}

/// Relates indices over some sites to indices over `union`, which includes these sites.
struct Embedding {
    /// For each index over the union, its index over the sites.
    index: Vec<usize>,
    /// For each index over the sites, its contribution to the index over the union.
    part: Vec<usize>,
}

impl Embedding {
    fn new(hilbert: &HilbertSpace, sites: &[usize], union: &[usize]) -> Self {
        let strides = |sites: &[usize]| -> (Vec<usize>, usize) {
            let mut strides = vec![0; sites.len()];
            let mut dim = 1;
            for (stride, &site) in strides.iter_mut().zip(sites).rev() {
                *stride = dim;
                dim *= hilbert.local_dim(site);
            }
            (strides, dim)
        };
        let ((inner, inner_dim), (outer, outer_dim)) = (strides(sites), strides(union));
        let digits: Vec<(usize, usize, usize)> = sites
            .iter()
            .zip(inner)
            .filter_map(|(&site, inner)| {
                let k = union.iter().position(|&other| other == site)?;
                Some((inner, outer[k], hilbert.local_dim(site)))
            })
            .collect();
        let (mut index, mut part) = (vec![0; outer_dim], vec![0; inner_dim]);
        for (outside, inside) in index.iter_mut().enumerate() {
            let mut reached = 0;
            for &(inner, outer, dim) in &digits {
                let digit = outside / outer % dim;
                *inside += digit * inner;
                reached += digit * outer;
            }
            part[*inside] = reached;
        }
        Embedding { index, part }
    }

    /// The index over the union after the sites' part changes from `from` to `to`.
    fn replaced(&self, outside: usize, from: usize, to: usize) -> usize {
        outside - self.part[from] + self.part[to]
    }
}

/// The non-zero elements of each row, with their columns.
fn sparse_rows(matrix: &Array2<Complex64>) -> Vec<Vec<(usize, Complex64)>> {
    let non_zero = |row: ndarray::ArrayView1<'_, Complex64>| {
        row.iter().copied().enumerate().filter(|(_, z)| *z != Complex64::ZERO).collect()
    };
    matrix.rows().into_iter().map(non_zero).collect()
}

impl LocalTerm {
    /// The same term with its sites in ascending order. If they already are, the matrix stays shared.
    pub(super) fn sorted(self, hilbert: &HilbertSpace) -> Self {
        if self.sites().is_sorted() {
            return self;
        }
        let mut sites = self.sites().to_vec();
        sites.sort_unstable();
        let Embedding { index, .. } = Embedding::new(hilbert, self.sites(), &sites);
        let dim = index.len();
        let matrix = Array2::from_shape_fn((dim, dim), |(r, c)| self.matrix()[[index[r], index[c]]]);
        LocalTerm::from_parts(sites, matrix)
    }

    /// The product of two matrices, on the union of their sites in ascending order.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if there are too many sites for one matrix; [`Error::NotFinite`] if an element
    /// overflows an f64.
    pub(super) fn times(&self, other: &LocalTerm, hilbert: &HilbertSpace) -> Result<LocalTerm> {
        let union = union(self.sites(), other.sites());
        let dim = checked_dim(hilbert, &union)?;
        let (left, right) =
            (Embedding::new(hilbert, self.sites(), &union), Embedding::new(hilbert, other.sites(), &union));
        let (left_rows, right_rows) = (sparse_rows(self.matrix()), sparse_rows(other.matrix()));
        let (mut product, mut size) = (Array2::zeros((dim, dim)), Array2::<f64>::zeros((dim, dim)));
        for row in 0..dim {
            let from = left.index[row];
            for &(to, x) in &left_rows[from] {
                let middle = left.replaced(row, from, to);
                let from = right.index[middle];
                for &(to, y) in &right_rows[from] {
                    let column = right.replaced(middle, from, to);
                    product[[row, column]] += x * y;
                    size[[row, column]] += (x * y).norm();
                }
            }
        }
        if let Some(&size) = size.iter().find(|size| !size.is_finite()) {
            let what = format!("element of the matrix product on sites {union:?}");
            return Err(Error::NotFinite { what, value: Complex64::new(size, 0.0) });
        }
        product.zip_mut_with(&size, |z, &size| *z = clean(*z, size));
        Ok(LocalTerm::from_parts(union, product))
    }
}

/// The union of two lists of sites, in ascending order.
pub(super) fn union(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut union = [a, b].concat();
    union.sort_unstable();
    union.dedup();
    union
}
