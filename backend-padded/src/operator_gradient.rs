//! Local estimators and their derivatives in the operator's parameters.

use candle_core::{Device, Tensor, Var};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::parallel::estimators_and_operator_grad;
use operator_core::{Backend, Definition, Error, Result, WaveFunction};
use std::num::NonZeroUsize;

use crate::backend::Padded;
use crate::compact::CompactStates;
use crate::complex::ComplexTensor;
use crate::conn::{ConnStates, TensorConn};
use crate::differentiable::Differentiable;
use crate::error::failed;
use crate::local_kernel::{check, for_blocks, local_estimators_on_device};
use crate::ops;
use crate::rows::Rows;

/// Samples are differentiated together as long as they have at most this many parameters, and slots, in all.
const NUMBERS_AT_A_TIME: usize = 1 << 18;

/// Local estimators `O_loc(x)`, as [`local_estimators`](crate::local_estimators) gives them, and their
/// derivatives in the operator's parameters, `∂O_loc(x)/∂λ_k = Σ_x' <x|∂O/∂λ_k|x'> ψ(x') / ψ(x)`.
///
/// On the CPU, one pass over the elements gives both. On other devices, automatic differentiation gives the
/// derivatives, in the same blocks of samples.
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
    chunk_size: Option<NonZeroUsize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    let definition = operator.definition().ok_or_else(|| Error::NoDefinition {
        operator: operator.describe(),
        action: "be differentiated in its parameters",
    })?;
    check(operator, wave_function)?;
    if operator.device().is_cpu() {
        let x = Rows::from_tensor(definition.hilbert(), x)?;
        return estimators_and_operator_grad::<O::Element, Padded, W>(
            definition,
            wave_function,
            x.view(),
            chunk_size,
        );
    }
    estimators_and_operator_grad_on_device(operator, definition, wave_function, x, chunk_size)
}

/// Local estimators as a tensor on the operator's device, through which gradients flow into the operator's parameter
/// tensor
/// ([`PaddedOperator::with_parameter_tensor`](crate::PaddedOperator::with_parameter_tensor)), and not into the wave
/// function. So one `backward` of their mean gives the derivatives of an expectation value in the Hamiltonian's
/// parameters. Samples and amplitudes count as constants.
///
/// Estimators are linear in the parameters, so their derivatives are constants, which are computed in the same pass.
///
/// ```
/// use backend_padded::{Padded, operator_estimator_tensor};
/// use candle_core::{Device, Var};
/// use operator_core::testing::Table;
/// use operator_core::{Backend, Boundary, Graph, HilbertSpace, Ising, Model, hilbert::Spin};
///
/// let (spins, chain) = (HilbertSpace::from(Spin::half(4)?), Graph::chain(4, Boundary::Periodic)?);
/// let ising = Ising::new(spins.clone(), &chain, 0.5, 1.0)?.lower::<Padded>()?;
/// let psi = Table::<Padded>::random(spins.clone(), 1)?;
/// let x = Padded::from_host(spins.all_states()?.view(), &Device::Cpu)?;
/// let lambda = Var::new(&[0.5f64, 1.0], &Device::Cpu).unwrap(); // h and J
/// let energies = operator_estimator_tensor(&ising.with_parameter_tensor(&lambda)?, &psi, &x, None)?;
/// let gradients = energies.re().mean_all().unwrap().backward().unwrap();
/// assert_eq!(gradients.get(&lambda).unwrap().dims(), [2]);
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Shapes
/// `x` is `(batch, n_sites)`; returns `(batch,)`.
///
/// # Errors
/// As [`local_estimators_and_operator_grad`].
pub fn operator_estimator_tensor<O, W>(
    operator: &O,
    wave_function: &W,
    x: &Tensor,
    chunk_size: Option<NonZeroUsize>,
) -> Result<ComplexTensor>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    let Some(parameters) = operator.parameters_as_tensor() else {
        let local = crate::local_estimators(operator, wave_function, x, chunk_size)?;
        return Padded::amplitudes_from_host(local, &operator.device());
    };
    let (local, derivatives) = local_estimators_and_operator_grad(operator, wave_function, x, chunk_size)?;
    let device = operator.device();
    let local = Padded::amplitudes_from_host(local, &device)?;
    let linear = || {
        let shift = (parameters - parameters.detach())?.to_device(&device)?.to_dtype(local.dtype())?;
        let shift = shift.unsqueeze(1)?;
        let part = |value: &Tensor, of: fn(&Complex64) -> f64| {
            let slopes: Vec<f64> = derivatives.iter().map(of).collect();
            let slopes =
                Tensor::from_vec(slopes, derivatives.dim(), &Device::Cpu)?.to_dtype(local.dtype())?;
            value + slopes.to_device(&device)?.matmul(&shift)?.squeeze(1)?
        };
        let im = local.im().map(|im| part(im, |value| value.im)).transpose()?;
        ComplexTensor::new(part(local.re(), |value| value.re)?, im)
    };
    linear().map_err(failed)
}

