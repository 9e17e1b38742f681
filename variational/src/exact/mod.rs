//! Lowest energies and states of small systems, for comparison.

mod lanczos;
mod stored_operator;

pub(crate) use stored_operator::StoredOperator;

use faer::linalg::solvers::EvdError;
use faer::{Mat, Side};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{DiscreteOperator, Element, memory};

use crate::error::{Error, Result};

/// With at most this many states, the full matrix is diagonalised.
const DENSE_STATES: usize = 2000;

/// The lowest eigenvalue of a Hermitian operator.
///
/// Up to 2000 states the full matrix is diagonalised. Beyond that, Lanczos' method with restarts keeps 60 vectors of
/// the space and converges to `10⁻¹¹` of the largest eigenvalue found. It stores the matrix in compressed rows if
/// that fits into 2 GiB; otherwise each product finds the elements again.
///
/// # Errors
/// [`NotHermitian`](operator_core::Error::NotHermitian), [`NotIndexable`](operator_core::Error::NotIndexable);
/// [`TooLarge`](operator_core::Error::TooLarge) if the vectors take more than 16 GiB; [`Error::NotConverged`].
///
/// ```
/// use variational::prelude::*;
/// use variational::{Boundary, Flat, Graph, exact, hilbert::Spin, models::Ising};
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
        return Ok(ground_state(operator)?.0);
    }
    let dense = operator.to_dense()?;
    let element = |row: usize, col: usize| dense[[row, col]].to_complex();
    let eigenvalues = if O::Element::IS_COMPLEX {
        Mat::from_fn(n_states, n_states, element).self_adjoint_eigenvalues(Side::Lower)
    } else {
        Mat::from_fn(n_states, n_states, |row, col| element(row, col).re)
            .self_adjoint_eigenvalues(Side::Lower)
    };
    let eigenvalues = eigenvalues.map_err(|error| not_converged(operator, dense_failed(error)))?;
    Ok(*eigenvalues.first().expect("a matrix of at least one state has an eigenvalue"))
}

/// The lowest eigenvalue and a normalised eigenvector, in the order of
/// [`HilbertSpace::all_states`](operator_core::HilbertSpace::all_states).
///
/// # Errors
/// As [`ground_state_energy`].
pub fn ground_state<O: DiscreteOperator>(operator: &O) -> Result<(f64, Array1<Complex64>)> {
    let (energies, states) = lowest(operator, 1)?;
    Ok((energies[0], states.column(0).to_owned()))
}

/// The `k` lowest eigenvalues in ascending order, repeated if degenerate, and orthonormal eigenvectors as columns of
/// shape `(n_states, k)`.
///
/// Beyond 2000 states, Lanczos' method finds each among the states orthogonal to the previous ones.
///
/// ```
/// use variational::prelude::*;
/// use variational::{Boundary, Flat, Graph, exact, hilbert::Spin, models::Ising};
///
/// let chain = Graph::chain(4, Boundary::Periodic)?;
/// let magnet = Ising::new(Spin::half(4)?, &chain, 0.0, -1.0)?.lower::<Flat>()?;
/// let (energies, states) = exact::lowest(&magnet, 3)?;
/// // All up, all down, and two domain walls.
/// assert!((&energies - &ndarray::array![-4.0, -4.0, 0.0]).iter().all(|d| d.abs() < 1e-12));
/// assert_eq!(states.dim(), (16, 3));
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] if `k` is 0 or exceeds the number of states; otherwise as [`ground_state_energy`].
pub fn lowest<O: DiscreteOperator>(operator: &O, k: usize) -> Result<(Array1<f64>, Array2<Complex64>)> {
    let n_states = check(operator)?;
    if k == 0 || k > n_states {
        let expected = "it must be from 1 to the number of states";
        return Err(Error::Setting { what: "the number of eigenvalues", value: k.to_string(), expected });
    }
    if n_states > DENSE_STATES {
        let size = if O::Element::IS_COMPLEX { size_of::<Complex64>() } else { size_of::<f64>() };
        let bytes = n_states as f64 * (lanczos::KRYLOV_VECTORS as f64 + k as f64 + 4.0) * size as f64;
        let what = || format!("the vectors of Lanczos' method for {}", operator.describe());
        memory::expect_fits(what, bytes, "take a smaller system, or fix more quantum numbers")?;
    }
    match (O::Element::IS_COMPLEX, n_states <= DENSE_STATES) {
        (true, true) => dense(operator, k, |z| z),
        (false, true) => dense(operator, k, |z| z.re),
        (true, false) => lanczos::lowest(operator, &StoredOperator::<O, Complex64>::new(operator)?, k),
        (false, false) => lanczos::lowest(operator, &StoredOperator::<O, f64>::new(operator)?, k),
    }
}

/// Diagonalises the full matrix; `part` converts its elements from complex numbers.
fn dense<O, T>(operator: &O, k: usize, part: fn(Complex64) -> T) -> Result<(Array1<f64>, Array2<Complex64>)>
where
    O: DiscreteOperator,
    T: Element + faer::traits::ComplexField,
{
    let dense = operator.to_dense()?;
    let n_states = dense.nrows();
    let eigen = Mat::from_fn(n_states, n_states, |row, col| part(dense[[row, col]].to_complex()))
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| not_converged(operator, dense_failed(error)))?;
    let energies = (0..k).map(|state| eigen.S().column_vector()[state].to_complex().re).collect();
    let states = Array2::from_shape_fn((n_states, k), |(row, state)| eigen.U()[(row, state)].to_complex());
    Ok((energies, states))
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

/// faer's reason, which has no text of its own.
fn dense_failed(error: EvdError) -> String {
    format!("the dense solver failed: {error:?}")
}

fn not_converged<O: DiscreteOperator>(operator: &O, reason: String) -> Error {
    Error::NotConverged { operator: operator.describe(), reason }
}
