//! Bounds of the norm of terms, without diagonalising anything.

use ndarray::{Array2, Axis};
use num_complex::Complex64;

use super::term::{Term, TermKind};

impl Term {
    /// A number that the size of every expectation value of the term stays below, for these values of the parameters.
    pub(crate) fn norm_bound(&self, parameters: &[f64]) -> f64 {
        let coefficient = match self.coefficient.parameter {
            Some(parameter) => self.coefficient.factor * parameters[parameter.index()],
            None => self.coefficient.factor,
        };
        coefficient.norm() * self.kind.norm_bound()
    }
}

impl TermKind {
    fn norm_bound(&self) -> f64 {
        match self {
            TermKind::Local(term) => matrix_bound(term.matrix()),
            // Pauli matrices are unitary, and ladder operators have norm 1.
            TermKind::Pauli(_) | TermKind::Fermion(_) => 1.0,
        }
    }
}

/// `‖A‖ ≤ sqrt(‖A‖₁ ‖A‖∞)`, from the largest sums of rows and columns. For a Hermitian matrix both are equal.
fn matrix_bound(matrix: &Array2<Complex64>) -> f64 {
    let largest_sum = |axis: Axis| -> f64 {
        let sums = matrix.axis_iter(axis).map(|line| line.iter().map(|value| value.norm()).sum());
        sums.fold(0.0, f64::max)
    };
    (largest_sum(Axis(0)) * largest_sum(Axis(1))).sqrt()
}
