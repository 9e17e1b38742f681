//! Local estimators and operator gradients of the padded backend.

use backend_padded::{ComplexTensor, Padded, TensorConn};
use candle_core::{Device, Tensor};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, Definition, HilbertSpace, Result, Walker, WaveFunction};
use std::num::NonZeroUsize;
use sum_operator::Any;

use super::super::common::OnBackend;
use crate::estimate::{LocalKernel, OperatorGradKernel};

impl<O: TensorConn + ?Sized> LocalKernel<O> for Padded {
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>> {
        backend_padded::local_estimators(operator, wave_function, x, chunk_size)
    }

    fn norm_bound(operator: &O) -> Option<f64> {
        operator.definition().map(Definition::norm_bound)
    }
}

impl<O: TensorConn + ?Sized> OperatorGradKernel<O> for Padded {
    fn local_estimators_and_operator_grad<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
        backend_padded::local_estimators_and_operator_grad(operator, wave_function, x, chunk_size)
    }
}

impl<W: WaveFunction<Any>> WaveFunction<Padded> for OnBackend<'_, W, Device> {
    fn hilbert(&self) -> &HilbertSpace {
        self.wave_function.hilbert()
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        let log_psi = self.wave_function.log_psi(&Padded::to_host(x)?)?;
        Padded::amplitudes_from_host(log_psi, x.device())
    }

    fn log_psi_connected(&self, x: &Tensor, connected: &Tensor, origins: &[usize]) -> Result<ComplexTensor> {
        let (host_x, host_connected) = (Padded::to_host(x)?, Padded::to_host(connected)?);
        let log_psi = self.wave_function.log_psi_connected(&host_x, &host_connected, origins)?;
        Padded::amplitudes_from_host(log_psi, connected.device())
    }

    fn has_walker(&self) -> bool {
        self.wave_function.has_walker()
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        self.wave_function.walker()
    }
}

/// [`LocalKernel`] of an operator of any backend, once it is known to be of this one.
pub(in crate::backend) fn any_local_estimators<O: TensorConn, W: WaveFunction<Any>>(
    operator: &O,
    wave_function: &W,
    x: &Array2<i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<Array1<Complex64>> {
    let device = operator.device();
    let on_backend = OnBackend { wave_function, device: device.clone() };
    let x = Padded::from_host(x.view(), &device)?;
    Padded::local_estimators(operator, &on_backend, &x, chunk_size)
}

/// The same for [`OperatorGradKernel`].
pub(in crate::backend) fn any_operator_grad<O: TensorConn, W: WaveFunction<Any>>(
    operator: &O,
    wave_function: &W,
    x: &Array2<i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
    let device = operator.device();
    let on_backend = OnBackend { wave_function, device: device.clone() };
    let x = Padded::from_host(x.view(), &device)?;
    Padded::local_estimators_and_operator_grad(operator, &on_backend, &x, chunk_size)
}
