//! Local estimators and their derivatives in the operator's parameters, in one pass.

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::parallel::estimators_and_operator_grad;
use operator_core::{DiscreteOperator, Error, Result, WaveFunction};

use crate::Flat;

/// Local estimators `O_loc(x)`, as [`local_estimators`](crate::local_estimators) gives them, and their
/// derivatives in the operator's parameters, `∂O_loc(x)/∂λ_k = Σ_x' <x|∂O/∂λ_k|x'> ψ(x') / ψ(x)`.
///
/// Both come from one pass over the connected elements, with walkers if the wave function has them. An element is
/// a sum of slots, and slots are linear in the parameters.
///
/// # Shapes
/// `x` is `(batch, n_sites)`; returns `(batch,)` and `(batch, n_values)`, the values of the parameters as in
/// [`Parameters::to_vec`](operator_core::Parameters::to_vec).
///
/// # Errors
/// [`Error::NoDefinition`] for a custom kernel; otherwise as [`local_estimators`](crate::local_estimators).
pub fn local_estimators_and_operator_grad<O, W>(
    operator: &O,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)>
where
    O: DiscreteOperator<Backend = Flat> + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    let definition = operator.definition().ok_or_else(|| Error::NoDefinition {
        operator: operator.describe(),
        action: "be differentiated in its parameters",
    })?;
    operator.hilbert().expect_same(wave_function.hilbert())?;
    estimators_and_operator_grad::<O::Element, Flat, W>(definition, wave_function, x, chunk_size)
}
