//! Kernels that work on numbers alone and need no engine.

use candle_core::cuda_backend::{CudaDevice, CudaStorage};
use candle_core::{DType, Layout, Result, Shape, Tensor};

use super::engine::number;
use super::kernels::{Kind, Program};
use super::launch::{Launch, new_storage, new_tensor};
use super::modules;
use crate::complex::ComplexTensor;

pub(super) fn launch<'a>(device: &CudaDevice, program: Program, kernel: &str) -> Result<Launch<'a>> {
    let function = modules::function(device.cuda_stream().context(), Kind::of_numbers(program), kernel)?;
    Ok(Launch::of_words(device, function))
}

impl<'a> Launch<'a> {
    /// Both parts of a tensor, or null instead of the imaginary one.
    pub(super) fn complex(self, tensor: &'a ComplexTensor, dtype: DType, len: usize) -> Result<Self> {
        self.array(tensor.re(), dtype, len)?.optional(tensor.im(), dtype, len)
    }

    /// The same, or null for both.
    fn optional_complex(self, tensor: Option<&'a ComplexTensor>, dtype: DType, len: usize) -> Result<Self> {
        match tensor {
            Some(tensor) => self.complex(tensor, dtype, len),
            None => Ok(self.null().null()),
        }
    }
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
