//! Determinants of the filled rows of an orbital matrix.

use std::f64::consts::PI;

use faer::Mat;
use faer::linalg::solvers::{DenseSolveCore, PartialPivLu};
use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;

/// A determinant: its sign (0 if it vanishes) and the logarithm of its magnitude.
#[derive(Clone, Copy, Debug)]
pub(super) struct Determinant {
    sign: f64,
    log: f64,
}

impl Determinant {
    pub(super) const ONE: Determinant = Determinant { sign: 1.0, log: 0.0 };
    const ZERO: Determinant = Determinant { sign: 0.0, log: f64::NEG_INFINITY };

    pub(super) fn times(self, other: Self) -> Self {
        Determinant { sign: self.sign * other.sign, log: self.log + other.log }
    }

    pub(super) fn is_zero(self) -> bool {
        self.sign == 0.0
    }

    /// Its logarithm; a negative sign gives iπ.
    pub(super) fn ln(self) -> Complex64 {
        Complex64::new(self.log, if self.sign < 0.0 { PI } else { 0.0 })
    }
}

/// The matrix of the filled rows, `A_ik = M[filled_i, k]`, factorised as `P A = L U`.
pub(super) struct Filled {
    lu: Option<PartialPivLu<f64>>,
    /// The largest magnitude of an element.
    scale: f64,
}

impl Filled {
    /// From filled orbitals in ascending order, one for each column of `orbitals`.
    pub(super) fn new(orbitals: ArrayView2<'_, f64>, filled: &[usize]) -> Self {
        let n = filled.len();
        // Without particles the matrix is empty and its determinant 1.
        let lu = (n > 0).then(|| Mat::from_fn(n, n, |i, k| orbitals[[filled[i], k]]).partial_piv_lu());
        let elements = filled.iter().flat_map(|&orbital| orbitals.row(orbital));
        Filled { lu, scale: elements.fold(0.0, |max, a| max.max(a.abs())) }
    }

    /// Zero if rounding makes it indistinguishable from zero: then no digit of the inverse would be right.
    pub(super) fn determinant(&self) -> Determinant {
        let Some(lu) = &self.lu else { return Determinant::ONE };
        let pivots = lu.U().diagonal().column_vector();
        let least = 8.0 * pivots.nrows() as f64 * f64::EPSILON * self.scale;
        let mut product = Determinant { sign: parity(lu.P().arrays().0), log: 0.0 };
        for &pivot in pivots.iter() {
            if pivot.abs() <= least {
                return Determinant::ZERO;
            }
            product = product.times(Determinant { sign: pivot.signum(), log: pivot.abs().ln() });
        }
        product
    }

    /// A⁻¹, shape `(n_particles, n_particles)`. Meaningless where the determinant is zero.
    pub(super) fn inverse(&self) -> Array2<f64> {
        let Some(lu) = &self.lu else { return Array2::zeros((0, 0)) };
        let inverse = lu.inverse();
        Array2::from_shape_fn((inverse.nrows(), inverse.ncols()), |(i, j)| inverse[(i, j)])
    }
}

/// The sign of a permutation, by its cycles.
fn parity(permutation: &[usize]) -> f64 {
    let mut seen = vec![false; permutation.len()];
    let mut sign = 1.0;
    for start in 0..permutation.len() {
        let mut next = start;
        let mut length = 0;
        while !std::mem::replace(&mut seen[next], true) {
            next = permutation[next];
            length += 1;
        }
        // A cycle of even length is an odd permutation.
        if length > 0 && length % 2 == 0 {
            sign = -sign;
        }
    }
    sign
}

/// The determinant of a small matrix, `(n, n)` in row-major order, by elimination with partial pivoting.
/// Overwrites it.
pub(super) fn small_determinant(matrix: &mut [f64], n: usize) -> f64 {
    let mut product = 1.0;
    for k in 0..n {
        let size = |row: &usize| matrix[row * n + k].abs();
        let pivot_row = (k..n).max_by(|a, b| size(a).total_cmp(&size(b))).expect("k is one of them");
        let pivot = matrix[pivot_row * n + k];
        product *= pivot;
        if pivot == 0.0 {
            return 0.0;
        }
        if pivot_row != k {
            product = -product;
            (k..n).for_each(|column| matrix.swap(pivot_row * n + column, k * n + column));
        }
        for row in k + 1..n {
            let factor = matrix[row * n + k] / pivot;
            for column in k + 1..n {
                matrix[row * n + column] -= factor * matrix[k * n + column];
            }
        }
    }
    product
}
