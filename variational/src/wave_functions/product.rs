//! Products of wave functions.

use ndarray::{Array1, s};
use num_complex::Complex64;
use operator_core::{Backend, ChangeSets, Error, HilbertSpace, Result, Walker, WaveFunction};

use crate::derivatives::{LogDerivatives, ParameterArray, Trainable};

/// The product of two wave functions, `ψ(x) = ψ_A(x) ψ_C(x)`, such as a Slater determinant times a Jastrow
/// factor.
///
/// The parameters of the first factor, `first.…`, come before those of the second, `second.…`. Each factor
/// keeps its own order of real and imaginary parts. The product has a [`Walker`] if both factors have one.
///
/// ```
/// use operator_core::{WaveFunction, hilbert::SpinOrbitalFermions};
/// use variational::{Flat, Rbm, Slater, Times, Trainable};
///
/// let space = SpinOrbitalFermions::new(4)?.with_n_fermions(2)?;
/// let psi = Times::new(Slater::<Flat>::new(space.clone())?, Rbm::<Flat>::new(space, 1.0)?)?;
/// assert_eq!(psi.n_parameters(), 4 * 2 + 4 + 4 + 4 * 4);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Times<A, C> {
    first: A,
    second: C,
}

impl<A, C> Times<A, C> {
    /// The product of two wave functions on one space and one device. The backend is inferred, unless a
    /// factor works on several backends.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] for different spaces; [`Error::DeviceMismatch`] for different devices.
    pub fn new<B: Backend>(first: A, second: C) -> Result<Self>
    where
        A: WaveFunction<B>,
        C: WaveFunction<B>,
    {
        first.hilbert().expect_same(second.hilbert())?;
        B::expect_same_device(["first factor", "second factor"], &first.device(), &second.device())?;
        Ok(Times { first, second })
    }

    /// The first factor.
    pub fn first(&self) -> &A {
        &self.first
    }

    /// The second factor.
    pub fn second(&self) -> &C {
        &self.second
    }
}

impl<B: Backend, A: WaveFunction<B>, C: WaveFunction<B>> WaveFunction<B> for Times<A, C> {
    fn hilbert(&self) -> &HilbertSpace {
        self.first.hilbert()
    }

    fn device(&self) -> B::Device {
        self.first.device()
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        B::add_amplitudes(&self.first.log_psi(x)?, &self.second.log_psi(x)?)
    }

    fn log_psi_connected(
        &self,
        x: &B::Configurations,
        connected: &B::Configurations,
        origins: &[usize],
    ) -> Result<B::Amplitudes> {
        let first = self.first.log_psi_connected(x, connected, origins)?;
        B::add_amplitudes(&first, &self.second.log_psi_connected(x, connected, origins)?)
    }

    fn log_psi_conn(&self, x: &B::Configurations, states: &B::ConnStates) -> Result<B::Amplitudes> {
        B::add_amplitudes(&self.first.log_psi_conn(x, states)?, &self.second.log_psi_conn(x, states)?)
    }

    fn has_walker(&self) -> bool {
        self.first.has_walker() && self.second.has_walker()
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        let (first, second) = (self.first.walker()?, self.second.walker()?);
        Some(Box::new(TimesWalker { first, second, ratios: Vec::new() }))
    }
}

struct TimesWalker<'a> {
    first: Box<dyn Walker + 'a>,
    second: Box<dyn Walker + 'a>,
    /// Working memory for the ratios of the second factor.
    ratios: Vec<Complex64>,
}

impl Walker for TimesWalker<'_> {
    fn start(&mut self, x: &[i8]) -> Complex64 {
        self.first.start(x) + self.second.start(x)
    }

    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64 {
        self.first.ratio(changes) * self.second.ratio(changes)
    }

    fn ratios(&mut self, changes: &ChangeSets, out: &mut [Complex64]) {
        let TimesWalker { first, second, ratios } = self;
        ratios.clear();
        ratios.resize(out.len(), Complex64::ONE);
        first.ratios(changes, out);
        second.ratios(changes, ratios);
        out.iter_mut().zip(ratios).for_each(|(out, ratio)| *out *= *ratio);
    }

    fn accept(&mut self) {
        self.first.accept();
        self.second.accept();
    }
}

impl<B: Backend, A: Trainable<B>, C: Trainable<B>> Trainable<B> for Times<A, C> {
    fn n_parameters(&self) -> usize {
        self.first.n_parameters() + self.second.n_parameters()
    }

    fn parameters(&self) -> Array1<f64> {
        self.first.parameters().into_iter().chain(self.second.parameters()).collect()
    }

    fn layout(&self) -> Vec<ParameterArray> {
        let under = |factor: &'static str, arrays: Vec<ParameterArray>| {
            let prefixed = move |array: ParameterArray| {
                ParameterArray::new(format!("{factor}.{}", array.name()), array.shape())
            };
            arrays.into_iter().map(prefixed)
        };
        under("first", self.first.layout()).chain(under("second", self.second.layout())).collect()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()> {
        let (got, expected, n_first) = (parameters.len(), self.n_parameters(), self.first.n_parameters());
        if got != expected {
            let what = "parameters of a product".into();
            return Err(Error::Count { what, got, expected: expected.to_string() });
        }
        let before = self.first.parameters();
        self.first.set_parameters(&parameters.slice(s![..n_first]).to_owned())?;
        let second = self.second.set_parameters(&parameters.slice(s![n_first..]).to_owned());
        if second.is_err() {
            self.first.set_parameters(&before)?;
        }
        second
    }

    fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives> {
        let (first, second) = (self.first.log_derivatives(x)?, self.second.log_derivatives(x)?);
        for factor in [&first, &second] {
            factor.expect_rows(B::batch_len(x)).map_err(|error| Error::backend(B::NAME, error))?;
        }
        LogDerivatives::join_columns(first, second).map_err(|error| Error::backend(B::NAME, error))
    }
}
