//! Operators written outside these crates.

use std::fmt::Debug;

use candle_core::{DType, Tensor};
use ndarray::{Array1, Array2};
use operator_core::{Backend, Element, Error, HilbertSpace, Result};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::backend::Padded;
use crate::complex::{ComplexTensor, real_dtype};
use crate::conn::ConnTensors;
use crate::error::failed;
use crate::rows::{self, NotRows};

/// States on which a custom operator is tested for Hermiticity: all of a small space, or some at random.
const SMALL_SPACE: usize = 4096;
const PROBES: usize = 64;

/// An operator written outside these crates, for the padded backend.
///
/// Three methods are enough; [`PaddedOperator::custom`](crate::PaddedOperator::custom) makes an operator of
/// it that has all the others.
pub trait PaddedKernel<T: Element>: Debug + Send + Sync {
    /// The space the operator acts on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Number of slots a sample.
    fn max_conn_size(&self) -> usize;

    /// Connected configurations and elements of a batch, shape `(batch, n_sites)` of quantum numbers.
    ///
    /// # Shapes
    /// States `(batch, max_conn_size, n_sites)` in the dtype of `x`, elements `(batch, max_conn_size)` in
    /// f32 or f64, without an imaginary part where `T` is real. Unused slots, wherever they are, hold a
    /// state of the space with element 0. The batch is never empty.
    ///
    /// # Errors
    /// If the device fails.
    fn connect(&self, x: &Tensor) -> candle_core::Result<ConnTensors>;

    /// Whether the operator is Hermitian, where it is known; otherwise it is tested.
    fn is_hermitian(&self) -> Option<bool> {
        None
    }
}

/// The kernel's connected elements, checked to be tensors of `width` slots a sample and of the right dtypes.
pub(crate) fn connect<T: Element>(
    kernel: &dyn PaddedKernel<T>,
    width: usize,
    x: &Tensor,
) -> Result<ConnTensors> {
    let (n_samples, n_sites) = x.dims2().map_err(failed)?;
    if n_samples == 0 {
        return no_samples::<T>(width, n_sites, x).map_err(failed);
    }
    let conn = kernel.connect(x).map_err(failed)?;
    let ConnTensors { states, mels } = &conn;
    let refused = |reason: String| Err(Error::Custom { operator: format!("{kernel:?}"), reason });
    let (all_states, all_mels) = ([n_samples, width, n_sites], [n_samples, width]);
    if states.dims() != all_states || mels.re.dims() != all_mels {
        let (states, mels) = (states.dims(), mels.re.dims());
        return refused(format!(
            "states {states:?} and elements {mels:?}; expected {all_states:?} and {all_mels:?}"
        ));
    }
    if states.dtype() != x.dtype() {
        return refused(format!("states of dtype {:?}; expected {:?}", states.dtype(), x.dtype()));
    }
    let dtype = mels.re.dtype();
    if !matches!(dtype, DType::F32 | DType::F64) {
        return refused(format!("elements of dtype {dtype:?}; expected F32 or F64"));
    }
    match &mels.im {
        Some(_) if !T::IS_COMPLEX => refused(format!(
            "elements with an imaginary part; {} has none: make it a PaddedKernel<Complex64>",
            T::NAME
        )),
        Some(im) if im.dims() != all_mels || im.dtype() != dtype => refused(format!(
            "imaginary parts {:?} of dtype {:?}; expected {all_mels:?} of dtype {dtype:?}",
            im.dims(),
            im.dtype()
        )),
        _ => Ok(conn),
    }
}

/// What an empty batch is connected to. Kernels need not cope with it: candle's `cat` panics on empty
/// tensors.
fn no_samples<T: Element>(width: usize, n_sites: usize, x: &Tensor) -> candle_core::Result<ConnTensors> {
    let mels = Tensor::zeros((0, width), real_dtype::<T>(), x.device())?;
    let states = Tensor::zeros((0, width, n_sites), x.dtype(), x.device())?;
    Ok(ConnTensors { states, mels: ComplexTensor::real(mels) })
}

/// The elements of a batch on the host: states of all slots `(batch · width, n_sites)` and elements
/// `(batch · width,)`.
pub(crate) fn host_conn<T: Element>(
    kernel: &dyn PaddedKernel<T>,
    width: usize,
    x: &Tensor,
) -> Result<(Array2<i8>, Array1<T>)> {
    let conn = connect(kernel, width, x)?;
    let states = rows::to_host(&conn.states.flatten(0, 1).map_err(failed)?).map_err(|error| match error {
        NotRows::Device(error) => failed(error),
        NotRows::NotWhole { .. } => {
            Error::Custom { operator: format!("{kernel:?}"), reason: format!("among its states, {error}") }
        }
    })?;
    let mels = conn.mels.to_host().map_err(failed)?;
    Ok((states, mels.into_iter().map(T::from_complex).collect()))
}

/// Tests `<x|O|x'> = conj <x'|O|x>` for some x and all their x'.
pub(crate) fn probe_hermitian<T: Element>(
    kernel: &dyn PaddedKernel<T>,
    device: &candle_core::Device,
) -> Result<bool> {
    let hilbert = kernel.hilbert();
    let samples = match hilbert.n_states() {
        Ok(n_states) if n_states <= SMALL_SPACE => hilbert.all_states()?,
        _ => hilbert.random_states(PROBES, &mut Xoshiro256PlusPlus::seed_from_u64(0)),
    };
    let width = kernel.max_conn_size();
    let rows = |x: &Array2<i8>| -> Result<(Array2<i8>, Array1<T>)> {
        let x = Padded::from_host(x.view(), device)?;
        host_conn(kernel, width, &x)
    };
    for x in samples.rows() {
        let (states, mels) = rows(&x.to_owned().insert_axis(ndarray::Axis(0)))?;
        hilbert.check(states.view()).map_err(|error| Error::Custom {
            operator: format!("{kernel:?}"),
            reason: format!("it leaves its space ({error})"),
        })?;
        let (back_states, back_mels) = rows(&states)?;
        for k in (0..width).filter(|&k| !mels[k].is_zero()) {
            // Sums, because one x' may fill several slots.
            let forward: T = (0..width)
                .filter(|&j| states.row(j) == states.row(k))
                .fold(T::zero(), |sum, j| sum + mels[j]);
            let back: T = (k * width..(k + 1) * width)
                .filter(|&j| back_states.row(j) == x)
                .fold(T::zero(), |sum, j| sum + back_mels[j]);
            let (forward, back) = (forward.to_complex(), back.to_complex());
            // What cancels on one side may leave rounding on the other.
            let size: f64 = mels.iter().map(|mel| mel.to_complex().norm()).sum();
            let difference = T::from_complex(back - forward.conj());
            if difference.to_complex().norm() > 1e-6 * forward.norm().max(back.norm())
                && !difference.cancels(size)
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
