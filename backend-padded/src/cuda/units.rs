//! Sums over units at connected states, and their gradients.

use candle_core::cuda_backend::CudaStorage;
use candle_core::{DType, Layout, Result, Shape, Tensor};

use super::engine::{MOST_NUMBERS, MOST_PARTS, number};
use super::kernels::{LANES, Program};
use super::launch::{new_storage, new_tensor};
use super::samples::Samples;
use crate::complex::ComplexTensor;
use crate::ops::Unit;

/// See [`ops::sums_of_units`](crate::ops::sums_of_units): the sums at the states of items `(batch, width)`, stacked
/// `(1 or 2, batch · width)`, in f64. Both of `z`, `(batch, n_units)`, and `w`, `(n_sites, n_units)`, are contiguous, of one
/// type, and have imaginary parts if one has.
pub(crate) fn sums_of_units(
    samples: &Samples,
    items: &Tensor,
    unit: Unit,
    z: &ComplexTensor,
    w: &ComplexTensor,
) -> Result<(CudaStorage, Shape)> {
    let engine = samples.engine();
    let ((batch, width), n_units, dtype) = (items.dims2()?, w.re().dim(1)?, z.dtype());
    let (n_slots, is_complex) = (batch * width, w.im().is_some());
    let shape = Shape::from((if is_complex { 2 } else { 1 }, n_slots));
    let sums = new_storage(engine.cuda(), &shape, DType::F64)?;
    let whole = Layout::contiguous(shape.clone());
    let program = Program::Units { real: number(dtype)?, is_complex, ln_cosh: unit == Unit::LnCosh };
    let launch = engine
        .with_samples(engine.launch(program, "sums_of_units")?, samples.packed())?
        .array(items, DType::U32, n_slots)?
        .complex(z, dtype, batch * n_units)?
        .complex(w, dtype, engine.n_sites() * n_units)?
        .part(&sums, &whole.narrow(0, 0, 1)?, DType::F64, n_slots)?;
    let launch = if is_complex {
        launch.part(&sums, &whole.narrow(0, 1, 1)?, DType::F64, n_slots)?
    } else {
        launch.null()
    };
    // SAFETY: these are the kernel's arguments; it writes to the sums, which are new.
    unsafe { launch.number(n_units)?.number(width)?.number(batch)?.warps(n_slots) }?;
    Ok((sums, shape))
}

/// The gradients in `z` and `w`, stacked, in f64, from that in the stacked sums; only those that are wanted.
pub(crate) fn gradients_of_units(
    samples: &Samples,
    (items, unit): (&Tensor, Unit),
    z: &ComplexTensor,
    w: &ComplexTensor,
    gradient: &Tensor,
    wanted: [bool; 2],
) -> Result<[Option<Tensor>; 2]> {
    let engine = samples.engine();
    let ((batch, width), n_units, dtype) = (items.dims2()?, w.re().dim(1)?, z.dtype());
    let (n_slots, n_weights, is_complex) = (batch * width, engine.n_sites() * n_units, w.im().is_some());
    let n_parts = if is_complex { 2 } else { 1 };
    let gradient = ComplexTensor::from_stacked(&gradient.contiguous()?)?;
    // What each run adds to the gradient in the weights is kept apart.
    let run = batch.div_ceil((MOST_NUMBERS / n_weights).clamp(1, MOST_PARTS));
    let n_runs = batch.div_ceil(run);
    let new = |is_wanted: bool, shape: &[usize]| {
        if is_wanted { new_tensor(engine.cuda(), shape, DType::F64).map(Some) } else { Ok(None) }
    };
    let of_z = new(wanted[0], &[n_parts, batch, n_units])?;
    let of_runs = new(wanted[1], &[n_parts, n_runs, engine.n_sites(), n_units])?;
    let parts = |tensor: &Option<Tensor>| tensor.as_ref().map(ComplexTensor::from_stacked).transpose();
    let (z_parts, run_parts) = (parts(&of_z)?, parts(&of_runs)?);
    let program = Program::Units { real: number(dtype)?, is_complex, ln_cosh: unit == Unit::LnCosh };
    let launch = engine
        .with_samples(engine.launch(program, "sums_of_units_backward")?, samples.packed())?
        .array(items, DType::U32, n_slots)?
        .complex(z, dtype, batch * n_units)?
        .complex(w, dtype, n_weights)?
        .complex(&gradient, DType::F64, n_slots)?
        .optional_complex(z_parts.as_ref(), DType::F64, batch * n_units)?
        .optional_complex(run_parts.as_ref(), DType::F64, n_runs * n_weights)?
        .number(run)?
        .number(n_units)?
        .number(width)?
        .number(batch)?;
    // SAFETY: these are the kernel's arguments; it writes to the gradients, which are new.
    unsafe { launch.warps(n_runs * n_units.div_ceil(LANES)) }?;
    Ok([of_z, of_runs.map(|runs| runs.sum(1)).transpose()?])
}
