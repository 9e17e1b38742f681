//! What is said of operators, settings and wave functions that do not fit.

use crate::common::{TestResult, heisenberg, ising, rbm};
use num_complex::Complex64;
use operator_core::hilbert::Spin;
use operator_core::testing::Table;
use operator_core::{Backend, DiscreteOperator, HilbertSpace, Model, PauliStrings, WaveFunction};
use sampler::HamiltonianSampler;
use variational::{
    Ensemble, Error, FullSumState, MonteCarloState, Rbm, RunsVmc, Sr, Trainable, VariationalState, Vmc, exact,
};

fn message<T>(result: Result<T, impl Into<Error>>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => error.into().to_string(),
    }
}

fn operators_that_are_not_hermitian_have_no_energy<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    let raise = PauliStrings::new(Spin::half(2)?, ["XI"], [Complex64::new(1.0, 0.5)])?.definition()?;
    let operator = raise.lower_as::<B, Complex64>()?;
    let mut state = FullSumState::new(rbm::<B>(operator.hilbert(), 0.1)?)?;
    let name = "PauliStrings(weights = [1.0], weights_im = [0.5]) on Spin(1/2, 2 sites)";
    let expected = format!("{name} is not Hermitian, which the gradient of an energy needs");
    assert_eq!(message(state.expect_and_grad(&operator)), expected);
    let expected = format!("{name} is not Hermitian, which its ground state needs");
    assert_eq!(message(exact::ground_state_energy(&operator)), expected);
    Ok(())
}

fn settings_out_of_range_are_refused<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let psi = || rbm::<B>(operator.hilbert(), 0.1);
    let sampler = || HamiltonianSampler::new(&operator);
    let expected = "chunk_size is 0; it must be at least 1";
    assert_eq!(message(MonteCarloState::new(sampler()?, psi()?, 100)?.with_chunk_size(0)), expected);
    assert_eq!(message(FullSumState::new(psi()?)?.with_chunk_size(0)), expected);
    let none = message(MonteCarloState::new(sampler()?, psi()?, 0));
    assert_eq!(none, "n_samples is 0; it must be at least 1");
    assert_eq!(message(Sr::new(-0.1, 0.01)), "the learning rate is -0.1; it must be a positive number");
    let tiny = message(Rbm::<B>::new(Spin::half(3)?, 0.1));
    assert!(tiny.starts_with("0 hidden units; expected at least 1; alpha = 0.1 is too small"), "{tiny}");
    Ok(())
}

fn ensembles_that_do_not_add_up_are_refused<B: RunsVmc>() -> TestResult {
    let x = |n: usize| B::from_host(ndarray::Array2::from_elem((n, 2), 1).view(), &B::default_device());
    let one_weight = message(Ensemble::<B>::exact(x(2)?, ndarray::array![1.0]));
    assert_eq!(one_weight, "weights of configurations have shape [1]; expected [2]");
    let uneven = message(Ensemble::<B>::of_chains(x(5)?, 2));
    assert_eq!(uneven, "chains of samples have shape [5]; expected [2, 2]");
    assert_eq!(
        message(Ensemble::<B>::of_chains(x(4)?, 0)),
        "the number of chains is 0; it must be at least 1"
    );
    let ensemble = Ensemble::<B>::of_chains(x(4)?, 2)?;
    let values = ndarray::array![1.0, 1.0, 3.0, 3.0].mapv(Complex64::from);
    assert_eq!((ensemble.n_chains(), ensemble.stats(&values)?.mean.re), (Some(2), 2.0));
    Ok(())
}

fn operators_on_another_space_are_refused<B: RunsVmc>() -> TestResult {
    let other = heisenberg(4)?.lower::<B>()?;
    let mut state = FullSumState::new(rbm::<B>(&Spin::half(4)?.into(), 0.1)?)?;
    assert_eq!(
        message(state.expect(&other)),
        "operands live on different Hilbert spaces: Spin(1/2, 4 sites, total_sz = 0) and Spin(1/2, 4 sites)"
    );
    Ok(())
}

