//! Gradients of energies by the wave function's parameters against finite differences.

use crate::common::{Table, TestResult, heisenberg, ising, networks, rbm};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::hilbert::Qubit;
use operator_core::{DiscreteOperator, Model, PauliStrings};
use sampler::HamiltonianSampler;
use variational::{FullSumState, LocalKernel, MonteCarloState, RunsVmc, Trainable, VariationalState};

/// Compares with differences of fourth order, whose error for step 10⁻⁴ is rounding, about 10⁻¹¹.
fn check<B, O, W>(operator: &O, wave_function: W) -> TestResult
where
    B: RunsVmc + LocalKernel<O>,
    O: DiscreteOperator<Backend = B>,
    W: Trainable<B>,
{
    let parameters = wave_function.parameters();
    let mut state = FullSumState::<B, _>::new(wave_function)?;
    let (stats, gradient) = state.expect_and_grad(operator)?;
    assert_eq!(gradient.len(), parameters.len());
    let (_, forces) = state.expect_and_forces(operator)?;
    assert!(gradient.iter().zip(&forces).all(|(g, force)| (g - 2.0 * force.re).abs() < 1e-10));
    assert!(gradient.iter().any(|g| g.abs() > 0.01), "a gradient that is not 0");
    for k in 0..parameters.len() {
        let mut energy = |step: f64| -> variational::Result<f64> {
            let mut moved = parameters.clone();
            moved[k] += step;
            state.wave_function_mut().set_parameters(&moved)?;
            Ok(state.expect(operator)?.mean.re)
        };
        let (above, below) = (energy(1e-4)?, energy(-1e-4)?);
        let difference = (8.0 * (above - below) - (energy(2e-4)? - energy(-2e-4)?)) / 12e-4;
        assert!((gradient[k] - difference).abs() < 1e-6, "{k}: {} {difference}", gradient[k]);
        assert!((above + below - 2.0 * stats.mean.re).abs() < 1e-4);
    }
    Ok(())
}

fn gradients_are_finite_differences<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    for definition in [ising(5)?, heisenberg(6)?] {
        let operator = definition.lower::<B>()?;
        for (name, network) in networks::<B>(definition.hilbert())? {
            check::<B, _, _>(&operator, network).map_err(|error| format!("{name}: {error}"))?;
        }
        check::<B, _, _>(&operator, Table::random(definition.hilbert())?)?;
    }
    let strings = PauliStrings::new(Qubit::new(4)?, ["XYII", "IXYI", "ZIIX"], [0.3, -1.2, 0.7])?;
    let operator = strings.definition()?.lower_as::<B, Complex64>()?;
    check::<B, _, _>(&operator, Table::random(operator.hilbert())?)
}

/// The mean over 12 seeds, with the error that their scatter gives. Beyond six such errors lies 10⁻⁴ of
/// Student's distribution with 11 degrees of freedom: of 32 components one is there for 3 of 1000 choices of
/// seeds.
fn sampled_gradients_scatter_around_the_exact_one<B: RunsVmc>() -> TestResult {
    let n_seeds = 12;
    let operator = ising(4)?.lower::<B>()?;
    let wave_function = Table::random(operator.hilbert())?;
    let (_, exact) = FullSumState::<B, _>::new(wave_function.clone())?.expect_and_grad(&operator)?;
    let mut gradients = Array2::zeros((n_seeds, exact.len()));
    for (seed, mut row) in gradients.rows_mut().into_iter().enumerate() {
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(seed as u64);
        let mut state = MonteCarloState::new(sampler, wave_function.clone(), 1000)?;
        row.assign(&state.expect_and_grad(&operator)?.1);
    }
    let n = n_seeds as f64;
    for (k, column) in gradients.columns().into_iter().enumerate() {
        let mean = column.sum() / n;
        let error = (column.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
        assert!((mean - exact[k]).abs() < 6.0 * error + 1e-12, "{k}: {mean} ± {error}, {}", exact[k]);
    }
    Ok(())
}

fn chunks_do_not_change_gradients<B: RunsVmc>() -> TestResult {
    let operator = heisenberg(6)?.lower::<B>()?;
    let gradient = |chunk_size| -> variational::Result<Array1<f64>> {
        let mut state = FullSumState::<B, _>::new(rbm::<B>(operator.hilbert(), 0.4)?)?;
        if let Some(chunk_size) = chunk_size {
            state = state.with_chunk_size(chunk_size)?;
        }
        Ok(state.expect_and_grad(&operator)?.1)
    };
    let whole = gradient(None)?;
    for chunk_size in [1, 3, 1000] {
        let difference = gradient(Some(chunk_size))? - &whole;
        assert!(difference.iter().all(|d| d.abs() < 1e-12));
    }
    Ok(())
}

/// Of an operator that is not Hermitian, from its matrix.
fn forces_are_covariances<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    let strings = PauliStrings::new(Qubit::new(3)?, ["XYI", "IZY", "ZIX"], [0.3, -1.2, 0.7])?;
    let squared = (&strings.definition()? * &strings.definition()?)?;
    let ladder = (&squared + &strings.definition()?.scaled(Complex64::new(0.2, 0.9))?)?;
    let operator = ladder.lower_as::<B, Complex64>()?;
    assert!(!operator.is_hermitian());
    let psi = Table::<B>::random(operator.hilbert())?;
    let (dense, amplitudes) = (operator.to_dense()?, psi.0.psi());
    let (stats, forces) = FullSumState::<B, _>::new(psi)?.expect_and_forces(&operator)?;
    let norm: f64 = amplitudes.iter().map(Complex64::norm_sqr).sum();
    let applied = dense.dot(&amplitudes);
    for (k, force) in forces.iter().enumerate() {
        // The k-th parameter is ln |ψ| of state k, or its phase.
        let state = k % amplitudes.len();
        let unit = if k < amplitudes.len() { Complex64::ONE } else { Complex64::i() };
        let weight = amplitudes[state].norm_sqr() / norm;
        let expected = unit.conj() * (amplitudes[state].conj() * applied[state] / norm - weight * stats.mean);
        assert!((force - expected).norm() < 1e-12, "{k}: {force} {expected}");
    }
    Ok(())
}

on_backends!(
    forces_are_covariances,
    gradients_are_finite_differences,
    sampled_gradients_scatter_around_the_exact_one,
    chunks_do_not_change_gradients,
);
