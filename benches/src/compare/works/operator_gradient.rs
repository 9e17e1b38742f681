//! The energy with its gradient in the Hamiltonian's own parameters, and the energy alone.

use std::hint::black_box;

use backend_flat::Flat;
use backend_padded::candle_core::Var;
use backend_padded::{Padded, failed, operator_estimator_tensor};
use operator_core::Backend;
use sampler::{LocalSampler, MetropolisSampler};
use variational::{MonteCarloState, Rbm, RunsVmc, VariationalState};

use super::{SEED, Work, rbm};
use crate::compare::{Contender, Result, Unit};
use crate::systems::System;

const GRADIENT: &str = "local_energy and operator gradient RBM";
const BACKWARD: &str = "local_energy and operator gradient RBM, by backward";
const ENERGY_ALONE: &str = "local_energy and operator gradient RBM, energy alone";

pub(super) fn of_rbm(system: System) -> Work {
    Work { what: GRADIENT, system, unit: Unit::Sample, peers: Vec::new(), prepare }
}

fn prepare(system: &System, threads: &[usize]) -> Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for &threads in threads {
        contenders.extend(both::<Flat>(system, threads)?);
        contenders.extend(both::<Padded>(system, threads)?);
        contenders.push(backward(system, threads)?);
    }
    Ok(contenders)
}

/// Local estimators as a tensor, and one `backward` of their mean to the operator's parameters.
fn backward(system: &System, threads: usize) -> Result<Contender> {
    let n_samples = system.size.pick(1024, 16);
    let operator = system.definition.lower::<Padded>()?;
    let device = operator.device().clone();
    let parameters = Var::new(system.definition.parameters().to_vec(), &device).map_err(failed)?;
    let operator = operator.with_parameter_tensor(&parameters)?;
    let psi = rbm::<Padded, f64>(system)?;
    let x = Padded::from_host(system.samples(n_samples)?.view(), &device)?;
    let run = move || {
        let energies = operator_estimator_tensor(&operator, &psi, &x, None)?;
        let mean = energies.re().mean_all().map_err(failed)?;
        black_box(mean.backward().map_err(failed)?);
        Ok(())
    };
    Ok(Contender::new(BACKWARD, Padded::NAME, threads, run)?.with_count(n_samples))
}

type State<B> = MonteCarloState<B, MetropolisSampler<B, sampler::LocalRule>, Rbm<B>>;

/// The energy alone, and with its gradient, of the same samples, which are drawn before the clock runs.
fn both<B: RunsVmc>(system: &System, threads: usize) -> Result<[Contender; 2]> {
    let n_samples = system.size.pick(1024, 16);
    let operator = system.definition.lower::<B>()?;
    let state = || -> Result<State<B>> {
        let sampler = LocalSampler::<B>::new(system.definition.hilbert().clone())?.with_seed(SEED);
        let mut state = MonteCarloState::new(sampler, rbm::<B, f64>(system)?, n_samples)?;
        state.expect(&operator)?;
        Ok(state)
    };
    let (mut first, mut second, same) = (state()?, state()?, operator.clone());
    let energy = move || {
        black_box(first.expect(&same)?);
        Ok(())
    };
    let gradient = move || {
        black_box(second.expect_and_operator_grad(&operator)?);
        Ok(())
    };
    Ok([
        Contender::new(ENERGY_ALONE, B::NAME, threads, energy)?.with_count(n_samples),
        Contender::new(GRADIENT, B::NAME, threads, gradient)?.with_count(n_samples),
    ])
}
