//! Local estimators of operators whose backend is chosen at run time.

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{HilbertSpace, Result, WaveFunction};
use sum_operator::{Any, AnyOperator};

use crate::LocalKernel;

/// The operator's variant chooses the kernel; the wave function gets its batches on the host.
impl LocalKernel<AnyOperator> for Any {
    fn local_estimators<W: WaveFunction<Any>>(
        operator: &AnyOperator,
        wave_function: &W,
        x: &Array2<i8>,
        chunk_size: Option<usize>,
    ) -> Result<Array1<Complex64>> {
        let on = OnBackend(wave_function);
        match operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => flat(operator, &on, x, chunk_size),
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => flat(operator, &on, x, chunk_size),
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => padded(operator, &on, x, chunk_size),
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => padded(operator, &on, x, chunk_size),
        }
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

    fn walker(&self) -> Option<Box<dyn operator_core::Walker + '_>> {
        self.0.walker()
    }
}

#[cfg(feature = "flat")]
fn flat<O, W>(
    operator: &O,
    wave_function: &OnBackend<'_, W>,
    x: &Array2<i8>,
    chunk_size: Option<usize>,
) -> Result<Array1<Complex64>>
where
    O: backend_flat::VisitConn,
    W: WaveFunction<Any>,
{
    backend_flat::Flat::local_estimators(operator, wave_function, x, chunk_size)
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
fn padded<O, W>(
    operator: &O,
    wave_function: &OnBackend<'_, W>,
    x: &Array2<i8>,
    chunk_size: Option<usize>,
) -> Result<Array1<Complex64>>
where
    O: backend_padded::TensorConn,
    W: WaveFunction<Any>,
{
    use operator_core::Backend;

    let x = backend_padded::Padded::from_host(x.view(), operator.device())?;
    backend_padded::Padded::local_estimators(operator, wave_function, &x, chunk_size)
}
