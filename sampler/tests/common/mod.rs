//! What several tests use.
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod chi_square;
pub(crate) mod operators;

use ndarray::{Array1, Array2, Axis};
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, Lower, WaveFunction};
use rand::{RngExt, SeedableRng};
use sampler::{ChainRng, Enumerate, HamiltonianBackend, Move, Place, Proposal, Rule};

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The operator of a backend with real elements.
pub(crate) type Real<B> = <B as Lower<f64>>::Operator;

/// The operator of a backend with complex elements.
pub(crate) type Complex<B> = <B as Lower<Complex64>>::Operator;

/// A backend on which wave functions are evaluated on the host.
pub(crate) trait FromHost: Backend {
    /// Brings amplitudes from the host.
    fn amplitudes(values: Array1<Complex64>) -> operator_core::Result<Self::Amplitudes>;
}

/// A backend that does everything.
pub(crate) trait Complete:
    FromHost
    + Lower<f64>
    + Lower<Complex64>
    + HamiltonianBackend<<Self as Lower<f64>>::Operator>
    + HamiltonianBackend<<Self as Lower<Complex64>>::Operator>
{
}

#[cfg(feature = "flat")]
impl Complete for backend_flat::Flat {}

#[cfg(feature = "padded")]
impl Complete for backend_padded::Padded {}

#[cfg(feature = "flat")]
impl FromHost for backend_flat::Flat {
    fn amplitudes(values: Array1<Complex64>) -> operator_core::Result<Self::Amplitudes> {
        Ok(values)
    }
}

#[cfg(feature = "padded")]
impl FromHost for backend_padded::Padded {
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

impl FromHost for sum_operator::Any {
    fn amplitudes(values: Array1<Complex64>) -> operator_core::Result<Self::Amplitudes> {
        Ok(values)
    }
}

/// Runs a generic test on each backend that is compiled in.
#[macro_export]
macro_rules! on_backends {
    ($($test:ident),* $(,)?) => {
        $(mod $test {
            #[cfg(feature = "flat")]
            #[test]
            fn flat() -> $crate::common::TestResult {
                super::$test::<backend_flat::Flat>()
            }
            #[cfg(feature = "padded")]
            #[test]
            fn padded() -> $crate::common::TestResult {
                super::$test::<backend_padded::Padded>()
            }
        })*
    };
}

type LogPsi = dyn Fn(&[i8]) -> operator_core::Result<Complex64> + Send + Sync;

/// A wave function that is any function of one configuration. It refuses what is outside its space.
pub(crate) struct Psi {
    hilbert: HilbertSpace,
    log_psi: Box<LogPsi>,
}

impl Psi {
    pub(crate) fn new(
        hilbert: &HilbertSpace,
        log_psi: impl Fn(&[i8]) -> Complex64 + Send + Sync + 'static,
    ) -> Self {
        Psi { hilbert: hilbert.clone(), log_psi: Box::new(move |x| Ok(log_psi(x))) }
    }

    /// ψ = 1.
    pub(crate) fn uniform(hilbert: &HilbertSpace) -> Self {
        Self::new(hilbert, |_| Complex64::ZERO)
    }

    /// Random amplitudes with any phases, whose logarithms are up to `size`.
    pub(crate) fn random(hilbert: &HilbertSpace, size: f64, seed: u64) -> operator_core::Result<Self> {
        let mut rng = ChainRng::seed_from_u64(seed);
        let mut number = |size: f64| size * (2.0 * rng.random::<f64>() - 1.0);
        let value = |_| Complex64::new(number(size), number(std::f64::consts::PI));
        Ok(Self::table(hilbert, (0..hilbert.n_states()?).map(value).collect()))
    }

    /// A list of ln ψ, one of each state.
    pub(crate) fn table(hilbert: &HilbertSpace, log_psi: Vec<Complex64>) -> Self {
        let space = hilbert.clone();
        let log_psi = move |x: &[i8]| Ok(log_psi[space.index_of(x)?]);
        Psi { hilbert: hilbert.clone(), log_psi: Box::new(log_psi) }
    }

    /// Correlated neighbours, on spaces of any size.
    pub(crate) fn neighbors(hilbert: &HilbertSpace) -> Self {
        Self::new(hilbert, |x| {
            let products = x.windows(2).map(|pair| f64::from(pair[0]) * f64::from(pair[1]));
            Complex64::from(products.enumerate().map(|(k, value)| 0.3 * value / (k + 1) as f64).sum::<f64>())
        })
    }

    pub(crate) fn value(&self, x: &[i8]) -> operator_core::Result<Complex64> {
        self.hilbert.check_row(0, x)?;
        (self.log_psi)(x)
    }

    /// |ψ|² of all states, normalised.
    pub(crate) fn probabilities(&self) -> operator_core::Result<Array1<f64>> {
        let states = self.hilbert.all_states()?;
        let weight = |x: ndarray::ArrayView1<'_, i8>| Ok((2.0 * self.value(&x.to_vec())?.re).exp());
        let weights: Vec<f64> =
            states.rows().into_iter().map(weight).collect::<operator_core::Result<_>>()?;
        let weights = Array1::from(weights);
        Ok(&weights / weights.sum())
    }
}

impl<B: FromHost> WaveFunction<B> for Psi {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn log_psi(&self, x: &B::Configurations) -> operator_core::Result<B::Amplitudes> {
        let x: Array2<i8> = B::to_host(x)?;
        let values: Vec<Complex64> =
            x.axis_iter(Axis(0)).map(|x| self.value(&x.to_vec())).collect::<operator_core::Result<_>>()?;
        B::amplitudes(values.into())
    }
}

/// A rule without its correction, which samples something else where proposals are not symmetric.
#[derive(Clone, Debug)]
pub(crate) struct Uncorrected<R>(pub(crate) R);

impl<B: Backend, R: Rule<B>> Rule<B> for Uncorrected<R> {
    fn propose(
        &self,
        place: Place<'_, B>,
        x: &B::Configurations,
        rngs: &mut [ChainRng],
    ) -> sampler::Result<Proposal<B>> {
        let proposal = self.0.propose(place, x, rngs)?;
        Ok(Proposal { log_correction: vec![0.0; rngs.len()], ..proposal })
    }

    fn check(&self, hilbert: &HilbertSpace) -> sampler::Result<()> {
        self.0.check(hilbert)
    }
}

impl<B: Backend, R: Enumerate<B>> Enumerate<B> for Uncorrected<R> {
    fn moves(&self, place: Place<'_, B>, x: &[i8]) -> sampler::Result<Vec<Move>> {
        let moves = self.0.moves(place, x)?.into_iter();
        Ok(moves.map(|step| Move { log_correction: 0.0, ..step }).collect())
    }
}
