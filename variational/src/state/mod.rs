//! Wave functions with a way of averaging over them.

mod chains;
mod full_sum;
mod monte_carlo;

pub use full_sum::FullSumState;
pub use monte_carlo::MonteCarloState;

use std::num::NonZeroUsize;
use std::sync::Arc;

use ndarray::{Array1, ArrayView2};
use num_complex::Complex64;
use operator_core::{Backend, DiscreteOperator, HilbertSpace, WaveFunction, memory};

use crate::derivatives::{LogDerivatives, Response, Trainable, expect_bytes_of_derivatives_fit};
use crate::error::{Error, Result};
use crate::estimate::LocalKernel;
use crate::estimate::{OperatorGradKernel, OperatorGradient, column_stats};
use crate::statistics::{Diagnosis, Stats};
use crate::storage::Snapshot;

/// Configurations and their weights in averages over |ψ|².
#[derive(Clone, Debug)]
pub struct Ensemble<B: Backend> {
    configurations: B::Configurations,
    weights: Array1<f64>,
    /// `None` if the average is exact.
    n_chains: Option<NonZeroUsize>,
}

impl<B: Backend> Ensemble<B> {
    /// Configurations of shape `(batch, n_sites)` with exact weights, which add up to 1, shape `(batch,)`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless each configuration has one weight.
    pub fn exact(configurations: B::Configurations, weights: Array1<f64>) -> Result<Self> {
        let (got, expected) = (vec![weights.len()], vec![B::batch_len(&configurations)]);
        if got != expected {
            return Err(Error::Shape { what: "weights of configurations", got, expected });
        }
        Ok(Ensemble { configurations, weights, n_chains: None })
    }

    /// Samples of equal weight, shape `(batch, n_sites)`: all of the first chain, then all of the second, ….
    ///
    /// # Errors
    /// [`Error::Setting`] for no chains; [`Error::Shape`] unless all chains have the same number of samples.
    pub fn of_chains(samples: B::Configurations, n_chains: usize) -> Result<Self> {
        let n_samples = B::batch_len(&samples);
        let Some(n_chains) = NonZeroUsize::new(n_chains) else {
            let (what, expected) = ("the number of chains", "it must be at least 1");
            return Err(Error::Setting { what, value: "0".into(), expected });
        };
        if !n_samples.is_multiple_of(n_chains.get()) {
            let (got, expected) = (vec![n_samples], vec![n_chains.get(), n_samples / n_chains]);
            return Err(Error::Shape { what: "chains of samples", got, expected });
        }
        let weights = Array1::from_elem(n_samples, 1.0 / n_samples as f64);
        Ok(Ensemble { configurations: samples, weights, n_chains: Some(n_chains) })
    }

    /// Shape `(batch, n_sites)`; for chains, all samples of the first, then all of the second, ….
    pub fn configurations(&self) -> &B::Configurations {
        &self.configurations
    }

    /// Weights that add up to 1, shape `(batch,)`.
    pub fn weights(&self) -> &Array1<f64> {
        &self.weights
    }

    /// Number of Markov chains, `None` if the average is exact.
    pub fn n_chains(&self) -> Option<usize> {
        self.n_chains.map(NonZeroUsize::get)
    }

    /// Mean and statistics of one value per configuration, shape `(batch,)`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one value per configuration.
    pub fn stats(&self, values: &Array1<Complex64>) -> Result<Stats> {
        if self.n_chains.is_some() {
            return Ok(Stats::of_chains(self.by_chain(values)?));
        }
        self.check_len(values)?;
        Stats::exact(values, &self.weights)
    }

