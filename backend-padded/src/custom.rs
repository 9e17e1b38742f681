//! Kernels of third parties, and what is checked of them.

use std::fmt::Debug;

use candle_core::{DType, Device, Tensor};
use ndarray::{Array1, Array2, ArrayView2};
use operator_core::{Backend, Element, Error, HilbertSpace, MergedRow, Result};

use crate::backend::Padded;
use crate::complex::{ComplexTensor, real_dtype};
use crate::conn::ConnTensors;
use crate::error::failed;
use crate::rows::{self, NotRows};

/// An operator of your own for the padded backend.
///
/// Three methods are enough; [`PaddedOperator::custom`](crate::PaddedOperator::custom) makes an operator of
/// it.
///
/// ```
/// use backend_padded::{ComplexTensor, ConnTensors, PaddedKernel, PaddedOperator};
/// use candle_core::{DType, Tensor};
/// use operator_core::{DiscreteOperator, HilbertSpace, hilbert::Spin};
///
/// /// Turns all spins around.
/// #[derive(Debug)]
/// struct FlipAll(HilbertSpace);
///
/// impl PaddedKernel<f64> for FlipAll {
///     fn hilbert(&self) -> &HilbertSpace {
///         &self.0
///     }
///     fn max_conn_size(&self) -> usize {
///         1
///     }
///     fn connect(&self, x: &Tensor) -> candle_core::Result<ConnTensors> {
///         let mels = Tensor::ones((x.dim(0)?, 1), DType::F64, x.device())?;
///         Ok(ConnTensors::new(x.neg()?.unsqueeze(1)?, ComplexTensor::real(mels)))
///     }
/// }
///
/// let flip = PaddedOperator::custom(FlipAll(Spin::half(3)?.into()))?;
/// assert!(flip.is_hermitian());
/// assert_eq!(flip.to_sparse()?.nnz(), 8);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub trait PaddedKernel<T: Element>: Debug + Send + Sync {
    /// The space the operator acts on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Number of slots of each sample.
    fn max_conn_size(&self) -> usize;

    /// Connected configurations and elements of a batch of quantum numbers, shape `(batch, n_sites)`.
    ///
    /// The batch is on the operator's device and is never empty. A kernel without slots is not asked.
    ///
    /// # Shapes
    /// States are `(batch, max_conn_size, n_sites)` in the dtype of `x`. Elements are
    /// `(batch, max_conn_size)` in f32 or f64, without an imaginary part where `T` is real. An unused slot,
    /// which may be any, holds a state of the space with element 0.
    ///
    /// # Errors
    /// If the device fails.
    fn connect(&self, x: &Tensor) -> candle_core::Result<ConnTensors>;

    /// Whether the operator is Hermitian, where that is known. Otherwise it is tested: on all states of a
    /// small space, on random ones of a large space.
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
    if n_samples == 0 || width == 0 {
        return no_elements::<T>([n_samples, width, n_sites], x).map_err(failed);
    }
    let conn = kernel.connect(x).map_err(failed)?;
    let (shape, mels) = (conn.shape(), conn.mels());
    let refused = |reason: String| Err(Error::Custom { operator: format!("{kernel:?}"), reason });
    let (all_states, all_mels) = ([n_samples, width, n_sites], [n_samples, width]);
    if shape != all_states || mels.dims() != all_mels {
        let mels = mels.dims();
        return refused(format!(
            "states {shape:?} and elements {mels:?}; expected {all_states:?} and {all_mels:?}"
        ));
    }
    if let Some(dtype) = conn.rows_dtype().filter(|&dtype| dtype != x.dtype()) {
        return refused(format!("states of dtype {dtype:?}; expected {:?}", x.dtype()));
    }
    if !matches!(mels.dtype(), DType::F32 | DType::F64) {
        return refused(format!("elements of dtype {:?}; expected F32 or F64", mels.dtype()));
    }
    if mels.im().is_some() && !T::IS_COMPLEX {
        return refused(format!(
            "elements with an imaginary part; {} has none: make it a PaddedKernel<Complex64>",
            T::NAME
        ));
    }
    Ok(conn)
}

/// What an empty batch is connected to, or any batch by an operator without elements. Kernels need not cope with these:
/// candle's `cat` panics on empty tensors.
fn no_elements<T: Element>(
    [n_samples, width, n_sites]: [usize; 3],
    x: &Tensor,
) -> candle_core::Result<ConnTensors> {
    let mels = Tensor::zeros((n_samples, width), real_dtype::<T>(), x.device())?;
    let states = Tensor::zeros((n_samples, width, n_sites), x.dtype(), x.device())?;
    Ok(ConnTensors::new(states, ComplexTensor::real(mels)))
}

/// The elements of a batch on the host, checked to stay in the kernel's space: states of all slots
/// `(batch · width, n_sites)` and elements `(batch · width,)`.
pub(crate) fn host_conn<T: Element>(
    kernel: &dyn PaddedKernel<T>,
    width: usize,
    x: &Tensor,
) -> Result<(Array2<i8>, Array1<T>)> {
    let conn = connect(kernel, width, x)?;
    let states = conn.states(x.dtype()).map_err(failed)?;
    let name = || format!("{kernel:?}");
    let states = rows::to_host(&states.flatten(0, 1).map_err(failed)?).map_err(|error| match error {
        NotRows::Device(error) => failed(error),
        NotRows::NotWhole { .. } => {
            Error::Custom { operator: name(), reason: format!("among its states, {error}") }
        }
    })?;
    kernel.hilbert().check(states.view()).map_err(|error| Error::leaves_space(name(), &error))?;
    let mels = conn.mels().to_host().map_err(failed)?;
    if let Some(mel) = mels.iter().find(|mel| !mel.is_finite()) {
        let reason = format!("it gave the matrix element {mel}; elements must be finite");
        return Err(Error::Custom { operator: name(), reason });
    }
    Ok((states, mels.into_iter().map(T::from_complex).collect()))
}

/// Whether a kernel that does not say so is Hermitian, by [`probe_hermitian`](operator_core::probe_hermitian).
pub(crate) fn is_hermitian<T: Element>(kernel: &dyn PaddedKernel<T>, device: &Device) -> Result<bool> {
    let width = kernel.max_conn_size();
    operator_core::probe_hermitian(
        &kernel,
        kernel.hilbert(),
        |x: ArrayView2<'_, i8>, merged: &mut [MergedRow<T>]| {
            let (states, mels) = host_conn(kernel, width, &Padded::from_host(x, device)?)?;
            for (b, (x, row)) in x.rows().into_iter().zip(merged).enumerate() {
                row.start(&x.to_vec());
                for k in (b * width..(b + 1) * width).filter(|&k| !mels[k].is_zero()) {
                    row.add(contiguous(&states, k), mels[k]);
                }
            }
            Ok(())
        },
    )
}

/// A row of states that were brought to the host.
pub(crate) fn contiguous(states: &Array2<i8>, k: usize) -> &[i8] {
    let n_sites = states.ncols();
    let all = states.as_slice().expect("states come to the host in row-major order");
    &all[k * n_sites..(k + 1) * n_sites]
}
