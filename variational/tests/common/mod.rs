//! What several tests use.
#![allow(dead_code, reason = "each test uses a part")]

use ndarray::{Array1, Array2, Axis};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{
    Boundary, Definition, DiscreteOperator, Element, Graph, Heisenberg, Ising, Lower, Model, WaveFunction,
};
use sampler::HamiltonianBackend;
use variational::wave_functions::rbm::RbmBackend;
use variational::{LocalKernel, LogDerivatives, Rbm, Trainable};

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// A backend that does everything.
pub(crate) trait Complete:
    Lower<f64, Operator: Clone>
    + Lower<Complex64>
    + RbmBackend
    + LocalKernel<<Self as Lower<f64>>::Operator>
    + LocalKernel<<Self as Lower<Complex64>>::Operator>
    + HamiltonianBackend<<Self as Lower<f64>>::Operator>
    + HamiltonianBackend<<Self as Lower<Complex64>>::Operator>
{
    /// Brings amplitudes from the host.
    fn amplitudes(values: Array1<Complex64>) -> operator_core::Result<Self::Amplitudes>;
}

#[cfg(feature = "flat")]
impl Complete for variational::Flat {
    fn amplitudes(values: Array1<Complex64>) -> operator_core::Result<Self::Amplitudes> {
        Ok(values)
    }
}

#[cfg(feature = "padded")]
impl Complete for variational::Padded {
    fn amplitudes(values: Array1<Complex64>) -> operator_core::Result<Self::Amplitudes> {
        use candle_core::{Device, Tensor};
        let part = |values: Vec<f64>| {
            let n = values.len();
            Tensor::from_vec(values, n, &Device::Cpu)
                .map_err(|error| operator_core::Error::backend("padded", error))
        };
        let (re, im) = values.iter().map(|value| (value.re, value.im)).unzip();
        Ok(backend_padded::ComplexTensor { re: part(re)?, im: Some(part(im)?) })
    }
}

/// Runs a generic test on each backend that is compiled in.
#[macro_export]
macro_rules! on_backends {
    ($($(#[$meta:meta])* $test:ident),* $(,)?) => {
        $(mod $test {
            #[cfg(feature = "flat")]
            #[test]
            $(#[$meta])*
            fn flat() -> $crate::common::TestResult {
                super::$test::<variational::Flat>()
            }
            #[cfg(feature = "padded")]
            #[test]
            $(#[$meta])*
            fn padded() -> $crate::common::TestResult {
                super::$test::<variational::Padded>()
            }
        })*
    };
}

pub(crate) fn ising(n_sites: usize) -> operator_core::Result<Definition> {
    let chain = Graph::chain(n_sites, Boundary::Periodic)?;
    Ising::new(Spin::half(n_sites)?, &chain, 1.0, -1.0)?.definition()
}

pub(crate) fn heisenberg(n_sites: usize) -> operator_core::Result<Definition> {
    let chain = Graph::chain(n_sites, Boundary::Periodic)?;
    Heisenberg::new(Spin::half(n_sites)?.with_total_sz(0.0)?, &chain, 1.0)?.definition()
}

pub(crate) fn rbm<B: RbmBackend>(hilbert: &HilbertSpace, sigma: f64) -> operator_core::Result<Rbm<B>> {
    Rbm::new(hilbert.clone(), 1.5, 7, sigma)
}

/// A wave function that is a list of ln ψ, one of each state. Its parameters are all real parts, then all
/// imaginary parts.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) hilbert: HilbertSpace,
    pub(crate) log_psi: Array1<Complex64>,
}

impl Table {
    /// Amplitudes of any sizes and phases.
    pub(crate) fn varied(hilbert: &HilbertSpace) -> operator_core::Result<Self> {
        let value = |k: usize| {
            let k = k as f64;
            Complex64::new((1.7 * k + 0.3).sin(), 3.0 * (2.3 * k).cos())
        };
        Ok(Table { hilbert: hilbert.clone(), log_psi: (0..hilbert.n_states()?).map(value).collect() })
    }

    /// ψ itself.
    pub(crate) fn psi(&self) -> Array1<Complex64> {
        self.log_psi.mapv(Complex64::exp)
    }

    fn indices(&self, x: &Array2<i8>) -> operator_core::Result<Vec<usize>> {
        x.rows().into_iter().map(|x| self.hilbert.index_of(&x.to_vec())).collect()
    }
}

impl<B: Complete> WaveFunction<B> for Table {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn log_psi(&self, x: &B::Configurations) -> operator_core::Result<B::Amplitudes> {
        B::amplitudes(self.log_psi.select(Axis(0), &self.indices(&B::to_host(x)?)?))
    }
}

impl<B: Complete> Trainable<B> for Table {
    fn n_parameters(&self) -> usize {
        2 * self.log_psi.len()
    }

    fn parameters(&self) -> Array1<f64> {
        self.log_psi.iter().map(|z| z.re).chain(self.log_psi.iter().map(|z| z.im)).collect()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> operator_core::Result<()> {
        let n = self.log_psi.len();
        for (k, value) in self.log_psi.iter_mut().enumerate() {
            *value = Complex64::new(parameters[k], parameters[n + k]);
        }
        Ok(())
    }

    fn log_derivatives(&self, x: &B::Configurations) -> operator_core::Result<LogDerivatives> {
        let x = B::to_host(x)?;
        let n = self.log_psi.len();
        let mut derivatives = Array2::zeros((x.nrows(), 2 * n));
        for (sample, k) in self.indices(&x)?.into_iter().enumerate() {
            derivatives[[sample, k]] = Complex64::new(1.0, 0.0);
            derivatives[[sample, n + k]] = Complex64::new(0.0, 1.0);
        }
        Ok(derivatives.into())
    }
}

/// `<ψ|O|ψ> / <ψ|ψ>` and the variance `<|O_loc − <O>|²>`, from the full matrix.
pub(crate) fn dense_mean<O: DiscreteOperator>(
    operator: &O,
    psi: &Array1<Complex64>,
) -> operator_core::Result<(Complex64, f64)> {
    let matrix = operator.to_dense()?.mapv(O::Element::to_complex);
    let norm: f64 = psi.iter().map(Complex64::norm_sqr).sum();
    let image = matrix.dot(psi);
    let mean = psi.iter().zip(&image).map(|(a, b)| a.conj() * b).sum::<Complex64>() / norm;
    let rest = image.iter().zip(psi).map(|(b, a)| (b - mean * a).norm_sqr()).sum::<f64>();
    Ok((mean, rest / norm))
}
