//! Sparse matrices on one site.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ndarray::Array2;
use num_complex::Complex64;

use crate::error::Result;
use crate::memory;
use crate::rounding::clean;

/// A square matrix on one site, stored by its non-zero elements. All terms that use it share its memory.
///
/// Local states are in the order of the Hilbert space; the element at row x and column x' is `<x|O|x'>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiteMatrix(Arc<Elements>);

/// The elements by row, then by column.
#[derive(Debug)]
struct Elements {
    n_rows: usize,
    n_columns: usize,
    list: Vec<(usize, usize, Complex64)>,
}

impl Elements {
    fn bits(&self) -> impl Iterator<Item = (usize, usize, u64, u64)> {
        self.list.iter().map(|&(row, column, z)| (row, column, z.re.to_bits(), z.im.to_bits()))
    }
}

impl PartialEq for Elements {
    fn eq(&self, other: &Self) -> bool {
        (self.n_rows, self.n_columns) == (other.n_rows, other.n_columns) && self.bits().eq(other.bits())
    }
}

impl Eq for Elements {}

impl Hash for Elements {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.n_rows.hash(state);
        self.bits().for_each(|element| element.hash(state));
    }
}

impl From<Array2<Complex64>> for SiteMatrix {
    fn from(matrix: Array2<Complex64>) -> Self {
        let elements = matrix.indexed_iter().map(|((row, column), &z)| (row, column, z));
        Self::from_sorted(matrix.dim(), elements)
    }
}

impl From<Array2<f64>> for SiteMatrix {
    fn from(matrix: Array2<f64>) -> Self {
        let elements = matrix.indexed_iter().map(|((row, column), &x)| (row, column, x.into()));
        Self::from_sorted(matrix.dim(), elements)
    }
}

impl SiteMatrix {
    /// The matrix of a site with `dim` local states from its elements, `(row, column, value)`. Elements at one
    /// place add up; those beyond the last state are reported when a term takes the matrix.
    ///
    /// ```
    /// use num_complex::Complex64;
    /// use operator_core::terms::SiteMatrix;
    /// let lower = SiteMatrix::new(101, (1..101).map(|n| (n - 1, n, Complex64::from((n as f64).sqrt()))));
    /// assert_eq!(lower.n_elements(), 100);
    /// ```
    pub fn new(dim: usize, elements: impl IntoIterator<Item = (usize, usize, Complex64)>) -> Self {
        let mut list: Vec<_> = elements.into_iter().collect();
        list.sort_by_key(|&(row, column, _)| (row, column));
        list.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
        let beyond = |f: fn(&(usize, usize, Complex64)) -> usize| {
            list.iter().map(f).max().map_or(0, |k| k.saturating_add(1))
        };
        let shape = (dim.max(beyond(|element| element.0)), dim.max(beyond(|element| element.1)));
        Self::from_sorted(shape, list.into_iter())
    }

    fn from_sorted(
        (n_rows, n_columns): (usize, usize),
        elements: impl Iterator<Item = (usize, usize, Complex64)>,
    ) -> Self {
        // Adding 0 makes a negative zero positive, so that equal matrices have equal bits.
        let elements = elements.filter(|(_, _, z)| *z != Complex64::ZERO);
        let list = elements.map(|(row, column, z)| (row, column, z + Complex64::ZERO)).collect();
        SiteMatrix(Arc::new(Elements { n_rows, n_columns, list }))
    }

    /// A diagonal matrix with `dim` rows.
    pub(crate) fn diagonal(dim: usize, f: impl Fn(usize) -> f64) -> Self {
        Self::from_sorted((dim, dim), (0..dim).map(|k| (k, k, f(k).into())))
    }

    /// The identity.
    pub(crate) fn identity(dim: usize) -> Self {
        Self::diagonal(dim, |_| 1.0)
    }

    /// Numbers of rows and of columns.
    pub fn dim(&self) -> (usize, usize) {
        (self.0.n_rows, self.0.n_columns)
    }

    /// Number of elements that are not zero.
    pub fn n_elements(&self) -> usize {
        self.0.list.len()
    }