/// [`local_estimators_and_operator_grad`] in tensors, as on devices other than the CPU.
#[doc(hidden)]
pub fn estimators_and_operator_grad_on_device<O, W>(
    operator: &O,
    definition: &Definition,
    wave_function: &W,
    x: &Tensor,
    chunk_size: Option<NonZeroUsize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    let values = definition.parameters().to_vec();
    let (n_samples, _) = x.dims2().map_err(failed)?;
    if values.is_empty() || operator.max_conn_size() == 0 {
        let local = local_estimators_on_device(operator, wave_function, x, chunk_size)?;
        return Ok((local, Array2::zeros((n_samples, values.len()))));
    }
    let differentiable = operator.differentiable()?;
    let n_numbers = values.len().max(differentiable.n_slots());
    let n_at_a_time = (NUMBERS_AT_A_TIME / n_numbers).max(1);
    let (mut local, mut derivatives) = (Vec::with_capacity(n_samples), Vec::new());
    for_blocks(operator, wave_function, x, chunk_size, |block| {
        let states = differentiable.states(&block.x)?;
        let conn_states = ConnStates::compact(states.clone(), block.x.dtype());
        let deltas = block.deltas(wave_function, &conn_states)?;
        let (mut of_block, mut gradients) = (Vec::new(), Vec::new());
        let n_samples = Padded::batch_len(&block.x);
        for start in (0..n_samples).step_by(n_at_a_time) {
            let n = n_at_a_time.min(n_samples - start);
            let deltas = deltas.map(|part| part.narrow(0, start, n)).map_err(failed)?;
            let states = states.part(start..start + n).map_err(failed)?;
            let (estimators, gradient) = differentiated(differentiable, &states, &deltas, &values)?;
            of_block.push(estimators);
            gradients.push(gradient);
        }
        let of_block = ComplexTensor::cat(&of_block, 0).map_err(failed)?;
        local.extend(block.to_host(&of_block, states.status())?);
        let gradients = ComplexTensor::cat(&gradients, 0).and_then(|gradients| gradients.to_host());
        derivatives.extend(gradients.map_err(failed)?);
        Ok(())
    })?;
    let derivatives = Array2::from_shape_vec((n_samples, values.len()), derivatives)
        .expect("there is a derivative in each value for each sample");
    Ok((local.into(), derivatives))
}

/// Local estimators of some samples `(batch,)`, from differences of ln ψ `(batch, max_conn_size)`, and their derivatives
/// `(batch, n_values)`.
fn differentiated(
    differentiable: &Differentiable,
    states: &CompactStates,
    deltas: &ComplexTensor,
    values: &[f64],
) -> Result<(ComplexTensor, ComplexTensor)> {
    // Each sample gets its own copy of the parameters, so that one sweep backwards gives all derivatives.
    let [n_samples, ..] = states.shape();
    let shape = (n_samples, values.len());
    let parameters = Tensor::from_vec(values.repeat(shape.0), shape, differentiable.device())
        .and_then(|parameters| Var::from_tensor(&parameters.to_dtype(differentiable.dtype())?))
        .map_err(failed)?;
    let mels = differentiable.mels(states, &parameters).map_err(failed)?;
    let estimators = ops::local(&mels, deltas).map_err(failed)?;
    let derivatives = gradient(&estimators, &parameters).map_err(failed)?;
    Ok((estimators.detach(), derivatives))
}

/// The derivatives of complex numbers in real variables, of the variables' shape.
fn gradient(of: &ComplexTensor, by: &Var) -> candle_core::Result<ComplexTensor> {
    let part = |part: &Tensor| match part.sum_all()?.backward()?.get(by) {
        Some(gradient) => Ok(gradient.clone()),
        // No element depends on the parameters.
        None => by.zeros_like(),
    };
    of.map(part)
}
