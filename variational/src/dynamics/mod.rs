//! Time evolution of exact states of small systems, `ψ(t) = exp(−i H t) ψ(0)`, and their derivatives in the
//! Hamiltonian's parameters, for optimal control.
//!
//! Treat a field that changes in time as a sequence of short evolutions, each with its own parameters.

mod taylor;

pub(crate) use taylor::Series;

use ndarray::Array1;
use num_complex::Complex64;
use operator_core::DiscreteOperator;

use crate::error::Result;
use crate::exact::StoredOperator;

/// `exp(−i H t) ψ`, in the order of
/// [`HilbertSpace::all_states`](operator_core::HilbertSpace::all_states).
///
/// Uses a Taylor series in steps with ‖H‖ t of at most 1, cut off where its terms fall below rounding. The error is of
/// the order of 10⁻¹⁵ of the norm of ψ per step. H may be any operator; a Hermitian one conserves the norm. Negative
/// times evolve backwards.
///
/// ```
/// use variational::prelude::*;
/// use variational::{Boundary, Flat, Graph, dynamics, hilbert::Spin, models::Ising};
///
/// let pair = Graph::chain(2, Boundary::Open)?;
/// let field = Ising::new(Spin::half(2)?, &pair, 1.0, 0.0)?.lower::<Flat>()?; // H = −σx − σx
/// let up = ndarray::array![1.0, 0.0, 0.0, 0.0].mapv(num_complex::Complex64::from);
/// let turned = dynamics::evolve(&field, &up, std::f64::consts::FRAC_PI_2)?;
/// assert!((turned[3].re + 1.0).abs() < 1e-14); // i² |down, down>
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Errors
/// [`VectorLength`](operator_core::Error::VectorLength),
/// [`NotIndexable`](operator_core::Error::NotIndexable); [`Error::Setting`](crate::Error::Setting) for a time
/// that is not finite.
pub fn evolve<O: DiscreteOperator>(
    operator: &O,
    psi: &Array1<Complex64>,
    time: f64,
) -> Result<Array1<Complex64>> {
    let matrix = StoredOperator::new(operator)?;
    let series = Series::new(matrix.norm_bound()?, time)?;
    series.sum(
        psi.clone(),
        |term, factor| Ok(matrix.apply(term)? * minus_i(factor)),
        |sum, term| {
            *sum += term;
            Ok(())
        },
    )
}

/// [`evolve`], and the derivative of `exp(−i H t) ψ` in a parameter λ of H, from the operator `∂H/∂λ`
/// ([`Definition::derivative`](operator_core::Definition::derivative)).
///
/// The derivative is exact, not first order in t: it solves `i ∂φ/∂t = H φ + (∂H/∂λ) ψ` from φ = 0 together with the
/// state, to the same precision.
///
/// # Source
/// de Fouquieres, Schirmer, Glaser and Kuprov, J. Magn. Reson. 212, 412 (2011), for exact gradients in optimal
/// control (GRAPE).
///
/// # Errors
/// As [`evolve`]; [`HilbertMismatch`](operator_core::Error::HilbertMismatch) for operators on different spaces.
pub fn evolve_with_derivative<O, D>(
    operator: &O,
    derivative: &D,
    psi: &Array1<Complex64>,
    time: f64,
) -> Result<(Array1<Complex64>, Array1<Complex64>)>
where
    O: DiscreteOperator,
    D: DiscreteOperator,
{
    operator.hilbert().expect_same(derivative.hilbert())?;
    let (matrix, derivative) = (StoredOperator::new(operator)?, StoredOperator::new(derivative)?);
    // The pair evolves by the matrix [[H, 0], [∂H/∂λ, H]].
    let series = Series::new(matrix.norm_bound()? + derivative.norm_bound()?, time)?;
    series.sum(
        (psi.clone(), Array1::zeros(psi.len())),
        |(term, varied), factor| {
            let both = matrix.apply(varied)? + derivative.apply(term)?;
            Ok((matrix.apply(term)? * minus_i(factor), both * minus_i(factor)))
        },
        |(sum, varied_sum), (term, varied)| {
            *sum += term;
            *varied_sum += varied;
            Ok(())
        },
    )
}

pub(crate) fn minus_i(factor: f64) -> Complex64 {
    Complex64::new(0.0, -factor)
}
