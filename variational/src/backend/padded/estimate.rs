//! Local estimators and operator gradients of the padded backend.

use backend_padded::{ComplexTensor, Padded, TensorConn};
use candle_core::Tensor;
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, Result, WaveFunction};
use std::num::NonZeroUsize;
use sum_operator::Any;

use super::super::common::{OnBackend, check_spaces};
use crate::estimate::{LocalKernel, OperatorGradKernel};

impl<O: TensorConn + ?Sized> LocalKernel<O> for Padded {
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>> {
        check_spaces::<Self, O, W>(operator, wave_function)?;
        backend_padded::local_estimators(operator, wave_function, x, chunk_size)
    }
}

impl<O: TensorConn + ?Sized> OperatorGradKernel<O> for Padded {
    fn local_estimators_and_operator_grad<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
        check_spaces::<Self, O, W>(operator, wave_function)?;
        backend_padded::local_estimators_and_operator_grad(operator, wave_function, x, chunk_size)
    }
}

impl<W: WaveFunction<Any>> WaveFunction<Padded> for OnBackend<'_, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        Padded::amplitudes_from_host(self.0.log_psi(&Padded::to_host(x)?)?, x.device())
    }
}

/// Host batches where an operator runs.
pub(in crate::backend) fn on_device<O: TensorConn>(operator: &O, x: &Array2<i8>) -> Result<Tensor> {
    Padded::from_host(x.view(), &operator.device())
}