    /// The non-zero elements, `(row, column, value)`, row by row.
    pub fn elements(&self) -> impl Iterator<Item = (usize, usize, Complex64)> + '_ {
        self.0.list.iter().copied()
    }

    /// The same matrix with its zeros, shape `(rows, columns)`.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) beyond the [`memory::limit`]: no term has checked its size yet.
    pub fn to_dense(&self) -> Result<Array2<Complex64>> {
        let (rows, columns) = self.dim();
        let bytes = rows as f64 * columns as f64 * size_of::<Complex64>() as f64;
        memory::expect_fits(|| format!("a {rows} x {columns} matrix"), bytes, "take its elements instead")?;
        Ok(self.dense())
    }

    /// The same of a matrix whose size is known to be that of a site.
    pub(crate) fn dense(&self) -> Array2<Complex64> {
        let mut dense = Array2::zeros(self.dim());
        self.elements().for_each(|(row, column, z)| dense[[row, column]] = z);
        dense
    }

    /// Whether nothing else holds its elements.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The memory of its elements.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Elements>() + size_of_val(&self.0.list[..])
    }

    /// The address, to recognise a matrix that terms share.
    #[cfg(feature = "serde")]
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// The largest absolute value of an element.
    pub(crate) fn largest(&self) -> f64 {
        self.elements().map(|(_, _, z)| z.norm()).fold(0.0, f64::max)
    }

    /// The factor of a multiple of the identity.
    pub(crate) fn multiple_of_identity(&self) -> Option<Complex64> {
        let (_, _, first) = self.elements().next()?;
        let is_diagonal = self.elements().enumerate().all(|(k, (row, column, _))| (row, column) == (k, k));
        let equal = self.elements().all(|(_, _, z)| z == first);
        (is_diagonal && equal && self.n_elements() == self.0.n_rows).then_some(first)
    }

    /// The matrix product, without what is only rounding.
    pub(crate) fn times(&self, other: &Self) -> Self {
        let dim = other.0.n_columns;
        let starts: Vec<usize> =
            (0..=other.0.n_rows).map(|row| other.0.list.partition_point(|element| element.0 < row)).collect();
        let mut list = Vec::new();
        let (mut sums, mut touched) = (vec![(Complex64::ZERO, 0.0); dim], Vec::new());
        for row in self.0.list.chunk_by(|a, b| a.0 == b.0) {
            for &(_, middle, x) in row {
                for &(_, column, y) in &other.0.list[starts[middle]..starts[middle + 1]] {
                    let (sum, size) = &mut sums[column];
                    if *size == 0.0 {
                        touched.push(column);
                    }
                    *sum += x * y;
                    *size += (x * y).norm();
                }
            }
            touched.sort_unstable();
            touched.dedup();
            for column in touched.drain(..) {
                let (sum, size) = std::mem::take(&mut sums[column]);
                list.push((row[0].0, column, clean(sum, size)));
            }
        }
        Self::from_sorted((self.0.n_rows, dim), list.into_iter())
    }

    /// The matrix with each element mapped; zeros stay.
    pub(crate) fn map(&self, f: impl Fn(Complex64) -> Complex64) -> Self {
        Self::from_sorted(self.dim(), self.elements().map(|(row, column, z)| (row, column, f(z))))
    }

    /// The transpose.
    pub(crate) fn transpose(&self) -> Self {
        let mut list: Vec<_> = self.elements().map(|(row, column, z)| (column, row, z)).collect();
        list.sort_by_key(|&(row, column, _)| (row, column));
        Self::from_sorted((self.0.n_columns, self.0.n_rows), list.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{destroy, twice_spin};

    #[test]
    fn products_are_those_of_dense_matrices() {
        let [x, y, z] = twice_spin(5);
        for (a, b) in [(&x, &y), (&y, &z), (&x, &x), (&destroy(5), &y)] {
            let expected = SiteMatrix::from(a.dense().dot(&b.dense()));
            let product = a.times(b);
            let difference = &product.dense() - &expected.dense();
            assert!(difference.iter().all(|z| z.norm() < 1e-14));
        }
        assert_eq!(y.transpose().dense(), y.dense().t());
        let commutator = &x.times(&y).dense() - &y.times(&x).dense();
        let expected = z.dense().mapv(|z| z * Complex64::new(0.0, 2.0));
        assert!((commutator - expected).iter().all(|z| z.norm() < 1e-13), "[2Sx, 2Sy] = 2i · 2Sz");
    }

    #[test]
    fn elements_at_one_place_add_up() {
        let one = Complex64::ONE;
        let matrix = SiteMatrix::new(3, [(2, 0, one), (0, 1, one), (2, 0, one), (1, 1, one), (1, 1, -one)]);
        assert_eq!(matrix.elements().collect::<Vec<_>>(), [(0, 1, one), (2, 0, 2.0 * one)]);
        assert_eq!(SiteMatrix::identity(4).multiple_of_identity(), Some(one));
        assert_eq!(matrix.multiple_of_identity(), None);
    }
}
