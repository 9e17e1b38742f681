//! States take any sampler, and wave functions are followed by their walkers.

use crate::common::{TestResult, heisenberg, ising};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::testing::Table;
use operator_core::{Backend, HilbertSpace, Result, WaveFunction};
use sampler::{Autoregressive, DirectSampler, HamiltonianSampler};
use variational::{FullSumState, MonteCarloState, RunsVmc, VariationalState};

/// Spins that are up with a probability of their own, independently, with signs in between.
#[derive(Clone, Debug)]
struct Tilted(HilbertSpace);

impl Tilted {
    fn probabilities(&self, site: usize) -> [f64; 2] {
        let up = 0.3 + 0.1 * site as f64;
        [up, 1.0 - up]
    }
}

impl<B: Backend> WaveFunction<B> for Tilted {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let log_psi = |(site, &q): (usize, &i8)| {
            let index = usize::from(q < 0);
            Complex64::new(0.5 * self.probabilities(site)[index].ln(), 0.4 * (site * index) as f64)
        };
        let x = B::to_host(x)?;
        let values: Array1<Complex64> =
            x.rows().into_iter().map(|x| x.iter().enumerate().map(log_psi).sum()).collect();
        B::amplitudes_from_host(values, &B::default_device())
    }
}

impl<B: Backend> Autoregressive<B> for Tilted {
    fn conditionals(&self, x: &B::Configurations, site: usize) -> Result<Array2<f64>> {
        let p = self.probabilities(site);
        Ok(Array2::from_shape_fn((B::batch_len(x), 2), |(_, k)| p[k]))
    }
}

/// A right program is beyond five errors for one of 10⁶ seeds. Of 16 independent chains of 250 samples, R̂ has a
/// standard deviation of 0.001 and τ one of 0.03, so their bounds are ten and more of them away.
fn direct_samples_give_the_exact_mean_within_errors<B: RunsVmc>() -> TestResult {
    let operator = ising(5)?.lower::<B>()?;
    let psi = Tilted(ising(5)?.hilbert().clone());
    let exact = FullSumState::<B, _>::new(psi.clone())?.expect(&operator)?.mean;
    let sampler = DirectSampler::<B>::new(psi.0.clone()).with_seed(3);
    let mut state = MonteCarloState::new(sampler, psi, 4000)?;
    let stats = state.expect(&operator)?;
    assert!((stats.mean - exact).norm() < 5.0 * stats.error_of_mean, "{stats} {exact}");
    assert!(stats.error_of_mean < 0.1 && stats.tau_corr.abs() < 0.3, "{stats}");
    assert!((stats.r_hat - 1.0).abs() < 0.02, "{stats}");
    let before = B::to_host(&state.samples()?)?;
    state.resample();
    assert_ne!(before, B::to_host(&state.samples()?)?, "the random numbers go on");
    Ok(())
}

fn walkers_give_the_same_state<B: RunsVmc>() -> TestResult {
    let operator = heisenberg(6)?.lower::<B>()?;
    let psi = Table::<B>::random(heisenberg(6)?.hilbert().clone(), 2)?;
    let mean = |psi: Table<B>| -> variational::Result<Complex64> {
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(9);
        Ok(MonteCarloState::new(sampler, psi, 320)?.expect(&operator)?.mean)
    };
    let (in_batches, walked) = (mean(psi.clone())?, mean(psi.with_walker())?);
    assert!((in_batches - walked).norm() < 1e-12, "{in_batches} {walked}");
    Ok(())
}

on_backends!(direct_samples_give_the_exact_mean_within_errors, walkers_give_the_same_state);

/// A wave function that counts the walkers made for it.
#[cfg(all(feature = "flat", feature = "padded"))]
struct Counted {
    psi: Table<variational::Flat>,
    n_walkers: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

#[cfg(all(feature = "flat", feature = "padded"))]
impl WaveFunction<variational::Flat> for Counted {
    fn hilbert(&self) -> &HilbertSpace {
        self.psi.hilbert()
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        self.psi.log_psi(x)
    }

    fn has_walker(&self) -> bool {
        self.psi.has_walker()
    }

    fn walker(&self) -> Option<Box<dyn operator_core::Walker + '_>> {
        let walker = self.psi.walker()?;
        self.n_walkers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(walker)
    }
}

/// Sampling and local estimators on the CPU follow the walker if there is one.
#[cfg(all(feature = "flat", feature = "padded"))]
#[test]
fn walkers_are_followed_where_the_backend_is_chosen_at_run_time() -> TestResult {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use sum_operator::{Any, AnyOperator, AnyWaveFunction, BackendKind};
    use variational::LocalKernel;

    let definition = heisenberg(6)?;
    let psi = Table::<variational::Flat>::random(definition.hilbert().clone(), 2)?;
    let x = definition.hilbert().all_states()?;
    let mut means = Vec::new();
    for kind in [BackendKind::Flat, BackendKind::Padded] {
        let operator = AnyOperator::new(&definition, kind)?;
        for (psi, has_walker) in [(psi.clone(), false), (psi.clone().with_walker(), true)] {
            let n_walkers = std::sync::Arc::new(AtomicUsize::new(0));
            let counted = AnyWaveFunction::new(Counted { psi, n_walkers: n_walkers.clone() });
            Any::local_estimators(&operator, &counted, &x, None)?;
            let n_estimating = n_walkers.swap(0, Relaxed);
            let sampler = HamiltonianSampler::new(&operator)?.with_seed(9);
            let mut state = MonteCarloState::new(sampler, counted, 320)?;
            state.samples()?;
            let n_sampling = n_walkers.load(Relaxed);
            means.push(state.expect(&operator)?.mean);
            assert_eq!(n_estimating > 0, has_walker, "{kind:?}");
            assert_eq!(n_sampling > 0, has_walker, "{kind:?}");
        }
    }
    assert!(means.iter().all(|mean| (mean - means[0]).norm() < 1e-12), "{means:?}");
    Ok(())
}
