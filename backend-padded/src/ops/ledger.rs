//! What chains that stay on a device know of themselves, and whether they accept what is proposed.

use candle_core::{DType, Device, Result, Tensor, bail};
use operator_core::metropolis::{acceptance, log_correction, log_weight};

use super::uniforms::{ACCEPT, N_DRAWS, PLACE, below};
use crate::complex::ComplexTensor;
#[cfg(feature = "cuda")]
use crate::cuda;

/// Numbers of a chain in a ledger.
pub(crate) const COLUMNS: usize = 4;

/// In place of a step: none failed.
pub(crate) const NONE_FAILED: f64 = u32::MAX as f64;

/// For each chain: ln |ψ|² where it is, how many moves it accepted, its first step at which ln ψ was no amplitude or no
/// state was connected, and the number of states connected to where it is. Shape `(n_chains, 4)`, f64.
///
/// Steps count from 1; 0 is the evaluation where chains start.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Ledger(Tensor);

/// A [`Ledger`] on the host.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct LedgerOnHost {
    /// ln |ψ|² where each chain is.
    pub log_weights: Vec<f64>,
    /// Moves that all chains accepted.
    pub n_accepted: u64,
    /// The first step that failed.
    pub failed_step: Option<usize>,
    /// The numbers of states connected to where chains are; 0 where they do not matter.
    pub counts: Vec<u32>,
}

/// The chains after a step.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Where they are, shape `(n_chains, n_sites)`.
    pub x: Tensor,
    /// What they know.
    pub ledger: Ledger,
    /// 1 for chains that accepted, shape `(n_chains,)`, u8.
    pub accepted: Tensor,
}

impl Ledger {
    /// Of chains that start where ln ψ has these values, shape `(n_chains,)`, and so many states are connected (u32), if
    /// that matters.
    ///
    /// # Errors
    /// For other shapes and types, or if the device fails.
    pub fn new(log_psi: &ComplexTensor, counts: Option<&Tensor>) -> Result<Self> {
        let (log_psi, n_chains) = readable(log_psi, log_psi.re().device())?;
        let counts = expect_counts(counts, n_chains)?;
        #[cfg(feature = "cuda")]
        if log_psi.re().device().is_cuda() {
            return cuda::ledger(&log_psi, counts.as_ref()).map(Ledger);
        }
        let (psi, counts) = (log_psi.to_host()?, counts_on_host(counts.as_ref(), n_chains)?);
        let row = |psi: num_complex::Complex64, n: u32| match log_weight(psi) {
            Some(log_weight) => [log_weight, 0.0, NONE_FAILED, n.into()],
            None => [f64::NEG_INFINITY, 0.0, 0.0, n.into()],
        };
        let rows: Vec<f64> = psi.into_iter().zip(counts).flat_map(|(psi, n)| row(psi, n)).collect();
        Tensor::from_vec(rows, (n_chains, COLUMNS), log_psi.re().device()).map(Ledger)
    }

    /// Which of its connected states each chain goes to: numbers `(n_chains,)`, u32, from its draws, shape
    /// `(n_chains, 4)`.
    ///
    /// # Errors
    /// For other shapes, or if the device fails.
    pub fn choose(&self, uniforms: &Tensor) -> Result<Tensor> {
        let uniforms = self.expect_draws(uniforms)?;
        #[cfg(feature = "cuda")]
        if self.0.device().is_cuda() {
            return cuda::choose(&self.0, &uniforms);
        }
        let (rows, draws) = (self.rows()?, on_host(&uniforms)?.flatten_all()?.to_vec1::<f64>()?);
        let chains = rows.chunks_exact(COLUMNS).zip(draws.chunks_exact(N_DRAWS));
        let numbers: Vec<u32> = chains.map(|(row, draws)| below(draws[PLACE], row[3] as u32)).collect();
        let n_chains = numbers.len();
        Tensor::from_vec(numbers, n_chains, self.0.device())
    }