    /// One value per configuration as an array `(n_chains, n_per_chain)`; an exact average is one chain.
    fn by_chain<'v>(&self, values: &'v Array1<Complex64>) -> Result<ArrayView2<'v, Complex64>> {
        self.check_len(values)?;
        let n_chains = self.n_chains.unwrap_or(NonZeroUsize::MIN);
        let by_chain = values.view().into_shape_with_order((n_chains.get(), values.len() / n_chains));
        Ok(by_chain.expect("a one-dimensional array of a multiple of n_chains values has this shape"))
    }

    fn check_len(&self, values: &Array1<Complex64>) -> Result<()> {
        let (got, expected) = (vec![values.len()], vec![self.weights.len()]);
        if got != expected {
            return Err(Error::Shape { what: "values of an average", got, expected });
        }
        Ok(())
    }
}

/// A wave function that can be averaged over, by sampling ([`MonteCarloState`]) or exactly ([`FullSumState`]).
///
/// Implement the methods without a body; expectation values and gradients follow from them.
pub trait VariationalState {
    /// Where it is evaluated.
    type Backend: Backend;

    /// Type of the wave function.
    type WaveFunction: WaveFunction<Self::Backend>;

    /// The wave function.
    fn wave_function(&self) -> &Self::WaveFunction;

    /// The wave function, for changes; the present samples and weights are dropped.
    fn wave_function_mut(&mut self) -> &mut Self::WaveFunction;

    /// Configurations to average over. They stay the same until the wave function changes.
    ///
    /// # Errors
    /// [`Error::Sampler`] if sampling fails; [`Error::Core`] if the wave function does;
    /// [`Error::ZeroWaveFunction`] in exact averages.
    fn ensemble(&mut self) -> Result<Arc<Ensemble<Self::Backend>>>;

    /// The largest number of configurations passed to the wave function at a time, `None` for no limit.
    fn chunk_size(&self) -> Option<NonZeroUsize>;

    /// Whether averages with these statistics are to be believed, and what to change if not. By default it judges by
    /// the statistics alone.
    ///
    /// # Errors
    /// [`Error::Sampler`] if the backend fails.
    fn diagnose(&self, stats: &Stats) -> Result<Diagnosis> {
        Ok(stats.check(None))
    }

    /// Forgets where chains are, for states that have some: they start again from random states.
    ///
    /// # Errors
    /// [`Error::Sampler`] if they cannot start.
    fn restart(&mut self) -> Result<()> {
        Ok(())
    }

    /// Saves what the state holds besides its parameters, for example the positions of its chains. By default it
    /// saves nothing, which suits states that follow from their parameters.
    ///
    /// # Errors
    /// [`Error::Core`] or [`Error::Sampler`] if the backend fails.
    fn save(&self, _snapshot: &mut Snapshot) -> Result<()> {
        Ok(())
    }

    /// Reads back what [`save`](Self::save) saved. Called after the parameters have been set.
    ///
    /// # Errors
    /// [`Error::Content`] if it is missing or belongs to another kind of state.
    fn restore(&mut self, _snapshot: &Snapshot) -> Result<()> {
        Ok(())
    }

