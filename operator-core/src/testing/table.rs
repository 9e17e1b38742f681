//! A wave function given by a list of values.

use std::marker::PhantomData;

use ndarray::{Array1, Axis};
use num_complex::Complex64;

use super::SplitMix;
use crate::backend::Backend;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::wave_function::{Walker, WaveFunction};

/// A wave function given by ln ψ of each state of a small space, on any backend.
#[derive(Clone, Debug)]
pub struct Table<B> {
    hilbert: HilbertSpace,
    /// In the order of [`HilbertSpace::all_states`], shape `(n_states,)`.
    pub log_psi: Array1<Complex64>,
    walks: bool,
    backend: PhantomData<B>,
}

impl<B: Backend> Table<B> {
    /// The wave function with these values.
    ///
    /// # Errors
    /// [`NotIndexable`](crate::Error::NotIndexable) for spaces that are too large;
    /// [`VectorLength`](crate::Error::VectorLength) unless there is one value for each state.
    pub fn new(hilbert: impl Into<HilbertSpace>, log_psi: Array1<Complex64>) -> Result<Self> {
        let hilbert = hilbert.into();
        let (got, expected) = (log_psi.len(), hilbert.n_states()?);
        if got != expected {
            return Err(crate::Error::VectorLength { got, expected, hilbert: hilbert.to_string() });
        }
        Ok(Table { hilbert, log_psi, walks: false, backend: PhantomData })
    }

    /// Random amplitudes between 1/e and e, with any phase.
    ///
    /// # Errors
    /// [`NotIndexable`](crate::Error::NotIndexable) for spaces that are too large.
    pub fn random(hilbert: impl Into<HilbertSpace>, seed: u64) -> Result<Self> {
        let (hilbert, mut random) = (hilbert.into(), SplitMix::new(seed));
        let mut value = |_| Complex64::new(random.number(), 3.0 * random.number());
        let log_psi = (0..hilbert.n_states()?).map(&mut value).collect();
        Self::new(hilbert, log_psi)
    }

    /// The same with a [`Walker`], which answers NaN to questions that break its contract.
    #[must_use]
    pub fn with_walker(mut self) -> Self {
        self.walks = true;
        self
    }

    /// ψ itself, shape `(n_states,)`.
    pub fn psi(&self) -> Array1<Complex64> {
        self.log_psi.mapv(Complex64::exp)
    }

    /// The normalised |ψ|², shape `(n_states,)`.
    pub fn probabilities(&self) -> Array1<f64> {
        let weights = self.log_psi.mapv(|value| (2.0 * value.re).exp());
        let norm = weights.sum();
        weights / norm
    }

    /// The numbers of the states in a batch.
    ///
    /// # Errors
    /// As for [`HilbertSpace::index_of`], and the errors of the device.
    pub fn indices(&self, x: &B::Configurations) -> Result<Vec<usize>> {
        B::to_host(x)?.rows().into_iter().map(|x| self.hilbert.index_of(&x.to_vec())).collect()
    }
}

impl<B: Backend> WaveFunction<B> for Table<B> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let values = self.log_psi.select(Axis(0), &self.indices(x)?);
        B::amplitudes_from_host(values, &B::default_device())
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        let (hilbert, log_psi) = (&self.hilbert, &self.log_psi);
        let at = TableWalker { hilbert, log_psi, present: Vec::new(), next: None, value: NAN };
        self.walks.then(|| Box::new(at) as Box<dyn Walker>)
    }
}

const NAN: Complex64 = Complex64::new(f64::NAN, f64::NAN);

/// Looks up every x'. It answers NaN if a caller breaks the contract of [`Walker`].
struct TableWalker<'a> {
    hilbert: &'a HilbertSpace,
    log_psi: &'a Array1<Complex64>,
    present: Vec<i8>,
    /// The x' of the last ratio, and ln ψ there.
    next: Option<(Vec<i8>, Complex64)>,
    /// ln ψ of the present configuration.
    value: Complex64,
}

impl TableWalker<'_> {
    fn look_up(&self, x: &[i8]) -> Option<Complex64> {
        self.hilbert.index_of(x).ok().and_then(|index| self.log_psi.get(index).copied())
    }

    /// x' if the changes are real changes of distinct sites.
    fn changed(&self, changes: &[(usize, i8)]) -> Option<Vec<i8>> {
        let mut x = self.present.clone();
        for &(site, value) in changes {
            *x.get_mut(site)? = value;
        }
        let differ = x.iter().zip(&self.present).filter(|(new, old)| new != old).count();
        (differ == changes.len()).then_some(x)
    }
}

impl Walker for TableWalker<'_> {
    fn start(&mut self, x: &[i8]) -> Complex64 {
        self.present = x.to_vec();
        self.next = None;
        self.value = self.look_up(x).unwrap_or(NAN);
        self.value
    }

    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64 {
        let found = self.changed(changes).and_then(|x| self.look_up(&x).map(|value| (x, value)));
        self.next = found;
        match &self.next {
            Some((_, value)) if value.re == f64::NEG_INFINITY && self.value.re.is_finite() => Complex64::ZERO,
            Some((_, value)) if self.value.re.is_finite() => (value - self.value).exp(),
            _ => NAN,
        }
    }

    fn accept(&mut self) {
        let next = self.next.take();
        (self.present, self.value) = next.unwrap_or((Vec::new(), NAN));
    }
}
