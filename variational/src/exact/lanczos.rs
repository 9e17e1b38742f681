//! Lanczos' method with restarts.

use faer::linalg::solvers::EvdError;
use faer::{Mat, Side};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{DiscreteOperator, Element};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::not_converged;
use super::stored_operator::StoredOperator;
use crate::error::Result;

/// Krylov vectors to keep; then the iteration restarts from the best state.
pub(super) const KRYLOV_VECTORS: usize = 60;

/// Restarts before giving up.
const RESTARTS: usize = 50;

/// The residual, relative to the largest eigenvalue, at which an eigenvector is converged.
const TOLERANCE: f64 = 1e-11;

/// The `k` lowest eigenvalues and eigenvectors, one after another, each orthogonal to the previous ones.
pub(super) fn lowest<O: DiscreteOperator, T: Element>(
    operator: &O,
    matrix: &StoredOperator<'_, O, T>,
    k: usize,
) -> Result<(Array1<f64>, Array2<Complex64>)> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut found: Vec<(f64, Array1<T>)> = Vec::new();
    for _ in 0..k {
        let known: Vec<&Array1<T>> = found.iter().map(|(_, vector)| vector).collect();
        let random = |_| T::from_complex(Complex64::from(rng.random::<f64>() - 0.5));
        let start = (0..matrix.n_states()).map(random).collect();
        let next = next_eigenvector(operator, matrix, &known, start)?;
        found.push(next);
    }
    // The higher of two nearly equal eigenvalues may come first.
    found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let energies = found.iter().map(|(energy, _)| *energy).collect();
    let states =
        Array2::from_shape_fn((matrix.n_states(), k), |(row, state)| found[state].1[row].to_complex());
    Ok((energies, states))
}

/// Lanczos' method with full reorthogonalisation, restarted from the lowest Ritz vector.
fn next_eigenvector<O: DiscreteOperator, T: Element>(
    operator: &O,
    matrix: &StoredOperator<'_, O, T>,
    known: &[&Array1<T>],
    mut start: Array1<T>,
) -> Result<(f64, Array1<T>)> {
    let mut residual = f64::INFINITY;
    for _ in 0..RESTARTS {
        let krylov = Krylov::build(matrix, known, start)?;
        let (energy, coefficients, norm) = krylov.lowest().map_err(|error| {
            not_converged(operator, format!("the projected matrix was not diagonalised: {error:?}"))
        })?;
        residual = krylov.next_norm * coefficients.last().map_or(0.0, |last| last.abs());
        let mut vector = Array1::zeros(matrix.n_states());
        for (basis, &coefficient) in krylov.vectors.iter().zip(&coefficients) {
            add_scaled(&mut vector, T::from_complex(coefficient.into()), basis);
        }
        if residual <= TOLERANCE * norm {
            return Ok((energy, vector));
        }
        start = vector;
    }
    Err(not_converged(operator, format!("residual {residual:.1e} after {RESTARTS} restarts")))
}

/// An orthonormal basis in which the operator is tridiagonal.
struct Krylov<T> {
    vectors: Vec<Array1<T>>,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
    /// Norm of the part outside the basis that the operator makes of the last vector.
    next_norm: f64,
}

impl<T: Element> Krylov<T> {
    /// Starts from a vector, and stays orthogonal to the `known` ones.
    fn build<O: DiscreteOperator>(
        matrix: &StoredOperator<'_, O, T>,
        known: &[&Array1<T>],
        start: Array1<T>,
    ) -> Result<Self> {
        let mut next = start;
        orthogonalise(&mut next, known.iter().copied());
        let mut krylov =
            Krylov { vectors: Vec::new(), diagonal: Vec::new(), beside: Vec::new(), next_norm: norm(&next) };
        loop {
            let scale = T::from_complex((1.0 / krylov.next_norm).into());
            next.mapv_inplace(|value| value * scale);
            let mut image = matrix.apply(&next)?;
            krylov.diagonal.push(dot(&next, &image).to_complex().re);
            krylov.vectors.push(next);
            orthogonalise(&mut image, known.iter().copied().chain(&krylov.vectors));
            krylov.next_norm = norm(&image);
            let scale = krylov.diagonal.iter().chain(&krylov.beside).fold(0.0f64, |max, a| max.max(a.abs()));
            if krylov.vectors.len() == KRYLOV_VECTORS || krylov.next_norm <= 1e-13 * scale {
                return Ok(krylov);
            }
            krylov.beside.push(krylov.next_norm);
            next = image;
        }
    }

    /// The lowest Ritz value, its coefficients in the basis, and the largest Ritz value's magnitude.
    fn lowest(&self) -> Result<(f64, Vec<f64>, f64), EvdError> {
        let size = self.diagonal.len();
        let projected = Mat::from_fn(size, size, |row, col| match row.abs_diff(col) {
            0 => self.diagonal[row],
            1 => self.beside[row.min(col)],
            _ => 0.0,
        });
        let eigen = projected.self_adjoint_eigen(Side::Lower)?;
        let values = eigen.S().column_vector();
        let norm = values[0].abs().max(values[size - 1].abs());
        Ok((values[0], eigen.U().col(0).iter().copied().collect(), norm))
    }
}

/// Removes the components along orthonormal vectors from `v`. Twice is enough (Parlett): once leaves rounding
/// errors.
fn orthogonalise<'a, T: Element>(v: &mut Array1<T>, vectors: impl Iterator<Item = &'a Array1<T>> + Clone) {
    for _ in 0..2 {
        for vector in vectors.clone() {
            let overlap = dot(vector, v);
            add_scaled(v, -overlap, vector);
        }
    }
}

fn add_scaled<T: Element>(v: &mut Array1<T>, factor: T, vector: &Array1<T>) {
    v.zip_mut_with(vector, |v, &w| *v += factor * w);
}

fn dot<T: Element>(a: &Array1<T>, b: &Array1<T>) -> T {
    a.iter().zip(b).fold(T::zero(), |sum, (a, &b)| sum + a.conj() * b)
}

fn norm<T: Element>(a: &Array1<T>) -> f64 {
    a.iter().map(|value| value.to_complex().norm_sqr()).sum::<f64>().sqrt()
}