    /// Chains at `x` accept or reject what is `proposed`, both `(n_chains, n_sites)` in f32: with probability
    /// `min(1, |ψ(x')/ψ(x)|² n(x)/n(x'))`, where the numbers n of connected states enter if `counts` has those of the
    /// proposed states, shape `(n_chains,)`, u32. `log_psi` is ln ψ(x'), and draws are `(n_chains, 4)`.
    ///
    /// # Errors
    /// For other shapes and types, or if the device fails.
    pub fn accept(
        &self,
        step: usize,
        [x, proposed]: [&Tensor; 2],
        log_psi: &ComplexTensor,
        counts: Option<&Tensor>,
        uniforms: &Tensor,
    ) -> Result<Accepted> {
        let (device, step) = (self.0.device(), u32::try_from(step)?);
        let (log_psi, n_chains) = readable(log_psi, device)?;
        let (counts, uniforms) = (expect_counts(counts, n_chains)?, self.expect_draws(uniforms)?);
        let is_batch = |x: &Tensor| x.dims() == proposed.dims() && x.dtype() == DType::F32 && x.rank() == 2;
        if !is_batch(x) || !is_batch(proposed) || x.dim(0)? != n_chains || self.0.dim(0)? != n_chains {
            let dims = [x.dims(), proposed.dims(), self.0.dims()];
            bail!(
                "{n_chains} values of ln psi for batches and a ledger of {dims:?}; expected one a row, of f32"
            );
        }
        let (x, proposed) = (x.contiguous()?, proposed.contiguous()?);
        #[cfg(feature = "cuda")]
        if device.is_cuda() {
            let [x, ledger, accepted] =
                cuda::accept(&self.0, step, [&x, &proposed], &log_psi, counts.as_ref(), &uniforms)?;
            return Ok(Accepted { x, ledger: Ledger(ledger), accepted });
        }
        let (mut rows, psi) = (self.rows()?, log_psi.to_host()?);
        let has_counts = counts.is_some();
        let counts = counts_on_host(counts.as_ref(), n_chains)?;
        let draws = on_host(&uniforms)?.flatten_all()?.to_vec1::<f64>()?;
        let chains = rows.chunks_exact_mut(COLUMNS).zip(psi).zip(counts).zip(draws.chunks_exact(N_DRAWS));
        let accepted: Vec<u8> = chains
            .map(|(((row, psi), n), draws)| {
                let to = Proposed { log_weight: log_weight(psi), n, has_counts };
                u8::from(settle(row, step, &to, draws[ACCEPT]))
            })
            .collect();
        let accepted = Tensor::from_vec(accepted, n_chains, &Device::Cpu)?;
        let replaced =
            accepted.unsqueeze(1)?.broadcast_as(x.shape())?.where_cond(&on_host(&proposed)?, &on_host(&x)?);
        Ok(Accepted {
            x: replaced?.to_device(device)?,
            ledger: Ledger(Tensor::from_vec(rows, (n_chains, COLUMNS), device)?),
            accepted: accepted.to_device(device)?,
        })
    }

    /// All of it, shape `(n_chains, 4)`.
    pub fn as_tensor(&self) -> &Tensor {
        &self.0
    }

    /// All of it in one copy to the host.
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_host(&self) -> Result<LedgerOnHost> {
        let rows = self.rows()?;
        let column = |k: usize| rows.iter().skip(k).step_by(COLUMNS).copied();
        let failed = column(2).fold(NONE_FAILED, f64::min);
        Ok(LedgerOnHost {
            log_weights: column(0).collect(),
            n_accepted: column(1).map(|n| n as u64).sum(),
            failed_step: (failed < NONE_FAILED).then_some(failed as usize),
            counts: column(3).map(|n| n as u32).collect(),
        })
    }

    fn rows(&self) -> Result<Vec<f64>> {
        self.0.flatten_all()?.to_vec1()
    }

    fn expect_draws(&self, uniforms: &Tensor) -> Result<Tensor> {
        let n_chains = self.0.dim(0)?;
        if uniforms.dims() != [n_chains, N_DRAWS] || uniforms.dtype() != DType::F64 {
            bail!(
                "{:?} draws of {:?}; expected [{n_chains}, {N_DRAWS}] of f64",
                uniforms.dims(),
                uniforms.dtype()
            );
        }
        uniforms.contiguous()
    }
}

/// A proposed state.
struct Proposed {
    /// `None` if its ln ψ is no amplitude.
    log_weight: Option<f64>,
    n: u32,
    has_counts: bool,
}

/// Changes a chain's row of the ledger, and says whether it accepts.
fn settle(row: &mut [f64], step: u32, to: &Proposed, uniform: f64) -> bool {
    let (from, n) = (row[0], row[3]);
    let Some(log_weight) = to.log_weight.filter(|_| !to.has_counts || (n > 0.0 && to.n > 0)) else {
        row[2] = row[2].min(step.into());
        return false;
    };
    let correction = if to.has_counts { log_correction(n as usize, to.n as usize) } else { 0.0 };
    let is_accepted = uniform < acceptance(from, log_weight, correction);
    if is_accepted {
        row.copy_from_slice(&[log_weight, row[1] + 1.0, row[2], to.n.into()]);
    }
    is_accepted
}

/// Amplitudes as the kernels read them, on a device, and their number.
fn readable(log_psi: &ComplexTensor, device: &Device) -> Result<(ComplexTensor, usize)> {
    let n_chains = log_psi.re().dims1()?;
    let log_psi = log_psi.detach().map(|part| {
        let part = if part.dtype() == DType::F32 { part.clone() } else { part.to_dtype(DType::F64)? };
        part.to_device(device)?.contiguous()
    });
    Ok((log_psi?, n_chains))
}

fn expect_counts(counts: Option<&Tensor>, n_chains: usize) -> Result<Option<Tensor>> {
    match counts {
        Some(counts) if counts.dims() != [n_chains] || counts.dtype() != DType::U32 => {
            bail!("{:?} counts of {:?}; expected [{n_chains}] of u32", counts.dims(), counts.dtype())
        }
        counts => counts.map(Tensor::contiguous).transpose(),
    }
}

fn counts_on_host(counts: Option<&Tensor>, n_chains: usize) -> Result<Vec<u32>> {
    counts.map_or_else(|| Ok(vec![0; n_chains]), |counts| counts.to_vec1())
}

fn on_host(tensor: &Tensor) -> Result<Tensor> {
    tensor.to_device(&Device::Cpu)
}
