//! Local estimators of operators whose backend is chosen at run time.

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{HilbertSpace, Result, WaveFunction};
use sum_operator::{Any, AnyOperator};

use crate::estimate::{LocalKernel, OperatorGradKernel};

/// Calls a kernel of the operator's backend with the operator, the wave function for that backend, and the
/// configurations where it runs.
macro_rules! by_variant {
    ($operator:expr, $wave_function:expr, $x:expr, $kernel:ident, $chunk_size:expr) => {{
        let on = OnBackend($wave_function);
        match $operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => backend_flat::Flat::$kernel(operator, &on, $x, $chunk_size),
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => backend_flat::Flat::$kernel(operator, &on, $x, $chunk_size),
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => {
                let x = on_device(operator, $x)?;
                backend_padded::Padded::$kernel(operator, &on, &x, $chunk_size)
            }
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => {
                let x = on_device(operator, $x)?;
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
        chunk_size: Option<usize>,
    ) -> Result<Array1<Complex64>> {
        by_variant!(operator, wave_function, x, local_estimators, chunk_size)
    }
}

impl OperatorGradKernel<AnyOperator> for Any {
    fn local_estimators_and_operator_grad<W: WaveFunction<Any>>(
        operator: &AnyOperator,
        wave_function: &W,
        x: &Array2<i8>,
        chunk_size: Option<usize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
        by_variant!(operator, wave_function, x, local_estimators_and_operator_grad, chunk_size)
    }
}

/// A wave function that takes host batches, for a backend's own kernel.
struct OnBackend<'a, W>(&'a W);

#[cfg(feature = "flat")]
impl<W: WaveFunction<Any>> WaveFunction<backend_flat::Flat> for OnBackend<'_, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        self.0.log_psi(x)
    }

    fn log_psi_connected(
        &self,
        x: &Array2<i8>,
        connected: &Array2<i8>,
        origins: &[usize],
    ) -> Result<Array1<Complex64>> {
        self.0.log_psi_connected(x, connected, origins)
    }

    fn walker(&self) -> Option<Box<dyn operator_core::Walker + '_>> {
        self.0.walker()
    }
}

#[cfg(feature = "padded")]
impl<W: WaveFunction<Any>> WaveFunction<backend_padded::Padded> for OnBackend<'_, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn log_psi(&self, x: &candle_core::Tensor) -> Result<backend_padded::ComplexTensor> {
        use backend_padded::Padded;
        use operator_core::Backend;

        Padded::amplitudes_from_host(self.0.log_psi(&Padded::to_host(x)?)?, x.device())
    }
}

#[cfg(feature = "padded")]
fn on_device<O: backend_padded::TensorConn>(operator: &O, x: &Array2<i8>) -> Result<candle_core::Tensor> {
    use operator_core::Backend;

    backend_padded::Padded::from_host(x.view(), operator.device())
}
