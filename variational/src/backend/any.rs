//! Local estimators and operator gradients of operators whose backend is chosen at run time.

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Definition, DiscreteOperator, Result, WaveFunction};
use sum_operator::{Any, AnyOperator, with_operator};

use crate::estimate::{LocalKernel, OperatorGradKernel};

/// The operator's variant chooses the kernel. The wave function gets its batches on the host.
impl LocalKernel<AnyOperator> for Any {
    fn local_estimators<W: WaveFunction<Any>>(
        operator: &AnyOperator,
        wave_function: &W,
        x: &Array2<i8>,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>> {
        with_operator!(
            operator,
            flat(operator) => super::flat::any_local_estimators(operator, wave_function, x, chunk_size),
            padded(operator) => super::padded::any_local_estimators(operator, wave_function, x, chunk_size)
        )
    }

    fn norm_bound(operator: &AnyOperator) -> Option<f64> {
        operator.definition().map(Definition::norm_bound)
    }
}

impl OperatorGradKernel<AnyOperator> for Any {
    fn local_estimators_and_operator_grad<W: WaveFunction<Any>>(
        operator: &AnyOperator,
        wave_function: &W,
        x: &Array2<i8>,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
        with_operator!(
            operator,
            flat(operator) => super::flat::any_operator_grad(operator, wave_function, x, chunk_size),
            padded(operator) => super::padded::any_operator_grad(operator, wave_function, x, chunk_size)
        )
    }
}
