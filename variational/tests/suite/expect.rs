//! Expectation values against full matrices.

use crate::common::{TestResult, dense_mean, heisenberg, ising, rbm};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Qubit};
use operator_core::testing::Table;
use operator_core::{Definition, DiscreteOperator, Model, PauliStrings};
use sampler::HamiltonianSampler;
use variational::{FullSumState, MonteCarloState, Rbm, RunsVmc, Stats, VariationalState, exact};

/// Hermitian, with complex elements.
fn twisted() -> operator_core::Result<Definition> {
    let strings = ["XYIII", "IXYII", "IIZZI", "IIIXX", "YIIIZ"];
    PauliStrings::new(Qubit::new(5)?, strings, [0.3, -1.2, 0.7, 0.4, 1.1])?.definition()
}

/// Not Hermitian: real and imaginary parts of the mean are both checked.
fn damped() -> operator_core::Result<Definition> {
    let weights = [Complex64::new(0.3, 0.2), Complex64::new(-0.5, 1.0), Complex64::new(0.0, 0.7)];
    PauliStrings::new(Qubit::new(4)?, ["XYII", "IZXI", "ZIIZ"], weights)?.definition()
}

fn full_sums_are_dense_expectation_values<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    for definition in [ising(6)?, heisenberg(6)?, twisted()?, damped()?] {
        let operator = definition.lower_as::<B, Complex64>()?;
        let table = Table::<B>::random(definition.hilbert().clone(), 1)?;
        let (mean, variance) = dense_mean(&operator, &table.psi())?;
        for chunk_size in [None, Some(7)] {
            let mut state = FullSumState::<B, _>::new(table.clone())?;
            if let Some(chunk_size) = chunk_size {
                state = state.with_chunk_size(chunk_size)?;
            }
            let stats = state.expect(&operator)?;
            assert!((stats.mean - mean).norm() < 1e-10, "{stats} {mean}");
            assert!((stats.variance - variance).abs() < 1e-9 * variance.max(1.0), "{stats} {variance}");
            assert_eq!(stats.error_of_mean, 0.0);
        }
    }
    Ok(())
}

/// Five standard errors: the error itself is estimated from 16 chains, so a right program fails for fewer
/// than one seed in 10⁵.
fn sampled_means_lie_within_their_errors<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    for (definition, seed) in [(ising(6)?, 1), (heisenberg(6)?, 2), (twisted()?, 3)] {
        let operator = definition.lower_as::<B, Complex64>()?;
        let table = Table::<B>::random(definition.hilbert().clone(), 1)?;
        let (mean, variance) = dense_mean(&operator, &table.psi())?;
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(seed);
        let mut state = MonteCarloState::new(sampler, table, 4000)?;
        let stats = state.expect(&operator)?;
        assert!((stats.mean - mean).norm() < 5.0 * stats.error_of_mean, "{stats} {mean}");
        assert!(stats.error_of_mean < 0.2 && stats.r_hat < 1.1, "{stats}");
        assert!((stats.variance / variance - 1.0).abs() < 0.5, "{stats} {variance}");
    }
    Ok(())
}

fn chunks_do_not_change_results<B: RunsVmc>() -> TestResult {
    let operator = heisenberg(8)?.lower::<B>()?;
    let mut means: Vec<Stats> = Vec::new();
    for chunk_size in [None, Some(1), Some(13), Some(1 << 20)] {
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(5);
        let mut state = MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.3)?, 256)?;
        if let Some(chunk_size) = chunk_size {
            state = state.with_chunk_size(chunk_size)?;
        }
        means.push(state.expect(&operator)?);
    }
    for stats in &means {
        assert!((stats.mean - means[0].mean).norm() < 1e-12, "{stats:?}");
        assert!((stats.variance - means[0].variance).abs() < 1e-12, "{stats:?}");
    }
    Ok(())
}

/// The ground state from the full matrix gives the same local estimator everywhere.
fn eigenstates_have_no_variance<B: RunsVmc>() -> TestResult {
    for definition in [ising(6)?, heisenberg(8)?] {
        let operator = definition.lower::<B>()?;
        let (energy, psi) = exact::ground_state(&operator)?;
        let table = Table::<B>::new(definition.hilbert().clone(), psi.mapv(Complex64::ln))?;
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(4);
        let sampled = MonteCarloState::new(sampler, table.clone(), 300)?.expect(&operator)?;
        let summed = FullSumState::<B, _>::new(table)?.expect(&operator)?;
        for stats in [sampled, summed] {
            assert!((stats.mean - energy).norm() < 1e-9 && stats.variance < 1e-18, "{stats:?}");
        }
    }
    Ok(())
}

/// All parameters 0 is the uniform superposition, whose energies are known.
fn a_uniform_state_has_known_energies<B: RunsVmc>() -> TestResult {
    let uniform =
        |hilbert: &HilbertSpace| Rbm::<B>::new(hilbert.clone(), 1.0).and_then(|rbm| rbm.with_sigma(0.0));
    let ising = ising(6)?.lower::<B>()?;
    let stats = FullSumState::new(uniform(ising.hilbert())?)?.expect(&ising)?;
    assert!((stats.mean - Complex64::from(-6.0)).norm() < 1e-12, "{stats}");
    // In the sector without magnetisation <σz σz> = −1/(N−1), and each exchange, its sign turned by the
    // Marshall rule, gives −2 on an antiparallel pair: −1/5 − 2·3/5 a bond.
    let heisenberg = heisenberg(6)?.lower::<B>()?;
    let stats = FullSumState::new(uniform(heisenberg.hilbert())?)?.expect(&heisenberg)?;
    assert!((stats.mean - Complex64::from(6.0 * (-0.2 - 1.2))).norm() < 1e-12, "{stats}");
    Ok(())
}

/// Samples are kept until the wave function changes or new ones are asked for.
fn samples_stay_until_the_state_changes<B: RunsVmc>() -> TestResult {
    let operator = ising(5)?.lower::<B>()?;
    let sampler = HamiltonianSampler::new(&operator)?.with_seed(6);
    let mut state = MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.3)?, 200)?;
    assert_eq!(state.n_samples(), 208, "16 chains of 13");
    let first = B::to_host(&state.samples()?)?;
    assert_eq!(first.dim(), (208, 5));
    assert_eq!(state.expect(&operator)?, state.expect(&operator)?);
    assert_eq!(B::to_host(&state.samples()?)?, first);
    state.resample();
    let second = B::to_host(&state.samples()?)?;
    assert_ne!(second, first);
    state.wave_function_mut();
    assert_ne!(B::to_host(&state.samples()?)?, second);
    Ok(())
}

on_backends!(
    full_sums_are_dense_expectation_values,
    sampled_means_lie_within_their_errors,
    chunks_do_not_change_results,
    eigenstates_have_no_variance,
    a_uniform_state_has_known_energies,
    samples_stay_until_the_state_changes,
);
