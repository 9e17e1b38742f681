//! Local estimators, in blocks of samples.

use candle_core::{DType, Device, Tensor};
use ndarray::Array1;
use num_complex::Complex64;
use operator_core::parallel::{batched_estimators, walked_estimators};
use operator_core::{Backend, Error, HilbertSpace, Result, WaveFunction};
use std::num::NonZeroUsize;

use crate::backend::Padded;
use crate::complex::ComplexTensor;
use crate::conn::{ConnStates, TensorConn};
use crate::error::failed;
use crate::ops;
use crate::rows::{ALL_STATES, Rows, refusal};

/// Local estimators `O_loc(x) = Σ_x' <x|O|x'> ψ(x') / ψ(x)` of a batch of samples, on the host.
///
/// On the CPU this is the flat backend's loop, without padding: it follows a wave function's
/// [`Walker`](operator_core::Walker) if there is one, and otherwise evaluates the distinct connected configurations
/// of a block. On other devices, connected elements, amplitudes and sums are tensors of static shape, block by block.
/// With a `chunk_size`, the wave function gets at most that many configurations at once, and memory does not grow
/// with the number of samples.
///
/// # Shapes
/// `x` is `(batch, n_sites)`; returns `(batch,)`.
///
/// # Errors
/// [`Error::HilbertMismatch`] if operator and wave function live on different spaces;
/// [`Error::DeviceMismatch`] if they are on different devices; [`Error::LogPsiNotFinite`] if a sample's log ψ
/// is not a number or its amplitude is zero, or if a local estimator is not a number; errors of the operator
/// and of the wave function.
pub fn local_estimators<O, W>(
    operator: &O,
    wave_function: &W,
    x: &Tensor,
    chunk_size: Option<NonZeroUsize>,
) -> Result<Array1<Complex64>>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    check(operator, wave_function)?;
    if !operator.device().is_cpu() {
        return local_estimators_on_device(operator, wave_function, x, chunk_size);
    }
    let rows = Rows::from_tensor(operator.hilbert(), x)?;
    match operator.engine().filter(|_| wave_function.has_walker()) {
        Some(engine) => {
            let mut out = vec![Complex64::ZERO; rows.n_samples()];
            walked_estimators(wave_function, &mut out, |walk, block| {
                walk.in_blocks(engine, block, &rows.as_host())
            })?;
            Ok(out.into())
        }
        None => Ok(batched_estimators(operator, wave_function, rows.view(), chunk_size)?.into()),
    }
}

/// [`local_estimators`] in tensors of static shape, as on devices other than the CPU.
#[doc(hidden)]
pub fn local_estimators_on_device<O, W>(
    operator: &O,
    wave_function: &W,
    x: &Tensor,
    chunk_size: Option<NonZeroUsize>,
) -> Result<Array1<Complex64>>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    let mut out = Vec::with_capacity(Padded::batch_len(x));
    for_blocks(operator, wave_function, x, chunk_size, |block| {
        let conn = operator.conn_unchecked(&block.x)?;
        let states = conn.conn_states(block.x.dtype());
        let local = sum_elements(&conn.mels().detach(), || block.deltas(wave_function, &states))?;
        let local = block.to_host(&local, conn.status());
        out.extend(local.map_err(|error| culprit(operator, conn.mels(), error))?);
        Ok(())
    })?;
    Ok(out.into())
}

/// The error of an estimator that is no number, with the name of the operator if its elements are none.
fn culprit<O: TensorConn + ?Sized>(operator: &O, mels: &ComplexTensor, error: Error) -> Error {
    let is_finite = |mels: Vec<Complex64>| mels.iter().all(|mel| mel.is_finite());
    match (&error, mels.to_host().map(is_finite)) {
        (Error::LogPsiNotFinite { .. }, Ok(false)) => Error::Custom {
            operator: operator.describe(),
            reason: "its matrix elements must be finite".into(),
        },
        _ => error,
    }
}

/// Consecutive samples of a batch; their slots number at most the chunk size.
pub(crate) struct Block<'a> {
    hilbert: &'a HilbertSpace,
    /// All samples, and the number of the block's first.
    all: &'a Tensor,
    start: usize,
    pub(crate) x: Tensor,
    log_psi: ComplexTensor,
    chunk_size: Option<NonZeroUsize>,
}

/// Calls `f` with one block after another.
pub(crate) fn for_blocks<O, W>(
    operator: &O,
    wave_function: &W,
    all: &Tensor,
    chunk_size: Option<NonZeroUsize>,
    mut f: impl FnMut(&Block<'_>) -> Result<()>,
) -> Result<()>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    check(operator, wave_function)?;
    let (n_samples, _) = all.dims2().map_err(failed)?;
    let slots = chunk_size.map_or(usize::MAX, NonZeroUsize::get);
    let block_size = (slots / operator.max_conn_size().max(1)).clamp(1, n_samples.max(1));
    for start in (0..n_samples).step_by(block_size) {
        let block = start..n_samples.min(start.saturating_add(block_size));
        let x = Padded::rows(all, block)?.to_device(&operator.device()).map_err(failed)?;
        let log_psi = wave_function.log_psi_in_chunks(&x, chunk_size)?;
        f(&Block { hilbert: operator.hilbert(), all, start, x, log_psi, chunk_size })?;
    }
    Ok(())
}

