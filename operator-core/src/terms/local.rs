//! Matrices on a few sites.

use std::fmt;
use std::sync::Arc;

use ndarray::Array2;
use num_complex::Complex64;

use super::sites::check_sites;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;

/// A square matrix, shared by all the terms that use it.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalMatrix(Arc<Array2<Complex64>>);

impl From<Array2<Complex64>> for LocalMatrix {
    fn from(matrix: Array2<Complex64>) -> Self {
        LocalMatrix(Arc::new(matrix))
    }
}

impl From<Array2<f64>> for LocalMatrix {
    fn from(matrix: Array2<f64>) -> Self {
        matrix.mapv(|value| Complex64::new(value, 0.0)).into()
    }
}

impl LocalMatrix {
    /// The matrix's address, to recognise a matrix that terms share.
    pub(crate) fn address(&self) -> *const Array2<Complex64> {
        Arc::as_ptr(&self.0)
    }

    /// Whether no other term holds this matrix.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl std::ops::Deref for LocalMatrix {
    type Target = Array2<Complex64>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A matrix on a few sites; the first site is the most significant digit of its index.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalTerm {
    sites: Vec<usize>,
    matrix: LocalMatrix,
}

impl LocalTerm {
    pub(crate) fn new(hilbert: &HilbertSpace, sites: &[usize], matrix: LocalMatrix) -> Result<Self> {
        check_sites(hilbert, sites, &|| format!("matrix on sites {sites:?}"))?;
        let expected = sites.iter().fold(1usize, |dim, &site| dim.saturating_mul(hilbert.local_dim(site)));
        if matrix.dim() != (expected, expected) {
            let (rows, cols) = matrix.dim();
            return Err(Error::MatrixShape { sites: sites.to_vec(), rows, cols, expected });
        }
        if let Some(((r, c), &value)) = matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
            let what = format!("element ({r}, {c}) of the matrix on sites {sites:?}");
            return Err(Error::NotFinite { what, value });
        }
        Ok(LocalTerm { sites: sites.to_vec(), matrix })
    }

    /// A matrix of the right size on sites that are known to exist.
    pub(crate) fn from_parts(sites: Vec<usize>, matrix: impl Into<LocalMatrix>) -> Self {
        LocalTerm { sites, matrix: matrix.into() }
    }

    /// The shared matrix.
    pub(crate) fn shared_matrix(&self) -> &LocalMatrix {
        &self.matrix
    }

    /// The sites, most significant first.
    pub fn sites(&self) -> &[usize] {
        &self.sites
    }

    /// The matrix; `[[row of x, column of x']]` is `<x|O|x'>`.
    pub fn matrix(&self) -> &Array2<Complex64> {
        &self.matrix
    }
}

impl fmt::Display for LocalTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "matrix on sites {:?}", self.sites)
    }
}
