//! Bounds of the norm of terms, without diagonalising anything.

use num_complex::Complex64;

use super::SiteMatrix;
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
            TermKind::Local(term) => {
                let (n_rows, n_columns) = term.matrix().dim();
                let elements = term.matrix().indexed_iter();
                matrix_bound(n_rows, n_columns, elements.map(|((row, column), &z)| (row, column, z)))
            }
            TermKind::Product(product) => {
                let bound = |(_, matrix): &(usize, SiteMatrix)| {
                    let (n_rows, n_columns) = matrix.dim();
                    matrix_bound(n_rows, n_columns, matrix.elements())
                };
                product.factors().iter().map(bound).product()
            }
            // Pauli matrices are unitary, and ladder operators have norm 1.
            TermKind::Pauli(_) | TermKind::Fermion(_) => 1.0,
        }
    }
}

/// `‖A‖ ≤ sqrt(‖A‖₁ ‖A‖∞)`, from the largest sums of rows and columns. For a Hermitian matrix both are equal.
fn matrix_bound(
    n_rows: usize,
    n_columns: usize,
    elements: impl Iterator<Item = (usize, usize, Complex64)>,
) -> f64 {
    let (mut rows, mut columns) = (vec![0.0; n_rows], vec![0.0; n_columns]);
    for (row, column, z) in elements {
        rows[row] += z.norm();
        columns[column] += z.norm();
    }
    let largest = |sums: Vec<f64>| sums.into_iter().fold(0.0, f64::max);
    let (row, column) = (largest(rows), largest(columns));
    // The product of two large sums would overflow.
    if row == column { row } else { row.sqrt() * column.sqrt() }
}