    /// `<ψ|O|ψ> / <ψ|ψ>` as the mean of local estimators.
    ///
    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) and
    /// [`DeviceMismatch`](operator_core::Error::DeviceMismatch) if operator and wave function do not belong together;
    /// those of [`ensemble`](Self::ensemble) and [`LocalKernel::local_estimators`].
    fn expect<O>(&mut self, operator: &O) -> Result<Stats>
    where
        O: ?Sized,
        Self::Backend: LocalKernel<O>,
    {
        let ensemble = self.ensemble()?;
        ensemble.stats(&local_estimators(self, operator, &ensemble)?)
    }

    /// The energy and its derivatives in all parameters, `2 Re <(O_k − <O_k>)* (E_loc − <E>)>`, shape
    /// `(n_parameters,)`.
    ///
    /// # Errors
    /// As [`response`](Self::response).
    fn expect_and_grad<O>(&mut self, operator: &O) -> Result<(Stats, Array1<f64>)>
    where
        O: DiscreteOperator<Backend = Self::Backend> + ?Sized,
        Self::Backend: LocalKernel<O>,
        Self::WaveFunction: Trainable<Self::Backend>,
    {
        let response = self.response(operator)?;
        Ok((response.stats(), response.gradient()))
    }

    /// `<O>` and its derivatives in the operator's own parameters, `∂<O>/∂λ_k = <∂O/∂λ_k>`, each with its error.
    /// The wave function is held fixed; for a ground state this is the Hellmann-Feynman theorem.
    ///
    /// A parameter that is 0 has a derivative too. Memory grows with the number of samples times the number of
    /// parameters, not with the number of connected elements.
    ///
    /// ```
    /// use variational::prelude::*;
    /// use variational::{Boundary, Flat, FullSumState, Graph, Rbm, hilbert::Spin, models::Ising};
    ///
    /// let (spins, chain) = (Spin::half(4)?, Graph::chain(4, Boundary::Periodic)?);
    /// let ising = Ising::new(spins.clone(), &chain, 0.0, 1.0)?.lower::<Flat>()?; // or Padded
    /// // All parameters zero: every spin points along x.
    /// let mut state = FullSumState::new(Rbm::<Flat>::new(spins, 1.0)?.with_sigma(0.0)?)?;
    /// let (energy, gradient) = state.expect_and_operator_grad(&ising)?;
    /// assert_eq!((energy.mean.re, gradient.get("h")?[0].mean.re), (0.0, -4.0));
    /// # Ok::<(), variational::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NoDefinition`](operator_core::Error::NoDefinition) for kernels without terms; otherwise as
    /// [`expect`](Self::expect).
    fn expect_and_operator_grad<O>(&mut self, operator: &O) -> Result<(Stats, OperatorGradient)>
    where
        O: DiscreteOperator<Backend = Self::Backend> + ?Sized,
        Self::Backend: OperatorGradKernel<O>,
    {
        let ensemble = self.ensemble()?;
        let (wave_function, chunk_size) = (self.wave_function(), self.chunk_size());
        let x = ensemble.configurations();
        let (local, derivatives) =
            Self::Backend::local_estimators_and_operator_grad(operator, wave_function, x, chunk_size)?;
        let (parameters, _) = operator.unpack()?;
        let (got, expected) = (derivatives.dim(), (local.len(), parameters.n_values()));
        if got != expected {
            let (got, expected) = (vec![got.0, got.1], vec![expected.0, expected.1]);
            return Err(Error::Shape { what: "derivatives of local estimators", got, expected });
        }
        let stats = column_stats(&derivatives, |column| ensemble.stats(column))?;
        Ok((ensemble.stats(&local)?, OperatorGradient::new(parameters, stats)))
    }

    /// The mean of an operator, Hermitian or not, and the forces `F_k = <(O_k − <O_k>)* (A_loc − <A>)>`, shape
    /// `(n_parameters,)`. For a Hermitian operator `2 Re F` is the [gradient](Self::expect_and_grad); `F` drives
    /// the evolution of the parameters in imaginary and real time.
    ///
    /// # Errors
    /// As [`expect`](Self::expect), and those of [`Trainable::log_derivatives`].
    fn expect_and_forces<O>(&mut self, operator: &O) -> Result<(Stats, Array1<Complex64>)>
    where
        O: ?Sized,
        Self::Backend: LocalKernel<O>,
        Self::WaveFunction: Trainable<Self::Backend>,
    {
        let ensemble = self.ensemble()?;
        let mut deviations = local_estimators(self, operator, &ensemble)?;
        let stats = ensemble.stats(&deviations)?;
        // The weighted deviations add up to 0, so the derivatives need no centring.
        deviations.zip_mut_with(ensemble.weights(), |a, weight| *a = (*a - stats.mean) * *weight);
        let forces = log_derivatives(self, &ensemble)?.adjoint_times(&deviations);
        Ok((stats, forces))
    }

    /// Energy, its gradient and the metric of the parameters, for optimisers.
    ///
    /// # Errors
    /// [`NotHermitian`](operator_core::Error::NotHermitian); [`Error::NotFinite`] if a derivative is NaN or
    /// infinite; otherwise as [`expect`](Self::expect).
    fn response<O>(&mut self, operator: &O) -> Result<Response>
    where
        O: DiscreteOperator<Backend = Self::Backend> + ?Sized,
        Self::Backend: LocalKernel<O>,
        Self::WaveFunction: Trainable<Self::Backend>,
    {
        if !operator.is_hermitian() {
            let operator = operator.describe();
            let needed_by = "the gradient of an energy";
            return Err(operator_core::Error::NotHermitian { operator, needed_by }.into());
        }
        let ensemble = self.ensemble()?;
        let energies = local_estimators(self, operator, &ensemble)?;
        let stats = ensemble.stats(&energies)?;
        let derivatives = log_derivatives(self, &ensemble)?;
        Response::new(stats, &energies, ensemble.weights(), derivatives)
    }
}