fn wave_functions_that_are_no_numbers_are_named<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let mut psi = Table::<B>::random(operator.hilbert().clone(), 1)?;
    psi.log_psi[5] = Complex64::new(f64::NAN, 0.0);
    let refused = message(FullSumState::<B, _>::new(psi.clone())?.expect(&operator));
    assert_eq!(refused, "log psi of sample 5 is NaN+0i; check the wave function's parameters");
    psi.log_psi.fill(Complex64::from(f64::NEG_INFINITY));
    let refused = message(FullSumState::<B, _>::new(psi)?.expect(&operator));
    assert_eq!(refused, "the wave function is zero on all 8 states of Spin(1/2, 3 sites)");
    let large = Rbm::<B>::new(Spin::half(50)?, 1.0)?.with_sigma(0.1)?;
    let refused = message(FullSumState::new(large));
    assert!(refused.starts_with("1125899906842624 states of Spin(1/2, 50 sites) would take"), "{refused}");
    Ok(())
}

fn steps_to_nowhere_leave_the_parameters_as_they_were<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let state = FullSumState::new(rbm::<B>(operator.hilbert(), 0.1)?)?;
    let before = variational::Trainable::parameters(state.wave_function());
    let mut vmc = Vmc::new(state, &operator, Sr::new(f64::MAX, 1e-300)?);
    let refused = message(vmc.step());
    assert!(refused.contains("not finite") || refused.contains("not positive definite"), "{refused}");
    assert_eq!(variational::Trainable::parameters(vmc.state().wave_function()), before);
    Ok(())
}

/// A wave function that says it is on one space and computes on another, or gives values for other rows.
struct Liar<B: Backend> {
    says: HilbertSpace,
    n_values: usize,
    backend: std::marker::PhantomData<B>,
}

impl<B: Backend> WaveFunction<B> for Liar<B> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.says
    }

    fn log_psi(&self, _: &B::Configurations) -> operator_core::Result<B::Amplitudes> {
        B::amplitudes_from_host(ndarray::Array1::zeros(self.n_values), &B::default_device())
    }
}

fn wave_functions_of_another_space_or_length_are_refused<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let x = B::from_host(operator.hilbert().all_states()?.view(), &B::default_device())?;
    let liar = |n_sites, n_values| -> operator_core::Result<Liar<B>> {
        Ok(Liar { says: Spin::half(n_sites)?.into(), n_values, backend: std::marker::PhantomData })
    };
    for chunk_size in [None, std::num::NonZeroUsize::new(3)] {
        let elsewhere = liar(4, 8)?;
        let refused = message(B::local_estimators(&operator, &elsewhere, &x, chunk_size));
        let expected = "operands live on different Hilbert spaces: Spin(1/2, 3 sites) and Spin(1/2, 4 sites)";
        assert_eq!(refused, expected);
        let refused = message(B::local_estimators_and_operator_grad(&operator, &elsewhere, &x, chunk_size));
        assert_eq!(refused, expected);
        for n_values in [0, 1, 7, 9] {
            let short = liar(3, n_values)?;
            let refused = message(B::local_estimators(&operator, &short, &x, chunk_size));
            assert!(refused.starts_with(&format!("{n_values} log psi values; expected ")), "{refused}");
            let refused = message(B::local_estimators_and_operator_grad(&operator, &short, &x, chunk_size));
            assert!(refused.starts_with(&format!("{n_values} log psi values; expected ")), "{refused}");
        }
    }
    let refused = message(FullSumState::<B, _>::new(liar(3, 7)?)?.expect(&operator));
    assert_eq!(refused, "7 log psi values; expected 8");
    let refused = message(MonteCarloState::new(HamiltonianSampler::new(&operator)?, liar(4, 16)?, 100));
    assert!(refused.starts_with("operands live on different Hilbert spaces"), "{refused}");
    let refused = message(MonteCarloState::new(HamiltonianSampler::new(&operator)?, liar(3, 15)?, 100));
    assert_eq!(refused, "15 values of log psi; expected 16, one a chain");
    Ok(())
}

/// A sampler whose numbers are not those it promised.
struct Promises {
    hilbert: HilbertSpace,
    n_chains: usize,
    /// Chains and samples of each that it gives.
    gives: (usize, usize),
}

