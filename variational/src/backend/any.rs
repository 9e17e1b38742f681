//! Local estimators of operators whose backend is chosen at run time.

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Result, WaveFunction};
use std::num::NonZeroUsize;
use sum_operator::{Any, AnyOperator};

use crate::estimate::{LocalKernel, OperatorGradKernel};

/// Calls a kernel of the operator's backend with the operator, the wave function for that backend, and the
/// configurations where it runs.
macro_rules! by_variant {
    ($operator:expr, $wave_function:expr, $x:expr, $kernel:ident, $chunk_size:expr) => {{
        match $operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => {
                backend_flat::Flat::$kernel(operator, &super::flat::OnHost($wave_function), $x, $chunk_size)
            }
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => {
                backend_flat::Flat::$kernel(operator, &super::flat::OnHost($wave_function), $x, $chunk_size)
            }
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => {
                let (on, x) = super::padded::on_device(operator, $wave_function, $x)?;
                backend_padded::Padded::$kernel(operator, &on, &x, $chunk_size)
            }
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => {
                let (on, x) = super::padded::on_device(operator, $wave_function, $x)?;
                backend_padded::Padded::$kernel(operator, &on, &x, $chunk_size)
            }
        }
    }};
}

/// The operator's variant chooses the kernel; the wave function gets its batches on the host.
impl LocalKernel<AnyOperator> for Any {
    fn local_estimators<W: WaveFunction<Any>>(
        operator: &AnyOperator,
        wave_function: &W,
        x: &Array2<i8>,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>> {
        by_variant!(operator, wave_function, x, local_estimators, chunk_size)
    }
}

impl OperatorGradKernel<AnyOperator> for Any {
    fn local_estimators_and_operator_grad<W: WaveFunction<Any>>(
        operator: &AnyOperator,
        wave_function: &W,
        x: &Array2<i8>,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
        by_variant!(operator, wave_function, x, local_estimators_and_operator_grad, chunk_size)
    }
}