fn local_estimators<S, O>(
    state: &S,
    operator: &O,
    ensemble: &Ensemble<S::Backend>,
) -> Result<Array1<Complex64>>
where
    S: VariationalState + ?Sized,
    O: ?Sized,
    S::Backend: LocalKernel<O>,
{
    let (wave_function, x) = (state.wave_function(), &ensemble.configurations);
    Ok(S::Backend::local_estimators(operator, wave_function, x, state.chunk_size())?)
}

/// The derivatives at all configurations, evaluated in chunks.
fn log_derivatives<S>(state: &S, ensemble: &Ensemble<S::Backend>) -> Result<LogDerivatives>
where
    S: VariationalState + ?Sized,
    S::WaveFunction: Trainable<S::Backend>,
{
    let (wave_function, x) = (state.wave_function(), &ensemble.configurations);
    let batch = ensemble.weights().len();
    let chunk_size = match state.chunk_size() {
        Some(chunk_size) if chunk_size.get() < batch => chunk_size.get(),
        _ => return checked(wave_function.log_derivatives(x)?, batch, wave_function.n_parameters()),
    };
    let mut chunks = Vec::new();
    for start in (0..batch).step_by(chunk_size) {
        let chunk = start..batch.min(start.saturating_add(chunk_size));
        let derivatives = wave_function.log_derivatives(&S::Backend::rows(x, chunk.clone())?)?;
        if chunks.is_empty() {
            // Those of all chunks, as parts and joined.
            let n_chunks = batch.div_ceil(chunk_size) as f64;
            expect_bytes_of_derivatives_fit(batch, 2.0 * n_chunks * derivatives.bytes())?;
        }
        chunks.push(checked(derivatives, chunk.len(), wave_function.n_parameters())?);
    }
    let joined = LogDerivatives::join(&chunks);
    joined.map_err(|source| operator_core::Error::backend(S::Backend::NAME, source).into())
}

fn checked(derivatives: LogDerivatives, batch: usize, n_parameters: usize) -> Result<LogDerivatives> {
    let (rows, columns) = derivatives.dim();
    if (rows, columns) != (batch, n_parameters) {
        let (got, expected) = (vec![rows, columns], vec![batch, n_parameters]);
        return Err(Error::Shape { what: "log derivatives", got, expected });
    }
    derivatives.expect_rows(batch)?;
    Ok(derivatives)
}

/// Checks the memory that samples take, before they are drawn. Sizes are in floating point, whose products do not
/// overflow.
fn check_samples(hilbert: &HilbertSpace, n_samples: f64) -> Result<()> {
    let bytes = n_samples * (hilbert.n_sites() + size_of::<f64>()) as f64;
    let remedy = "take fewer at a time; expect_to_precision adds up batches";
    Ok(memory::expect_fits(|| format!("{n_samples:.0} samples on {hilbert}"), bytes, remedy)?)
}

fn positive_chunk_size(chunk_size: usize) -> Result<NonZeroUsize> {
    NonZeroUsize::new(chunk_size).ok_or_else(|| {
        let (what, expected) = ("chunk_size", "it must be at least 1");
        Error::Setting { what, value: "0".into(), expected }
    })
}
