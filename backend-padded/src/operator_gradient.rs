use candle_core::{Tensor, Var};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, Error, Result, WaveFunction};

use crate::complex::ComplexTensor;
use crate::differentiable::Differentiable;
use crate::local_kernel::{contract, for_blocks};
use crate::operator::TensorConn;
use crate::{Padded, failed, ops, real_dtype};

/// Local estimators `O_loc(x)`, as [`local_estimators`](crate::local_estimators) gives them, and their
/// derivatives in the operator's parameters, `∂O_loc(x)/∂λ_k = Σ_x' <x|∂O/∂λ_k|x'> ψ(x') / ψ(x)`.
///
/// The derivatives come from automatic differentiation, block by block as the estimators do.
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
    x: &Tensor,
    chunk_size: Option<usize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    let definition = operator.definition().ok_or_else(|| Error::NoDefinition {
        operator: operator.describe(),
        action: "be differentiated in its parameters",
    })?;
    let values = definition.parameters().to_vec();
    let n_samples = Padded::batch_len(x);
    if values.is_empty() {
        let local = crate::local_estimators(operator, wave_function, x, chunk_size)?;
        return Ok((local, Array2::zeros((n_samples, 0))));
    }
    let (dtype, device) = (real_dtype::<O::Element>(), TensorConn::device(operator));
    let differentiable = Differentiable::new(definition, dtype, device).map_err(failed)?;
    let (mut local, mut derivatives) = (Vec::with_capacity(n_samples), Vec::new());
    for_blocks(operator, wave_function, x, chunk_size, |block| {
        let (shape, rows) = ops::host_rows(&block.x).map_err(failed)?;
        definition
            .hilbert()
            .check(ndarray::aview1(&rows).into_shape_with_order(shape).map_err(shape_error)?)?;
        let states = differentiable.states(&rows, block.x.dtype(), device).map_err(failed)?;
        // No gradients into the wave function.
        let ratios = block.ratios(wave_function, &states)?.map(|part| Ok(part.detach())).map_err(failed)?;
        // Parameters of its own for each sample: one sweep backwards gives the derivatives of each.
        let parameters = values.repeat(shape.0);
        let parameters = Tensor::from_vec(parameters, (shape.0, values.len()), device)
            .and_then(|parameters| Var::from_tensor(&parameters.to_dtype(dtype)?))
            .map_err(failed)?;
        let mels = differentiable.mels(&rows, &parameters, device).map_err(failed)?;
        let estimators = contract(&mels, &ratios)?;
        local.extend(block.checked(&estimators)?);
        derivatives.extend(gradient(&estimators, &parameters).map_err(failed)?);
        Ok(())
    })?;
    let derivatives = Array2::from_shape_vec((n_samples, values.len()), derivatives).map_err(shape_error)?;
    Ok((local.into(), derivatives))
}

/// The derivatives of complex numbers in real variables, in the order and shape of these.
fn gradient(of: &ComplexTensor, by: &Var) -> candle_core::Result<Vec<Complex64>> {
    let part = |part: &Tensor| match part.sum_all()?.backward()?.get(by) {
        Some(gradient) => Ok(gradient.clone()),
        None => by.zeros_like(),
    };
    of.map(part)?.to_host()
}

fn shape_error(error: ndarray::ShapeError) -> Error {
    Error::backend(Padded::NAME, error)
}
