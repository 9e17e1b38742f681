//! What several tests use.
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod counted;

use ndarray::Array2;
use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{Lower, Result};
use sum_operator::Combine;

pub(crate) type TestResult = operator_core::testing::TestResult;

/// A backend's operator with real elements.
pub(crate) type Operator<B> = <B as Lower<f64>>::Operator;

/// A backend that combines operators, and takes a third party's.
pub(crate) trait Complete: Lower<f64> + Combine<<Self as Lower<f64>>::Operator> {
    fn custom(kernel: Shifts) -> Result<Operator<Self>>;
}

pub(crate) fn custom<B: Complete>(kernel: Shifts) -> Result<Operator<B>> {
    B::custom(kernel)
}

/// A third party's kernel: moves all quantum numbers one site to the right, or to the left.
#[derive(Clone, Debug)]
pub(crate) struct Shifts(pub(crate) HilbertSpace);

#[cfg(feature = "flat")]
impl backend_flat::FlatKernel<f64> for Shifts {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn connect(&self, x: &[i8], emit: &mut backend_flat::Emitter<'_, f64>) {
        let mut shifted = x.to_vec();
        shifted.rotate_right(1);
        emit.state(&shifted, 1.0);
        shifted.rotate_left(2);
        emit.state(&shifted, 1.0);
    }
}

#[cfg(feature = "flat")]
impl Complete for backend_flat::Flat {
    fn custom(kernel: Shifts) -> Result<Operator<Self>> {
        backend_flat::FlatOperator::custom(kernel)
    }
}

#[cfg(feature = "padded")]
impl backend_padded::PaddedKernel<f64> for Shifts {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn max_conn_size(&self) -> usize {
        2
    }

    fn connect(&self, x: &candle_core::Tensor) -> candle_core::Result<backend_padded::ConnTensors> {
        use candle_core::{DType, Tensor};
        let (batch, n_sites) = x.dims2()?;
        let shifted = |by: usize| Tensor::cat(&[x.narrow(1, by, n_sites - by)?, x.narrow(1, 0, by)?], 1);
        let states = Tensor::stack(&[shifted(n_sites - 1)?, shifted(1)?], 1)?;
        let mels = Tensor::ones((batch, 2), DType::F64, x.device())?;
        Ok(backend_padded::ConnTensors::new(states, backend_padded::ComplexTensor::real(mels)))
    }
}

#[cfg(feature = "padded")]
impl Complete for backend_padded::Padded {
    fn custom(kernel: Shifts) -> Result<Operator<Self>> {
        backend_padded::PaddedOperator::custom(kernel)
    }
}

/// Runs generic tests on each backend that is compiled in.
#[macro_export]
macro_rules! on_backends {
    ($($tests:tt)*) => {
        operator_core::on_backends! {
            [#[cfg(feature = "flat")] flat: backend_flat::Flat, #[cfg(feature = "padded")] padded: backend_padded::Padded]
            $($tests)*
        }
    };
}

pub(crate) fn spins(n: usize) -> Result<HilbertSpace> {
    Ok(Spin::half(n)?.into())
}

pub(crate) fn kron(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    ndarray::linalg::kron(a, b)
}

pub(crate) fn close(a: &Array2<f64>, b: &Array2<f64>) -> bool {
    a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-10)
}
