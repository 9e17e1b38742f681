//! The energy with its gradient in the Hamiltonian's own parameters, and the energy alone.

use std::hint::black_box;

use backend_flat::Flat;
use backend_padded::candle_core::{Tensor, Var};
use backend_padded::{Padded, PaddedOperator, failed, local_estimators, operator_estimator_tensor};
use operator_core::Backend;
use sampler::{LocalSampler, MetropolisSampler};
use serde_json::json;
use variational::{MonteCarloState, Rbm, Trainable, VariationalState};

use super::{PeerItem, SEED, SIGMA, Work, rbm};
use crate::compare::{Contender, Place, Placed, Places, Result, Unit};
use crate::systems::System;

/// With statistics, of a state.
const GRADIENT: &str = "operator_gradient RBM";
const ENERGY: &str = "operator_gradient RBM, energy alone";
/// Only means.
const BACKWARD: &str = "operator_gradient RBM, by backward";
const MEAN: &str = "operator_gradient RBM, mean energy alone";

pub(super) fn of_rbm(system: System) -> Work {
    let (samples, alpha) = (system.size.n_samples(), system.size.alpha());
    let item = |gradient: bool| {
        json!({
            "what": "operator_gradient", "system": system.name, "gradient": gradient, "samples": samples,
            "alpha": alpha,
        })
    };
    let gradient = PeerItem::new("NetKet JAX value_and_grad", item(true)).beside(&[GRADIENT, BACKWARD]);
    let energy = PeerItem::new("NetKet JAX mean energy", item(false)).beside(&[ENERGY, MEAN]);
    let peers = [gradient, energy].into_iter().flat_map(PeerItem::by_both_kernels).collect();
    Work { what: GRADIENT, system, unit: Unit::Sample, peers, prepare }
}

fn prepare(system: &System, places: &Places) -> Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for place in Flat::places(places) {
        contenders.extend(of_state::<Flat>(system, place)?);
    }
    for place in Padded::places(places) {
        contenders.extend(of_state::<Padded>(system, place)?);
        contenders.extend(by_backward(system, place)?);
    }
    Ok(contenders)
}

type State<B> = MonteCarloState<B, MetropolisSampler<B, sampler::LocalRule>, Rbm<B>>;

/// The energy alone, and with its gradient, of the same samples, which are drawn before the clock runs.
fn of_state<B: Placed>(system: &System, place: &Place) -> Result<[Contender; 2]> {
    let n_samples = system.size.n_samples();
    let operator = system.definition.lower_on::<B, f64>(&B::device(place))?;
    let state = || -> Result<State<B>> {
        let sampler = LocalSampler::<B>::new(system.definition.hilbert().clone())?.with_seed(SEED);
        let mut state = MonteCarloState::new(sampler, shared_rbm(system, place)?, n_samples)?;
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
        Contender::new(ENERGY, B::NAME, place, energy)?.with_count(n_samples),
        Contender::new(GRADIENT, B::NAME, place, gradient)?.with_count(n_samples),
    ])
}

/// The mean of local estimators alone, and with its gradient by one `backward`, of the peers' samples and RBM.
fn by_backward(system: &System, place: &Place) -> Result<[Contender; 2]> {
    let n_samples = system.size.n_samples();
    let mean_energy = || MeanEnergy::new(system, place, n_samples);
    let (alone, with_gradient) = (mean_energy()?, mean_energy()?);
    let energy = move || {
        black_box(alone.value()?);
        Ok(())
    };
    let gradient = move || {
        black_box(with_gradient.value_and_gradient()?);
        Ok(())
    };
    Ok([
        Contender::new(MEAN, Padded::NAME, place, energy)?.with_count(n_samples),
        Contender::new(BACKWARD, Padded::NAME, place, gradient)?.with_count(n_samples),
    ])
}

/// The mean energy of an RBM on samples, as a function of the Hamiltonian's parameters. The peers have the same one.
struct MeanEnergy {
    operator: PaddedOperator,
    parameters: Var,
    attached: PaddedOperator,
    psi: Rbm<Padded>,
    x: Tensor,
}

impl MeanEnergy {
    fn new(system: &System, place: &Place, n_samples: usize) -> Result<Self> {
        let device = Padded::device(place);
        let operator = system.definition.lower_on::<Padded, f64>(&device)?;
        let parameters = Var::new(system.definition.parameters().to_vec(), &device).map_err(failed)?;
        let attached = operator.with_parameter_tensor(&parameters)?;
        let psi = shared_rbm(system, place)?;
        let x = Padded::from_host(system.shared_spins(n_samples).view(), &device)?;
        Ok(MeanEnergy { operator, parameters, attached, psi, x })
    }

    fn value(&self) -> Result<f64> {
        let energies = local_estimators(&self.operator, &self.psi, &self.x, None)?;
        Ok(energies.iter().map(|energy| energy.re).sum::<f64>() / energies.len() as f64)
    }

    /// The mean, and its derivatives in the order of [`Parameters::to_vec`](operator_core::Parameters::to_vec).
    fn value_and_gradient(&self) -> Result<(f64, Vec<f64>)> {
        let energies = operator_estimator_tensor(&self.attached, &self.psi, &self.x, None)?;
        let read = || {
            let mean = energies.re().mean_all()?;
            let gradients = mean.backward()?;
            let gradient = match gradients.get(&self.parameters) {
                Some(gradient) => gradient.to_vec1()?,
                None => vec![0.0; self.parameters.elem_count()],
            };
            Ok((mean.to_scalar()?, gradient))
        };
        Ok(read().map_err(failed)?)
    }
}

fn shared_rbm<B: Placed>(system: &System, place: &Place) -> Result<Rbm<B>> {
    let mut psi = rbm::<B, f64>(system, place)?;
    psi.set_parameters(&system.shared_rbm(SIGMA))?;
    Ok(psi)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::Size;

    /// Energy, ∂/∂h, and ∂/∂J or the sum over bonds, as NetKet 3.23 answers `operator_gradient` with (jax 0.10.2).
    #[test]
    fn energies_and_gradients_are_those_of_the_peers() -> Result<()> {
        let place = Place::host(1);
        for (system, energy) in [
            (System::ising_square(Size::Full)?, -100.534_014_366_573_7),
            (System::ising_square_by_bonds(Size::Full)?, -100.555_654_991_573_7),
        ] {
            let mean = MeanEnergy::new(&system, &place, 1024)?;
            let (value, gradient) = mean.value_and_gradient()?;
            assert!((value - energy).abs() < 1e-9, "{}: {value}", system.name);
            assert!((mean.value()? - energy).abs() < 1e-9);
            // J, with a value for each bond, comes after h in a definition's parameters.
            assert_eq!(system.definition.parameters().to_vec()[0], 1.0);
            assert!((gradient[0] + 100.041_826_866_573_7).abs() < 1e-9, "{gradient:?}");
            assert!((gradient[1..].iter().sum::<f64>() + 0.492_187_5).abs() < 1e-9, "{gradient:?}");
        }
        Ok(())
    }
}