impl<B: Backend, W: WaveFunction<B>> sampler::Sampler<B, W> for Promises {
    type Chains = ();

    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }
    fn n_chains(&self) -> usize {
        self.n_chains
    }
    fn start(&self, _: &W) -> sampler::Result<()> {
        Ok(())
    }
    fn sample(&self, _: &W, (): &mut (), _: usize, _: usize) -> sampler::Result<sampler::Samples<B>> {
        let (n_chains, n_per_chain) = self.gives;
        let rows = ndarray::Array2::ones((n_chains * n_per_chain, self.hilbert.n_sites()));
        sampler::Samples::new(B::from_host(rows.view(), &B::default_device())?, n_chains, n_per_chain)
    }
    fn snapshot(&self, (): &()) -> sampler::Result<sampler::ChainsSnapshot> {
        Ok(sampler::ChainsSnapshot::new(ndarray::Array2::zeros((0, 0)), vec![], vec![]))
    }
    fn restore(&self, (): &mut (), _: &sampler::ChainsSnapshot) -> sampler::Result<()> {
        Ok(())
    }
}

fn samplers_that_break_their_promises_are_refused<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let new = |n_chains, gives, n_samples| -> variational::Result<_> {
        let psi = rbm::<B>(operator.hilbert(), 0.1)?;
        MonteCarloState::new(
            Promises { hilbert: operator.hilbert().clone(), n_chains, gives },
            psi,
            n_samples,
        )
    };
    let none = message(new(0, (0, 0), 10));
    assert_eq!(none, "the sampler's number of chains is 0; it must be at least 1");
    for gives in [(0, 0), (0, 5), (4, 0), (4, 4), (2, 10), (5, 5)] {
        let refused = message(new(4, gives, 20)?.expect(&operator));
        assert_eq!(
            refused,
            format!("samples by chain have shape [{}, {}]; expected [4, 5]", gives.0, gives.1)
        );
    }
    for n_samples in [usize::MAX, usize::MAX - 14, 1 << 40] {
        for n_chains in [1, 16, usize::MAX] {
            let refused = message(new(n_chains, (1, 1), n_samples));
            assert!(refused.contains("samples on Spin(1/2, 3 sites) would take"), "{refused}");
            assert!(refused.contains("take fewer at a time"), "{refused}");
        }
    }
    Ok(())
}

/// A panic of a callback, or of an optimiser, leaves the run where it was: it goes on, and so does its file.
fn a_panic_in_a_users_code_leaves_runs_usable<B: RunsVmc>() -> TestResult {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, Ordering};

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let operator = ising(4)?.lower::<B>()?;
    let new = || -> variational::Result<_> {
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(1);
        let state = MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.1)?, 64)?;
        Vmc::new(state, &operator, Sr::new(0.05, 0.01)?).with_checkpoint(&path, 1)
    };
    let panics = std::sync::Arc::new(AtomicBool::new(false));
    let switch = panics.clone();
    let mut vmc = new()?.on_step(move |_| {
        assert!(!switch.load(Ordering::Relaxed), "a callback of a user");
        variational::Control::Continue
    });
    vmc.run(2)?;
    let file = std::fs::read(&path)?;
    panics.store(true, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| vmc.run(3).is_ok())).is_err());
    assert_eq!(vmc.n_steps(), 3, "the step had been taken");
    assert_eq!(std::fs::read(&path)?, file, "the last file that was written");
    panics.store(false, Ordering::Relaxed);
    vmc.run(2)?;
    let mut whole = new()?;
    whole.run(5)?;
    assert_eq!(vmc.state().wave_function().parameters(), whole.state().wave_function().parameters());
    let mut resumed = new()?;
    assert!(resumed.resume()?);
    assert_eq!(resumed.n_steps(), 5);
    Ok(())
}

on_backends!(
    wave_functions_of_another_space_or_length_are_refused,
    samplers_that_break_their_promises_are_refused,
    a_panic_in_a_users_code_leaves_runs_usable,
    operators_that_are_not_hermitian_have_no_energy,
    settings_out_of_range_are_refused,
    ensembles_that_do_not_add_up_are_refused,
    operators_on_another_space_are_refused,
    wave_functions_that_are_no_numbers_are_named,
    steps_to_nowhere_leave_the_parameters_as_they_were,
);
