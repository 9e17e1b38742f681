//! Kernels that work on numbers alone and need no engine.

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::{CudaDevice, CudaStorage};
use candle_core::{Layout, Result, Shape, Tensor};

use super::engine::number;
use super::kernels::{Kind, Program};
use super::launch::{Launch, new_storage, new_tensor};
use super::modules;
use crate::complex::ComplexTensor;

pub(super) fn launch<'a>(device: &CudaDevice, program: Program, kernel: &str) -> Result<Launch<'a>> {
    let function = modules::function(device.cuda_stream().context(), Kind::of_numbers(program), kernel)?;
    Ok(Launch::of_words(device, function))
}

/// See [`ops::local`](crate::ops::local). Contiguous parts `(batch, width)` of one type; the sums are stacked,
/// `(1 or 2, batch)`.
pub(crate) fn local(mels: &ComplexTensor, deltas: &ComplexTensor) -> Result<(CudaStorage, Shape)> {
    let (batch, width) = deltas.re().dims2()?;
    let (dtype, device) = (deltas.dtype(), deltas.re().device().as_cuda_device()?);
    let is_complex = mels.im().is_some() || deltas.im().is_some();
    let shape = Shape::from((if is_complex { 2 } else { 1 }, batch));
    let local = new_storage(device, &shape, dtype)?;
    let whole = Layout::contiguous(shape.clone());
    let n = batch * width;
    let mut launch = launch(device, Program::Local { real: number(dtype)?, is_complex }, "local")?
        .complex(mels, dtype, n)?
        .complex(deltas, dtype, n)?
        .part(&local, &whole.narrow(0, 0, 1)?, dtype, batch)?;
    launch =
        if is_complex { launch.part(&local, &whole.narrow(0, 1, 1)?, dtype, batch)? } else { launch.null() };
    // SAFETY: these are the kernel's arguments; it writes to the sums, which are new.
    unsafe { launch.number(width)?.number(batch)?.warps(batch) }?;
    Ok((local, shape))
}

/// The gradients in elements and differences, stacked `(1 or 2, batch, width)`, from that in the sums, `(1 or 2, batch)`;
/// only those that are wanted.
pub(crate) fn local_gradients(
    mels: &ComplexTensor,
    deltas: &ComplexTensor,
    gradient: &Tensor,
    wanted: [bool; 2],
) -> Result<[Option<Tensor>; 2]> {
    let (batch, width) = deltas.re().dims2()?;
    let (dtype, device) = (deltas.dtype(), deltas.re().device().as_cuda_device()?);
    let is_complex = mels.im().is_some() || deltas.im().is_some();
    let gradient = ComplexTensor::from_stacked(&gradient.contiguous()?)?;
    let new = |like: &ComplexTensor, is_wanted: bool| -> Result<Option<Tensor>> {
        let n_parts = like.im().map_or(1, |_| 2);
        if is_wanted { new_tensor(device, (n_parts, batch, width), dtype).map(Some) } else { Ok(None) }
    };
    let written = [new(mels, wanted[0])?, new(deltas, wanted[1])?];
    let parts = |tensor: &Option<Tensor>| tensor.as_ref().map(ComplexTensor::from_stacked).transpose();
    let [of_mels, of_deltas] = [parts(&written[0])?, parts(&written[1])?];
    let n = batch * width;
    let launch = launch(device, Program::Local { real: number(dtype)?, is_complex }, "local_backward")?
        .complex(mels, dtype, n)?
        .complex(deltas, dtype, n)?
        .complex(&gradient, dtype, batch)?;
    let launch = launch.optional_complex(of_mels.as_ref(), dtype, n)?.optional_complex(
        of_deltas.as_ref(),
        dtype,
        n,
    )?;
    let launch = launch.number(width)?.number(batch)?;
    // SAFETY: these are the kernel's arguments; it writes to the gradients, which are new.
    unsafe { launch.threads(n) }?;
    Ok(written)
}

/// A kernel of real numbers, or of the parts of complex ones, which gives stacked parts `(2, …)`.
pub(crate) fn ln_cosh(
    kernel: &str,
    (re, layout): (&CudaStorage, &Layout),
    im: Option<(&CudaStorage, &Layout)>,
) -> Result<(CudaStorage, Shape)> {
    let (device, dtype, n) = (re.device(), re.dtype(), layout.shape().elem_count());
    let n_parts = im.map_or(1, |_| 2);
    let values = new_storage(device, &(n_parts * n).into(), dtype)?;
    let part = |k: usize| Layout::contiguous(n_parts * n).narrow(0, k * n, n);
    let program = Program::LnCosh { real: number(dtype)?, is_complex: im.is_some() };
    let launch = launch(device, program, kernel)?.part(re, layout, dtype, n)?;
    let (launch, shape) = match im {
        None => (launch.null().part(&values, &part(0)?, dtype, n)?.null(), layout.shape().clone()),
        Some((im, layout)) => {
            let launch = launch.part(im, layout, dtype, n)?.part(&values, &part(0)?, dtype, n)?;
            (launch.part(&values, &part(1)?, dtype, n)?, [&[2], layout.dims()].concat().into())
        }
    };
    // SAFETY: these are the kernel's arguments; it writes to the values, which are new.
    unsafe { launch.long_number(n).threads(n) }?;
    Ok((values, shape))
}

/// The gradient in z, from that in ln cosh z.
pub(crate) fn ln_cosh_gradient(z: &ComplexTensor, gradient: &ComplexTensor) -> Result<ComplexTensor> {
    let (device, dtype, n) = (z.re().device().as_cuda_device()?, z.dtype(), z.re().elem_count());
    let [z, gradient] = [z, gradient].map(|tensor| tensor.map(Tensor::contiguous));
    let (z, gradient) = (z?, gradient?);
    let new = |_: &Tensor| new_tensor(device, z.re().shape(), dtype);
    let of_z = ComplexTensor::new(new(z.re())?, z.im().map(new).transpose()?)?;
    let program = Program::LnCosh { real: number(dtype)?, is_complex: z.im().is_some() };
    let launch = launch(device, program, "ln_cosh_backward")?
        .complex(&z, dtype, n)?
        .complex(&gradient, dtype, n)?
        .complex(&of_z, dtype, n)?
        .long_number(n);
    // SAFETY: these are the kernel's arguments; it writes to the gradient in z, which is new.
    unsafe { launch.threads(n) }?;
    Ok(of_z)
}
