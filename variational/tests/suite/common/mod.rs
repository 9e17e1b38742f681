//! What several tests use.
#![allow(dead_code, reason = "each test uses a part")]

use ndarray::{Array1, Array2};
use num_complex::{Complex32, Complex64};
use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{
    Backend, Boundary, Definition, DiscreteOperator, Element, Graph, Heisenberg, Ising, Model, WaveFunction,
    testing,
};
use variational::wave_functions::network::{NetworkBackend, Real, Scalar};
use variational::{LogDerivatives, Rbm, Trainable};

pub(crate) type TestResult = testing::TestResult;

/// Runs generic tests on each backend that is compiled in.
#[macro_export]
macro_rules! on_backends {
    ($($tests:tt)*) => {
        operator_core::on_backends! {
            [#[cfg(feature = "flat")] flat: variational::Flat, #[cfg(feature = "padded")] padded: variational::Padded]
            $($tests)*
        }
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

pub(crate) fn rbm<B: NetworkBackend>(hilbert: &HilbertSpace, sigma: f64) -> operator_core::Result<Rbm<B>> {
    Rbm::new(hilbert.clone(), 1.5).and_then(|rbm| rbm.with_seed(7).with_sigma(sigma))
}

/// A list of ln ψ whose parameters are all real parts, then all imaginary parts.
#[derive(Clone, Debug)]
pub(crate) struct Table<B>(pub(crate) testing::Table<B>);

impl<B: Backend> Table<B> {
    pub(crate) fn random(hilbert: &HilbertSpace) -> operator_core::Result<Self> {
        Ok(Table(testing::Table::random(hilbert.clone(), 1)?))
    }
}

impl<B: Backend> WaveFunction<B> for Table<B> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> operator_core::Result<B::Amplitudes> {
        self.0.log_psi(x)
    }
}

impl<B: Backend> Trainable<B> for Table<B> {
    fn n_parameters(&self) -> usize {
        2 * self.0.log_psi.len()
    }

    fn parameters(&self) -> Array1<f64> {
        let log_psi = || self.0.log_psi.iter();
        log_psi().map(|z| z.re).chain(log_psi().map(|z| z.im)).collect()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> operator_core::Result<()> {
        let n = self.0.log_psi.len();
        for (k, value) in self.0.log_psi.iter_mut().enumerate() {
            *value = Complex64::new(parameters[k], parameters[n + k]);
        }
        Ok(())
    }

    fn log_derivatives(&self, x: &B::Configurations) -> operator_core::Result<LogDerivatives> {
        let n = self.0.log_psi.len();
        let mut derivatives = Array2::zeros((B::batch_len(x), 2 * n));
        for (sample, k) in self.0.indices(x)?.into_iter().enumerate() {
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

/// A wave function and its name.
pub(crate) type Named<B> = (&'static str, Box<dyn Trainable<B>>);

/// One of each network on a space, with parameters that are not small.
pub(crate) fn networks<B: NetworkBackend>(hilbert: &HilbertSpace) -> operator_core::Result<Vec<Named<B>>> {
    networks_of::<B, f64, Complex64>(hilbert)
}

/// The same networks in single precision, but for autoregressive ones.
pub(crate) fn single_networks<B: NetworkBackend>(
    hilbert: &HilbertSpace,
) -> operator_core::Result<Vec<Named<B>>> {
    networks_of::<B, f32, Complex32>(hilbert)
}

/// The same networks with parameters of the real type `R` and of the complex type `C`, but for autoregressive
/// ones.
fn networks_of<B: NetworkBackend, R: Real, C: Scalar>(
    hilbert: &HilbertSpace,
) -> operator_core::Result<Vec<Named<B>>> {
    use variational::wave_functions::network::Activation::{Gelu, LnCosh, Relu, Silu, Tanh};
    use variational::*;

    let (space, n_sites) = (|| hilbert.clone(), hilbert.n_sites());
    let ring = operator_core::graph::Lattice::chain(n_sites);
    let group = ring.translations()?;
    let mut networks: Vec<Named<B>> = vec![
        ("RBM", Box::new(Rbm::<B, R>::new(space(), 1.5)?.with_seed(7).with_sigma(0.4)?)),
        ("complex RBM", Box::new(Rbm::<B, C>::new(space(), 1.0)?.with_seed(8).with_sigma(0.4)?)),
        (
            "RBM of modulus and phase",
            Box::new(RbmModPhase::<B, R>::new(space(), 1.0)?.with_seed(9).with_sigma(0.4)?),
        ),
        ("symmetric RBM", Box::new(RbmSymm::<B, R>::new(space(), &group, 2)?.with_seed(10).with_sigma(0.4)?)),
        (
            "complex symmetric RBM",
            Box::new(RbmSymm::<B, C>::new(space(), &group, 1)?.with_seed(11).with_sigma(0.4)?),
        ),
        ("Jastrow", Box::new(Jastrow::<B, R>::new(space())?.with_seed(12).with_sigma(0.3)?)),
        ("complex Jastrow", Box::new(Jastrow::<B, C>::new(space())?.with_seed(13).with_sigma(0.3)?)),
        ("mean field", Box::new(MeanField::<B, R>::new(space())?.with_seed(14).with_sigma(0.5)?)),
        ("complex mean field", Box::new(MeanField::<B, C>::new(space())?.with_seed(15).with_sigma(0.5)?)),
        ("MLP", Box::new(Mlp::<B, R>::new(space(), &[5, 4], Gelu)?.with_seed(16))),
        ("complex MLP", Box::new(Mlp::<B, C>::new(space(), &[4, 3], LnCosh)?.with_seed(17))),
        ("MLP of modulus and phase", Box::new(MlpModPhase::<B, R>::new(space(), &[4], Silu)?.with_seed(18))),
        ("group CNN", Box::new(GroupCnn::<B, R>::new(space(), &group, &[2, 2], Tanh)?.with_seed(19))),
        ("complex group CNN", Box::new(GroupCnn::<B, C>::new(space(), &group, &[1, 2], Tanh)?.with_seed(20))),
        ("Arnn", Box::new(Arnn::<B>::new(space(), &[2], Tanh)?.with_seed(22))),
        ("Arnn with phase", Box::new(Arnn::<B>::with_phase(space(), &[2, 3], Gelu)?.with_seed(23))),
        ("Arnn without hidden layers", Box::new(Arnn::<B>::new(space(), &[], Gelu)?.with_seed(24))),
        ("CNN", Box::new(Cnn::<B, R>::new(space(), &ring, 3, &[2, 3], Relu)?.with_seed(21))),
    ];
    for (_, network) in &mut networks {
        // Biases that are 0 would put rectified units onto their kink.
        let moved =
            network.parameters().iter().enumerate().map(|(k, p)| p + 0.05 * (k as f64).cos()).collect();
        network.set_parameters(&moved)?;
    }
    Ok(networks)
}
