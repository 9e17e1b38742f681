//! Local estimators and operator gradients of the padded backend.

use backend_padded::{ComplexTensor, Padded, TensorConn};
use candle_core::{Device, Tensor};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, Result, WaveFunction};
use std::num::NonZeroUsize;
use sum_operator::Any;

use super::super::common::{OnBackend, check_spaces};
use crate::estimate::{LocalKernel, OperatorGradKernel};

/// # Errors
/// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) unless both live on one space;
/// [`DeviceMismatch`](operator_core::Error::DeviceMismatch) unless both live on one device.
fn check_together<O: TensorConn + ?Sized, W: WaveFunction<Padded>>(
    operator: &O,
    wave_function: &W,
) -> Result<()> {
    check_spaces::<Padded, O, W>(operator, wave_function)?;
    let (left, right) = (TensorConn::device(operator), wave_function.device());
    Padded::expect_same_device(["operator", "wave function"], left, &right)
}

impl<O: TensorConn + ?Sized> LocalKernel<O> for Padded {
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>> {
        check_together(operator, wave_function)?;
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
        check_together(operator, wave_function)?;
        backend_padded::local_estimators_and_operator_grad(operator, wave_function, x, chunk_size)
    }
}

impl<W: WaveFunction<Any>> WaveFunction<Padded> for OnBackend<'_, Padded, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.wave_function.hilbert()
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        Padded::amplitudes_from_host(self.wave_function.log_psi(&Padded::to_host(x)?)?, x.device())
    }
}

/// Where an operator runs, and a host batch brought there.
pub(in crate::backend) fn on_device<O: TensorConn>(operator: &O, x: &Array2<i8>) -> Result<(Device, Tensor)> {
    let device = TensorConn::device(operator);
    Ok((device.clone(), Padded::from_host(x.view(), device)?))
}