/// Whether operator and wave function go together.
pub(crate) fn check<O, W>(operator: &O, wave_function: &W) -> Result<()>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    operator.hilbert().expect_same(wave_function.hilbert())?;
    Padded::expect_same_device(["operator", "wave function"], &operator.device(), &wave_function.device())
}

impl Block<'_> {
    /// `ln ψ(x') − ln ψ(x)` of the states that are connected to the block, shape `(batch, width)`. Gradients do not flow
    /// through it.
    pub(crate) fn deltas<W>(&self, wave_function: &W, states: &ConnStates) -> Result<ComplexTensor>
    where
        W: WaveFunction<Padded> + ?Sized,
    {
        let [batch, width] = states.n_slots();
        let fits = self.chunk_size.is_none_or(|chunk_size| batch * width <= chunk_size.get());
        let connected = if fits {
            wave_function.log_psi_conn(&self.x, states)?
        } else {
            // One sample has more states than a chunk.
            wave_function.log_psi_in_chunks(&Padded::conn_rows(states)?, self.chunk_size)?
        };
        deltas([batch, width], &connected.detach(), &self.log_psi.detach())
    }

    /// The block's local estimators on the host. What tells whether they are any comes in the same copy: the samples'
    /// log ψ, and a device's word on whether they are states.
    pub(crate) fn to_host(&self, local: &ComplexTensor, status: Option<&Tensor>) -> Result<Vec<Complex64>> {
        let (log_psi, local, status) = to_host_together(&self.log_psi, local, status).map_err(failed)?;
        if status.is_some_and(|status| status != f64::from(ALL_STATES)) {
            return Err(refusal(self.hilbert, self.all));
        }
        let not_finite = |b: usize, value| Err(Error::LogPsiNotFinite { sample: self.start + b, value });
        if let Some(b) = log_psi.iter().position(|value| !value.is_finite()) {
            return not_finite(b, log_psi[b]);
        }
        match local.iter().position(|value| value.is_nan()) {
            Some(b) => not_finite(b, local[b]),
            None => Ok(local),
        }
    }
}

/// Local estimators as a tensor, computed for the whole batch at once. Gradients flow through it into the
/// parameters of the operator and of the wave function.
///
/// # Shapes
/// `x` is `(batch, n_sites)`; returns `(batch,)`.
///
/// # Errors
/// As [`local_estimators`], but values are not checked.
pub fn local_estimator_tensor<O, W>(operator: &O, wave_function: &W, x: &Tensor) -> Result<ComplexTensor>
where
    O: TensorConn + ?Sized,
    W: WaveFunction<Padded> + ?Sized,
{
    check(operator, wave_function)?;
    let x = x.to_device(&operator.device()).map_err(failed)?;
    let conn = operator.conn(&x)?;
    sum_elements(conn.mels(), || {
        let states = conn.conn_states(x.dtype());
        let connected = wave_function.log_psi_conn(&x, &states)?;
        deltas(states.n_slots(), &connected, &wave_function.log_psi(&x)?)
    })
}

/// `Σ_k mels[b, k] exp(deltas[b, k])`. Differences are not asked for if there are no elements: devices run nothing on empty
/// tensors.
fn sum_elements(
    mels: &ComplexTensor,
    deltas: impl FnOnce() -> Result<ComplexTensor>,
) -> Result<ComplexTensor> {
    match mels.dims() {
        &[batch, 0] => {
            let sums = Tensor::zeros(batch, mels.dtype(), mels.re().device());
            sums.map(ComplexTensor::real).map_err(failed)
        }
        _ => ops::local(mels, &deltas()?).map_err(failed),
    }
}

/// `ln ψ(x'[b, k]) − ln ψ(x[b])` from `connected`, `(batch · width,)`, and `log_psi`, `(batch,)`.
fn deltas(
    [batch, width]: [usize; 2],
    connected: &ComplexTensor,
    log_psi: &ComplexTensor,
) -> Result<ComplexTensor> {
    let deltas = || {
        let connected = connected.map(|part| part.reshape((batch, width)))?;
        connected.broadcast_sub(&log_psi.map(|part| part.unsqueeze(1))?)
    };
    deltas().map_err(failed)
}

/// Two complex tensors and a word, brought to the host in one copy.
fn to_host_together(
    first: &ComplexTensor,
    second: &ComplexTensor,
    word: Option<&Tensor>,
) -> candle_core::Result<(Vec<Complex64>, Vec<Complex64>, Option<f64>)> {
    let parts = [Some(first.re()), first.im(), Some(second.re()), second.im(), word];
    // Words are exact in double precision; devices without it have none.
    let dtype = if first.re().device().is_metal() { DType::F32 } else { DType::F64 };
    let flat = |part: &Tensor| part.detach().flatten_all()?.to_dtype(dtype);
    let tensors = parts.into_iter().flatten().map(flat).collect::<candle_core::Result<Vec<_>>>()?;
    let values = Tensor::cat(&tensors, 0)?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let mut rest = values.as_slice();
    let mut next = |part: Option<&Tensor>| {
        let (values, others) = rest.split_at(part.map_or(0, Tensor::elem_count));
        rest = others;
        values
    };
    let mut complex = |value: &ComplexTensor| -> Vec<Complex64> {
        let (re, im) = (next(Some(value.re())), next(value.im()));
        let im = im.iter().copied().chain(std::iter::repeat(0.0));
        re.iter().zip(im).map(|(&re, im)| Complex64::new(re, im)).collect()
    };
    let (first, second) = (complex(first), complex(second));
    Ok((first, second, rest.first().copied()))
}
