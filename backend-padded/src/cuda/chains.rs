//! Steps of chains that stay on a device.

use candle_core::cuda_backend::CudaDevice;
use candle_core::{DType, Device, Result, Tensor};

use super::engine::number;
use super::kernels::{Number, Program};
use super::launch::{Launch, new_tensor};
use super::numbers::launch;
use crate::complex::ComplexTensor;
use crate::ops::{self, COLUMNS, N_DRAWS};

/// What does not depend on the type of ln ψ.
const OF_ANY: Program = Program::Chains { real: Number::F64, is_complex: true };

fn launch_for<'a>(device: &CudaDevice, log_psi: &'a ComplexTensor, kernel: &str) -> Result<Launch<'a>> {
    let (real, is_complex) = (number(log_psi.dtype())?, log_psi.im().is_some());
    launch(device, Program::Chains { real, is_complex }, kernel)
}

/// See [`ops::uniforms`].
pub(crate) fn uniforms(keys: &Tensor, step: u32, n_draws: usize) -> Result<Tensor> {
    let (device, n_chains) = (keys.device().as_cuda_device()?, keys.dims1()?);
    let (keys, numbers) = (keys.contiguous()?, new_tensor(device, (n_chains, n_draws), DType::F64)?);
    let launch = launch(device, OF_ANY, "uniforms")?
        .array(&keys, DType::I64, n_chains)?
        .array(&numbers, DType::F64, n_chains * n_draws)?
        .number(step as usize)?
        .number(n_draws)?
        .number(n_chains)?;
    // SAFETY: these are the kernel's arguments; it writes to the numbers, which are new.
    unsafe { launch.threads(n_chains * n_draws.div_ceil(2)) }?;
    Ok(numbers)
}

/// [`ops::MoveTables`] on a device.
#[derive(Clone, Debug)]
pub(crate) struct MoveTables {
    limits: Tensor,
    ends: Tensor,
    pairs: Tensor,
    locals: Tensor,
}

impl MoveTables {
    pub(crate) fn new(tables: &ops::MoveTables, device: &Device) -> Result<Self> {
        let (n_kinds, n_sites) = (tables.limits.len(), tables.locals.len());
        let pairs = tables.pairs.as_flattened();
        Ok(MoveTables {
            limits: Tensor::from_slice(&tables.limits, n_kinds, device)?,
            ends: Tensor::from_slice(&tables.ends, n_kinds, device)?,
            // Drivers need not give memory of no size.
            pairs: Tensor::from_slice(
                if pairs.is_empty() { &[0] } else { pairs },
                pairs.len().max(1),
                device,
            )?,
            locals: Tensor::from_slice(tables.locals.as_flattened(), 3 * n_sites, device)?,
        })
    }

    /// See [`ops::SiteMoves::propose`].
    pub(crate) fn propose(&self, x: &Tensor, draws: &Tensor) -> Result<Tensor> {
        let ((n_chains, n_sites), device) = (x.dims2()?, x.device().as_cuda_device()?);
        let n_kinds = self.limits.elem_count();
        let proposed = new_tensor(device, (n_chains, n_sites), DType::F32)?;
        let launch = launch(device, OF_ANY, "propose")?
            .array(x, DType::F32, n_chains * n_sites)?
            .array(draws, DType::F64, n_chains * N_DRAWS)?
            .array(&self.limits, DType::F64, n_kinds)?
            .array(&self.ends, DType::U32, n_kinds)?
            .array(&self.pairs, DType::U32, self.pairs.elem_count())?
            .array(&self.locals, DType::I32, 3 * n_sites)?
            .array(&proposed, DType::F32, n_chains * n_sites)?
            .number(n_kinds)?
            .number(n_sites)?
            .number(n_chains)?;
        // SAFETY: these are the kernel's arguments; it writes to what is proposed, which is new.
        unsafe { launch.threads(n_chains * n_sites) }?;
        Ok(proposed)
    }
}

/// See [`ops::Ledger::new`].
pub(crate) fn ledger(log_psi: &ComplexTensor, counts: Option<&Tensor>) -> Result<Tensor> {
    let (device, dtype) = (log_psi.re().device().as_cuda_device()?, log_psi.dtype());
    let n_chains = log_psi.re().dims1()?;
    let rows = new_tensor(device, (n_chains, COLUMNS), DType::F64)?;
    let launch = launch_for(device, log_psi, "ledger")?
        .complex(log_psi, dtype, n_chains)?
        .optional(counts, DType::U32, n_chains)?
        .array(&rows, DType::F64, n_chains * COLUMNS)?
        .number(n_chains)?;
    // SAFETY: these are the kernel's arguments; it writes to the rows, which are new.
    unsafe { launch.threads(n_chains) }?;
    Ok(rows)
}

/// See [`ops::Ledger::choose`].
pub(crate) fn choose(ledger: &Tensor, draws: &Tensor) -> Result<Tensor> {
    let (device, n_chains) = (ledger.device().as_cuda_device()?, ledger.dim(0)?);
    let numbers = new_tensor(device, n_chains, DType::U32)?;
    let launch = launch(device, OF_ANY, "choose")?
        .array(ledger, DType::F64, n_chains * COLUMNS)?
        .array(draws, DType::F64, n_chains * N_DRAWS)?
        .array(&numbers, DType::U32, n_chains)?
        .number(n_chains)?;
    // SAFETY: these are the kernel's arguments; it writes to the numbers, which are new.
    unsafe { launch.threads(n_chains) }?;
    Ok(numbers)
}

/// See [`ops::Ledger::accept`]: where chains are, their ledger, and which of them accepted.
pub(crate) fn accept(
    ledger: &Tensor,
    step: u32,
    [x, proposed]: [&Tensor; 2],
    log_psi: &ComplexTensor,
    counts: Option<&Tensor>,
    draws: &Tensor,
) -> Result<[Tensor; 3]> {
    let ((n_chains, n_sites), dtype) = (x.dims2()?, log_psi.dtype());
    let (device, n) = (ledger.device().as_cuda_device()?, n_chains * n_sites);
    let next_rows = new_tensor(device, (n_chains, COLUMNS), DType::F64)?;
    let next = new_tensor(device, (n_chains, n_sites), DType::F32)?;
    let accepted = new_tensor(device, n_chains, DType::U8)?;
    let launch = launch_for(device, log_psi, "settle")?
        .array(ledger, DType::F64, n_chains * COLUMNS)?
        .array(x, DType::F32, n)?
        .array(proposed, DType::F32, n)?
        .complex(log_psi, dtype, n_chains)?
        .optional(counts, DType::U32, n_chains)?
        .array(draws, DType::F64, n_chains * N_DRAWS)?
        .array(&next_rows, DType::F64, n_chains * COLUMNS)?
        .array(&next, DType::F32, n)?
        .array(&accepted, DType::U8, n_chains)?
        .number(step as usize)?
        .number(n_sites)?
        .number(n_chains)?;
    // SAFETY: these are the kernel's arguments; it writes to the last three arrays, which are new.
    unsafe { launch.warps(n_chains) }?;
    Ok([next, next_rows, accepted])
}
