//! Connected elements as tensors, and what every operator of this backend does with tensors.

use candle_core::Tensor;
use operator_core::{DiscreteOperator, Result};

use crate::backend::Padded;
use crate::complex::ComplexTensor;
use crate::differentiable::Differentiable;

/// Connected elements of a batch as tensors.
#[derive(Clone, Debug)]
pub struct ConnTensors {
    /// Connected configurations, shape `(batch, max_conn_size, n_sites)`, in the dtype of the samples.
    pub states: Tensor,
    /// Matrix elements, shape `(batch, max_conn_size)`, f32 or f64; 0 in unused slots.
    pub mels: ComplexTensor,
}

/// What every operator of the padded backend can do with tensors.
pub trait TensorConn: DiscreteOperator<Backend = Padded> {
    /// Connected elements of a batch of quantum numbers, shape `(batch, n_sites)` of any dtype.
    ///
    /// Unused slots hold the sample itself with element 0, after the used ones. If the operator's
    /// parameters are a tensor
    /// ([`PaddedOperator::with_parameter_tensor`](crate::PaddedOperator::with_parameter_tensor)), gradients
    /// flow from the elements into it.
    ///
    /// # Errors
    /// As [`DiscreteOperator::get_conn_flattened_into`]; [`Error::Backend`](operator_core::Error::Backend)
    /// for values that are not whole; [`Error::Custom`](operator_core::Error::Custom) if a custom kernel
    /// gives tensors of another shape or dtype. The states that it gives are not checked here, since that
    /// would bring all of them to the host.
    fn conn(&self, x: &Tensor) -> Result<ConnTensors>;

    /// Number of connected x' ≠ x of each sample, shape `(batch,)`, u32.
    ///
    /// # Errors
    /// As [`conn`](Self::conn); [`Error::Custom`](operator_core::Error::Custom) if a custom kernel leaves its
    /// space.
    fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor>;

    /// The k-th connected x' ≠ x of each sample, in the operator's order, shape `(batch, n_sites)`; `k` is
    /// `(batch,)`, u32. Beyond the last it is the sample itself.
    ///
    /// # Errors
    /// As [`n_off_diagonal`](Self::n_off_diagonal); [`Error::Count`](operator_core::Error::Count) unless
    /// there is one number a sample.
    fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor>;

    /// The matrix elements as functions of the operator's parameters. Made when first asked for, and kept.
    ///
    /// # Errors
    /// [`Error::NoDefinition`](operator_core::Error::NoDefinition) for a custom kernel;
    /// [`Error::Backend`](operator_core::Error::Backend) if the device fails.
    fn differentiable(&self) -> Result<&Differentiable>;
}
