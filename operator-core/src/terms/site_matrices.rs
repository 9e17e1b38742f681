//! Matrices of one site: b and n of bosons, S₊ and the other spin matrices.

use ndarray::Array2;
use num_complex::Complex64;

use super::SiteMatrix;

/// A square matrix from rows of real numbers, for concise model definitions.
pub fn real_matrix<const N: usize>(rows: [[f64; N]; N]) -> Array2<Complex64> {
    Array2::from_shape_fn((N, N), |(r, c)| Complex64::new(rows[r][c], 0.0))
}

/// b of bosons with occupations up to `dim` − 1: `b |n> = √n |n − 1>`.
pub(crate) fn destroy(dim: usize) -> SiteMatrix {
    above_diagonal(dim, |n| n as f64)
}

/// n of bosons with occupations up to `dim` − 1.
pub(crate) fn number(dim: usize) -> SiteMatrix {
    SiteMatrix::diagonal(dim, |n| n as f64)
}

/// S₊ of a spin s with `dim` = 2s + 1 local states, ordered from m = s to −s:
/// `<s − k + 1|S₊|s − k> = √(k (2s + 1 − k))`.
pub(crate) fn raise(dim: usize) -> SiteMatrix {
    above_diagonal(dim, |k| (k * (dim - k)) as f64)
}

/// 2 Sx, 2 Sy and 2 Sz of the same spin. For s = 1/2 these are the Pauli matrices.
pub(crate) fn twice_spin(dim: usize) -> [SiteMatrix; 3] {
    let raise = raise(dim);
    let parts = |upper: Complex64, lower: Complex64| {
        let below = raise.elements().map(move |(row, column, z)| (column, row, lower * z));
        SiteMatrix::new(
            dim,
            raise.elements().map(move |(row, column, z)| (row, column, upper * z)).chain(below),
        )
    };
    let z = SiteMatrix::diagonal(dim, |k| dim as f64 - 1.0 - 2.0 * k as f64);
    [parts(Complex64::ONE, Complex64::ONE), parts(-Complex64::I, Complex64::I), z]
}

/// The matrix with √f(k) at (k − 1, k).
fn above_diagonal(dim: usize, f: impl Fn(usize) -> f64) -> SiteMatrix {
    SiteMatrix::new(dim, (1..dim).map(|k| (k - 1, k, f(k).sqrt().into())))
}
