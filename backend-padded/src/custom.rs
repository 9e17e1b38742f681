use std::fmt::Debug;

use candle_core::Tensor;
use ndarray::{Array1, Array2};
use operator_core::{Backend, Element, Error, HilbertSpace, Result};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::operator::ConnTensors;
use crate::{Padded, failed};

/// States on which a custom operator is tested for Hermiticity: all of a small space, or some at random.
const SMALL_SPACE: usize = 4096;
const PROBES: usize = 64;

/// An operator written outside these crates, for the padded backend.
///
/// Three methods are enough; [`PaddedOperator::custom`](crate::PaddedOperator::custom) makes an operator of it
/// that has all the others.
pub trait PaddedKernel<T: Element>: Debug + Send + Sync {
    /// The space the operator acts on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Number of slots a sample.
    fn max_conn_size(&self) -> usize;

    /// Connected configurations and elements of a batch, shape `(batch, n_sites)` of quantum numbers.
    ///
    /// # Shapes
    /// States `(batch, max_conn_size, n_sites)` in the dtype of `x`, elements `(batch, max_conn_size)`. Unused
    /// slots, wherever they are, hold a state of the space with element 0.
    ///
    /// # Errors
    /// If the device fails.
    fn connect(&self, x: &Tensor) -> candle_core::Result<ConnTensors>;

    /// Whether the operator is Hermitian, where it is known; otherwise it is tested.
    fn is_hermitian(&self) -> Option<bool> {
        None
    }
}

/// The elements of a batch on the host, checked for shape: states of all slots `(batch · width, n_sites)` and
/// elements `(batch · width,)`.
pub(crate) fn host_conn<T: Element>(
    kernel: &dyn PaddedKernel<T>,
    conn: &ConnTensors,
) -> Result<(Array2<i8>, Array1<T>)> {
    let (n_sites, width) = (kernel.hilbert().n_sites(), kernel.max_conn_size());
    let n_samples = conn.states.dims().first().copied().unwrap_or(0);
    if conn.states.dims() != [n_samples, width, n_sites] || conn.mels.re.dims() != [n_samples, width] {
        return Err(Error::Custom {
            operator: format!("{kernel:?}"),
            reason: format!(
                "states {:?} and elements {:?}; expected {:?} and {:?}",
                conn.states.dims(),
                conn.mels.re.dims(),
                [n_samples, width, n_sites],
                [n_samples, width]
            ),
        });
    }
    let states = conn.states.reshape((n_samples * width, n_sites)).map_err(failed)?;
    let mels = conn.mels.to_host().map_err(failed)?;
    Ok((Padded::to_host(&states)?, mels.into_iter().map(T::from_complex).collect()))
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
        host_conn(kernel, &kernel.connect(&x).map_err(failed)?)
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
