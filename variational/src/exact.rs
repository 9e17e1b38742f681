//! Ground states of small systems, to compare with.

use faer::{Mat, Side};
use ndarray::Array1;
use num_complex::Complex64;
use operator_core::{DiscreteOperator, Element};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::error::{Error, Result};

/// Spaces of at most this many states are diagonalised as a full matrix.
const DENSE_STATES: usize = 2000;

/// Krylov vectors that are kept at a time; then the iteration starts again from the best state.
const KRYLOV_VECTORS: usize = 60;

/// Restarts before giving up.
const RESTARTS: usize = 50;

/// The lowest eigenvalue of a Hermitian operator.
///
/// Up to 2000 states the matrix is diagonalised; beyond, Lanczos' method with restarts uses
/// [`apply`](DiscreteOperator::apply) and keeps 60 vectors of the space. Converged to `10⁻¹¹` of the largest
/// eigenvalue found (`10⁻⁵` for single-precision elements).
///
/// # Errors
/// [`NotHermitian`](operator_core::Error::NotHermitian), [`NotIndexable`](operator_core::Error::NotIndexable);
/// [`Error::NotConverged`].
///
/// ```
/// use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
/// use variational::{Flat, exact};
///
/// let chain = Graph::chain(10, Boundary::Periodic)?;
/// let critical = Ising::new(Spin::half(10)?, &chain, 1.0, -1.0)?.lower::<Flat>()?;
/// let closed_form = -2.0 / (std::f64::consts::PI / 20.0).sin();
/// assert!((exact::ground_state_energy(&critical)? - closed_form).abs() < 1e-10);
/// # Ok::<(), variational::Error>(())
/// ```
pub fn ground_state_energy<O: DiscreteOperator>(operator: &O) -> Result<f64> {
    let n_states = check(operator)?;
    if n_states > DENSE_STATES {
        return Ok(lanczos(operator, n_states)?.0);
    }
    let dense = operator.to_dense()?;
    let element = |row: usize, col: usize| dense[[row, col]].to_complex();
    let eigenvalues = match O::Element::IS_COMPLEX {
        true => Mat::from_fn(n_states, n_states, element).self_adjoint_eigenvalues(Side::Lower),
        false => Mat::from_fn(n_states, n_states, |row, col| element(row, col).re)
            .self_adjoint_eigenvalues(Side::Lower),
    };
    let lowest = eigenvalues.ok().and_then(|eigenvalues| eigenvalues.first().copied());
    lowest.ok_or_else(|| not_converged(operator, "the dense solver failed".into()))
}

/// The lowest eigenvalue and a normalised eigenvector, in the order of
/// [`HilbertSpace::all_states`](operator_core::HilbertSpace::all_states).
///
/// # Errors
/// As [`ground_state_energy`].
pub fn ground_state<O: DiscreteOperator>(operator: &O) -> Result<(f64, Array1<Complex64>)> {
    let n_states = check(operator)?;
    if n_states > DENSE_STATES {
        return lanczos(operator, n_states);
    }
    let dense = operator.to_dense()?;
    let eigen = Mat::from_fn(n_states, n_states, |row, col| dense[[row, col]].to_complex())
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| not_converged(operator, "the dense solver failed".into()))?;
    let vector = eigen.U().col(0).iter().copied().collect();
    Ok((eigen.S().column_vector()[0].re, vector))
}

fn check<O: DiscreteOperator>(operator: &O) -> Result<usize> {
    if !operator.is_hermitian() {
        let operator = operator.describe();
        return Err(operator_core::Error::NotHermitian { operator, needed_by: "its ground state" }.into());
    }
    let n_states = operator.hilbert().n_states()?;
    if n_states == 0 {
        return Err(not_converged(operator, "the space has no states".into()));
    }
    Ok(n_states)
}

fn not_converged<O: DiscreteOperator>(operator: &O, reason: String) -> Error {
    Error::NotConverged { operator: operator.describe(), reason }
}

/// Lanczos' method with full reorthogonalisation, restarted from the lowest Ritz vector.
fn lanczos<O: DiscreteOperator>(operator: &O, n_states: usize) -> Result<(f64, Array1<Complex64>)> {
    let tolerance = if size_of::<<O::Element as Element>::Real>() < 8 { 1e-5 } else { 1e-11 };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
    let mut start: Array1<Complex64> =
        (0..n_states).map(|_| Complex64::from(rng.random::<f64>() - 0.5)).collect();
    let mut residual = f64::INFINITY;
    for _ in 0..RESTARTS {
        let krylov = Krylov::build(operator, start)?;
        let (energy, coefficients, norm) =
            krylov.lowest().ok_or_else(|| not_converged(operator, "the projected matrix failed".into()))?;
        residual = krylov.next_norm * coefficients.last().map_or(0.0, |last| last.abs());
        let mut vector = Array1::zeros(n_states);
        for (basis, &coefficient) in krylov.vectors.iter().zip(&coefficients) {
            vector.scaled_add(coefficient.into(), basis);
        }
        if residual <= tolerance * norm {
            return Ok((energy, vector));
        }
        start = vector;
    }
    Err(not_converged(operator, format!("residual {residual:.1e} after {RESTARTS} restarts")))
}

/// An orthonormal basis in which the operator is tridiagonal.
struct Krylov {
    vectors: Vec<Array1<Complex64>>,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
    /// Norm of what the operator adds to the last vector outside the basis.
    next_norm: f64,
}

impl Krylov {
    fn build<O: DiscreteOperator>(operator: &O, start: Array1<Complex64>) -> Result<Self> {
        let mut krylov =
            Krylov { vectors: Vec::new(), diagonal: Vec::new(), beside: Vec::new(), next_norm: norm(&start) };
        let mut next = start;
        loop {
            next.mapv_inplace(|value| value / krylov.next_norm);
            let image = operator.apply(next.mapv(O::Element::from_complex).view())?;
            let mut image = image.mapv(O::Element::to_complex);
            krylov.diagonal.push(dot(&next, &image).re);
            krylov.vectors.push(next);
            // Twice is enough (Parlett): once leaves what rounding brings back.
            for _ in 0..2 {
                for vector in &krylov.vectors {
                    let overlap = dot(vector, &image);
                    image.scaled_add(-overlap, vector);
                }
            }
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
    fn lowest(&self) -> Option<(f64, Vec<f64>, f64)> {
        let size = self.diagonal.len();
        let projected = Mat::from_fn(size, size, |row, col| match row.abs_diff(col) {
            0 => self.diagonal[row],
            1 => self.beside[row.min(col)],
            _ => 0.0,
        });
        let eigen = projected.self_adjoint_eigen(Side::Lower).ok()?;
        let values = eigen.S().column_vector();
        let norm = values[0].abs().max(values[size - 1].abs());
        Some((values[0], eigen.U().col(0).iter().copied().collect(), norm))
    }
}

fn dot(a: &Array1<Complex64>, b: &Array1<Complex64>) -> Complex64 {
    a.iter().zip(b).map(|(a, b)| a.conj() * b).sum()
}

fn norm(a: &Array1<Complex64>) -> f64 {
    a.iter().map(Complex64::norm_sqr).sum::<f64>().sqrt()
}
