//! Local estimators and operator gradients of the padded backend.

use backend_padded::{Padded, TensorConn};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Result, WaveFunction};

use super::super::common::check_spaces;
use crate::estimate::{LocalKernel, OperatorGradKernel};

impl<O: TensorConn + ?Sized> LocalKernel<O> for Padded {
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<usize>,
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
        chunk_size: Option<usize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
        check_spaces::<Self, O, W>(operator, wave_function)?;
        backend_padded::local_estimators_and_operator_grad(operator, wave_function, x, chunk_size)
    }
}
