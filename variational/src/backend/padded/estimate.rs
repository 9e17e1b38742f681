//! Local estimators and operator gradients of the padded backend.

use backend_padded::{ComplexTensor, Padded, TensorConn};
use candle_core::{Device, Tensor};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, Result, WaveFunction};
use std::num::NonZeroUsize;
use sum_operator::Any;

use super::super::common::check_spaces;
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

/// A wave function that takes host batches, where an operator runs.
pub(in crate::backend) struct OnDevice<'a, W>(&'a W, &'a Device);

impl<W: WaveFunction<Any>> WaveFunction<Padded> for OnDevice<'_, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn device(&self) -> Device {
        self.1.clone()
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        Padded::amplitudes_from_host(self.0.log_psi(&Padded::to_host(x)?)?, self.1)
    }
}

/// A wave function and a host batch, where an operator runs.
pub(in crate::backend) fn on_device<'a, O: TensorConn, W>(
    operator: &'a O,
    wave_function: &'a W,
    x: &Array2<i8>,
) -> Result<(OnDevice<'a, W>, Tensor)> {
    let device = TensorConn::device(operator);
    Ok((OnDevice(wave_function, device), Padded::from_host(x.view(), device)?))
}
