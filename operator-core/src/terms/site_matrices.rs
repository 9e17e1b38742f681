//! Matrices of one site: b and n of bosons, S₊ and the other spin matrices.

use ndarray::{Array1, Array2};
use num_complex::Complex64;

/// A square matrix from rows of real numbers, for concise model definitions.
pub fn real_matrix<const N: usize>(rows: [[f64; N]; N]) -> Array2<Complex64> {
    Array2::from_shape_fn((N, N), |(r, c)| Complex64::new(rows[r][c], 0.0))
}

/// b of bosons with occupations up to `dim` − 1: `b |n> = √n |n − 1>`.
pub(crate) fn destroy(dim: usize) -> Array2<f64> {
    above_diagonal(dim, |n| n as f64)
}

/// n of bosons with occupations up to `dim` − 1.
pub(crate) fn number(dim: usize) -> Array2<f64> {
    Array2::from_diag(&Array1::from_shape_fn(dim, |n| n as f64))
}

/// S₊ of a spin s with `dim` = 2s + 1 local states, ordered from m = s to −s:
/// `<s − k + 1|S₊|s − k> = √(k (2s + 1 − k))`.
pub(crate) fn raise(dim: usize) -> Array2<f64> {
    above_diagonal(dim, |k| (k * (dim - k)) as f64)
}

/// 2 Sx, 2 Sy and 2 Sz of the same spin. For s = 1/2 these are the Pauli matrices.
pub(crate) fn twice_spin(dim: usize) -> [Array2<Complex64>; 3] {
    let (raise, lower) = (raise(dim), raise(dim).reversed_axes());
    let x = (&raise + &lower).mapv(Complex64::from);
    let y = (&lower - &raise).mapv(|element| Complex64::from(element) * Complex64::I);
    let z = Array1::from_shape_fn(dim, |k| Complex64::from(dim as f64 - 1.0 - 2.0 * k as f64));
    [x, y, Array2::from_diag(&z)]
}

/// The matrix with √f(k) at (k − 1, k).
fn above_diagonal(dim: usize, f: impl Fn(usize) -> f64) -> Array2<f64> {
    Array2::from_shape_fn((dim, dim), |(row, column)| if row + 1 == column { f(column).sqrt() } else { 0.0 })
}
