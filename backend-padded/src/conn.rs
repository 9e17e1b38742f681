//! Connected elements as tensors, and what every operator of this backend does with tensors.

use candle_core::Tensor;
use operator_core::{DiscreteOperator, Result};

use crate::backend::Padded;
use crate::complex::ComplexTensor;
use crate::differentiable::Differentiable;

/// Connected elements of a batch as tensors.
#[derive(Clone, Debug)]
pub struct ConnTensors {
    states: Tensor,
    mels: ComplexTensor,
}

impl ConnTensors {
    /// Connected elements from their configurations, shape `(batch, max_conn_size, n_sites)`, and matrix
    /// elements, shape `(batch, max_conn_size)`.
    ///
    /// Shapes and dtypes are checked where a [`PaddedKernel`](crate::PaddedKernel) returns them.
    pub fn new(states: Tensor, mels: ComplexTensor) -> Self {
        ConnTensors { states, mels }
    }

    /// Connected configurations, shape `(batch, max_conn_size, n_sites)`, in the dtype of the samples.
    pub fn states(&self) -> &Tensor {
        &self.states
    }

    /// Matrix elements, shape `(batch, max_conn_size)`, f32 or f64; 0 in unused slots.
    pub fn mels(&self) -> &ComplexTensor {
        &self.mels
    }

    /// Configurations and matrix elements.
    pub fn into_parts(self) -> (Tensor, ComplexTensor) {
        (self.states, self.mels)
    }
}

/// What every operator of the padded backend can do with tensors.
///
/// Samples may be on any device: they are moved to the operator's device, where the results are.
///
/// Write a [`PaddedKernel`](crate::PaddedKernel) for an operator of your own;
/// [`PaddedOperator::custom`](crate::PaddedOperator::custom) gives it this trait.
pub trait TensorConn: DiscreteOperator<Backend = Padded> {
    /// Connected elements of a batch of quantum numbers, shape `(batch, n_sites)` of any dtype.
    ///
    /// Used slots come first; an unused one holds the sample itself with element 0. If the operator's
    /// parameters are a tensor
    /// ([`PaddedOperator::with_parameter_tensor`](crate::PaddedOperator::with_parameter_tensor)), gradients
    /// flow from the elements into it.
    ///
    /// The slots of a custom kernel are in its own order, and the states in them are not checked, because
    /// that would bring all of them to the host.
    ///
    /// # Errors
    /// As [`DiscreteOperator::get_conn_flattened_into`]; [`Error::Backend`](operator_core::Error::Backend)
    /// for values that are not whole; [`Error::Custom`](operator_core::Error::Custom) if a custom kernel
    /// gives tensors of another shape or dtype.
    fn conn(&self, x: &Tensor) -> Result<ConnTensors>;

    /// Number of connected x' ≠ x of each sample, shape `(batch,)`, u32.
    ///
    /// # Errors
    /// As [`conn`](Self::conn); [`Error::Custom`](operator_core::Error::Custom) if a custom kernel leaves its
    /// space.
    fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor>;

    /// The k-th connected x' ≠ x of each sample, shape `(batch, n_sites)`, or the sample itself beyond the
    /// last.
    ///
    /// `k` has shape `(batch,)` and dtype u32. The order is the operator's own.
    ///
    /// # Errors
    /// As [`n_off_diagonal`](Self::n_off_diagonal); [`Error::Count`](operator_core::Error::Count) unless `k`
    /// has one number a sample.
    fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor>;

    /// The matrix elements as functions of the operator's parameters. They are made on the first call, and
    /// kept.
    ///
    /// # Errors
    /// [`Error::NoDefinition`](operator_core::Error::NoDefinition) for a custom kernel;
    /// [`Error::Backend`](operator_core::Error::Backend) if the device fails.
    #[doc(hidden)]
    fn differentiable(&self) -> Result<&Differentiable>;
}
