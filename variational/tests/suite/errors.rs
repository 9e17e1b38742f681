//! What is said of operators, settings and wave functions that do not fit.

use crate::common::{TestResult, heisenberg, ising, rbm};
use num_complex::Complex64;
use operator_core::hilbert::Spin;
use operator_core::testing::Table;
use operator_core::{DiscreteOperator, Model, PauliStrings};
use sampler::HamiltonianSampler;
use variational::{
    Ensemble, Error, FullSumState, MonteCarloState, Rbm, RunsVmc, Sr, VariationalState, Vmc, exact,
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

on_backends!(
    operators_that_are_not_hermitian_have_no_energy,
    settings_out_of_range_are_refused,
    ensembles_that_do_not_add_up_are_refused,
    operators_on_another_space_are_refused,
    wave_functions_that_are_no_numbers_are_named,
    steps_to_nowhere_leave_the_parameters_as_they_were,
);
