//! First layers at connected states, sums over their units, and the gradients of both.

use candle_core::cuda_backend::CudaStorage;
use candle_core::{DType, Layout, Result, Shape, Tensor, bail};

use super::engine::{MOST_NUMBERS, MOST_PARTS, number};
use super::kernels::{LANES, Program};
use super::launch::{new_storage, new_tensor};
use super::samples::Samples;
use crate::compact;
use crate::complex::ComplexTensor;
use crate::ops::{ChangedLayer, Unit};

/// See [`ops::sums_of_units`](crate::ops::sums_of_units): the sums, stacked `(1 or 2, batch · width)`, in f64.
pub(crate) fn sums_of_units(layer: &ChangedLayer, unit: Unit) -> Result<(CudaStorage, Shape)> {
    let (n_slots, n_parts) = (layer.dims().0, n_parts(layer));
    forward(layer, unit, "sums_of_units", DType::F64, (n_parts, n_slots).into())
}

/// See [`ops::changed_layer`](crate::ops::changed_layer): the units, stacked `(1 or 2, batch · width, n_units)`.
pub(crate) fn changed_layer(layer: &ChangedLayer) -> Result<(CudaStorage, Shape)> {
    let ((n_slots, n_units), n_parts) = (layer.dims(), n_parts(layer));
    forward(layer, Unit::Identity, "changed_layer", layer.z.dtype(), (n_parts, n_slots, n_units).into())
}

/// The gradients in `z` and `w`, stacked, in f64, from that in the stacked sums; only those that are wanted.
pub(crate) fn gradients_of_units(
    layer: &ChangedLayer,
    unit: Unit,
    gradient: &Tensor,
    wanted: [bool; 2],
) -> Result<[Option<Tensor>; 2]> {
    backward(layer, unit, "sums_of_units_backward", DType::F64, gradient, wanted)
}

/// The same from that in the stacked units.
pub(crate) fn gradients_of_changed_layer(
    layer: &ChangedLayer,
    gradient: &Tensor,
    wanted: [bool; 2],
) -> Result<[Option<Tensor>; 2]> {
    backward(layer, Unit::Identity, "changed_layer_backward", layer.z.dtype(), gradient, wanted)
}

fn n_parts(layer: &ChangedLayer) -> usize {
    if layer.is_complex() { 2 } else { 1 }
}

fn samples_of(layer: &ChangedLayer) -> Result<&Samples> {
    match &layer.states.samples {
        compact::Samples::Cuda(samples) => Ok(samples),
        compact::Samples::Host { .. } => bail!("the samples are on the host, the layer on a CUDA device"),
    }
}

fn program(layer: &ChangedLayer, unit: Unit) -> Result<Program> {
    let (real, is_complex) = (number(layer.z.dtype())?, layer.is_complex());
    Ok(Program::Units { real, is_complex, ln_cosh: unit == Unit::LnCosh })
}

/// Results of this type and stacked shape.
fn forward(
    layer: &ChangedLayer,
    unit: Unit,
    kernel: &'static str,
    dtype: DType,
    shape: Shape,
) -> Result<(CudaStorage, Shape)> {
    let samples = samples_of(layer)?;
    let engine = samples.engine();
    let [batch, width, n_sites] = layer.states.shape();
    let ((n_slots, n_units), of_numbers) = (layer.dims(), layer.z.dtype());
    let results = new_storage(engine.cuda(), &shape, dtype)?;
    let (whole, len) = (Layout::contiguous(shape.clone()), shape.elem_count() / n_parts(layer));
    let launch = engine
        .with_samples(engine.launch(program(layer, unit)?, kernel)?, samples.packed())?
        .array(layer.states.items(), DType::U32, n_slots)?
        .complex(&layer.z, of_numbers, batch * n_units)?
        .complex(&layer.w, of_numbers, n_sites * n_units)?
        .part(&results, &whole.narrow(0, 0, 1)?, dtype, len)?;
    let launch = if layer.is_complex() {
        launch.part(&results, &whole.narrow(0, 1, 1)?, dtype, len)?
    } else {
        launch.null()
    };
    // SAFETY: these are the arguments of both kernels; they write to the results, which are new.
    unsafe { launch.number(n_units)?.number(width)?.number(batch)?.warps(n_slots) }?;
    Ok((results, shape))
}

/// From a stacked gradient of this type.
fn backward(
    layer: &ChangedLayer,
    unit: Unit,
    kernel: &'static str,
    dtype: DType,
    gradient: &Tensor,
    wanted: [bool; 2],
) -> Result<[Option<Tensor>; 2]> {
    let samples = samples_of(layer)?;
    let engine = samples.engine();
    let [batch, width, n_sites] = layer.states.shape();
    let (n_parts, n_units, of_numbers) = (n_parts(layer), layer.n_units(), layer.z.dtype());
    let n_weights = n_sites * n_units;
    let gradient = ComplexTensor::from_stacked(&gradient.to_dtype(dtype)?.contiguous()?)?;
    // What each run adds to the gradient in the weights is kept apart.
    let run = batch.div_ceil((MOST_NUMBERS / n_weights).clamp(1, MOST_PARTS));
    let n_runs = batch.div_ceil(run);
    let new = |is_wanted: bool, shape: &[usize]| {
        if is_wanted { new_tensor(engine.cuda(), shape, DType::F64).map(Some) } else { Ok(None) }
    };
    let of_z = new(wanted[0], &[n_parts, batch, n_units])?;
    let of_runs = new(wanted[1], &[n_parts, n_runs, n_sites, n_units])?;
    let parts = |tensor: &Option<Tensor>| tensor.as_ref().map(ComplexTensor::from_stacked).transpose();
    let (z_parts, run_parts) = (parts(&of_z)?, parts(&of_runs)?);
    let launch = engine
        .with_samples(engine.launch(program(layer, unit)?, kernel)?, samples.packed())?
        .array(layer.states.items(), DType::U32, batch * width)?
        .complex(&layer.z, of_numbers, batch * n_units)?
        .complex(&layer.w, of_numbers, n_weights)?
        .complex(&gradient, dtype, gradient.re().elem_count())?
        .optional_complex(z_parts.as_ref(), DType::F64, batch * n_units)?
        .optional_complex(run_parts.as_ref(), DType::F64, n_runs * n_weights)?
        .number(run)?
        .number(n_units)?
        .number(width)?
        .number(batch)?;
    // SAFETY: these are the arguments of both kernels, whose gradient has the shape of their results; they write to the
    // gradients, which are new.
    unsafe { launch.warps(n_runs * n_units.div_ceil(LANES)) }?;
    Ok([of_z, of_runs.map(|runs| runs.sum(1)).transpose()?])
}
