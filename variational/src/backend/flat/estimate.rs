//! Local estimators and operator gradients of the flat backend.

use backend_flat::{Flat, VisitConn};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Definition, HilbertSpace, Result, Walker, WaveFunction};
use std::num::NonZeroUsize;
use sum_operator::Any;

use super::super::common::OnBackend;
use crate::estimate::{LocalKernel, OperatorGradKernel};

impl<O: VisitConn + ?Sized> LocalKernel<O> for Flat {
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>> {
        backend_flat::local_estimators(operator, wave_function, x.view(), chunk_size)
    }

    fn norm_bound(operator: &O) -> Option<f64> {
        operator.definition().map(Definition::norm_bound)
    }
}

impl<O: VisitConn + ?Sized> OperatorGradKernel<O> for Flat {
    fn local_estimators_and_operator_grad<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
        backend_flat::local_estimators_and_operator_grad(operator, wave_function, x.view(), chunk_size)
    }
}

impl<W: WaveFunction<Any>> WaveFunction<Flat> for OnBackend<'_, W, ()> {
    fn hilbert(&self) -> &HilbertSpace {
        self.wave_function.hilbert()
    }

    fn device(&self) {
        self.device
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        self.wave_function.log_psi(x)
    }

    fn log_psi_connected(
        &self,
        x: &Array2<i8>,
        connected: &Array2<i8>,
        origins: &[usize],
    ) -> Result<Array1<Complex64>> {
        self.wave_function.log_psi_connected(x, connected, origins)
    }

    fn has_walker(&self) -> bool {
        self.wave_function.has_walker()
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        self.wave_function.walker()
    }
}

/// [`LocalKernel`] of an operator of any backend, once it is known to be of this one.
pub(in crate::backend) fn any_local_estimators<O: VisitConn, W: WaveFunction<Any>>(
    operator: &O,
    wave_function: &W,
    x: &Array2<i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<Array1<Complex64>> {
    let on_backend = OnBackend { wave_function, device: () };
    Flat::local_estimators(operator, &on_backend, x, chunk_size)
}

/// The same for [`OperatorGradKernel`].
pub(in crate::backend) fn any_operator_grad<O: VisitConn, W: WaveFunction<Any>>(
    operator: &O,
    wave_function: &W,
    x: &Array2<i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
    let on_backend = OnBackend { wave_function, device: () };
    Flat::local_estimators_and_operator_grad(operator, &on_backend, x, chunk_size)
}
