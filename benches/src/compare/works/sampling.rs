//! Metropolis sampling of an RBM: one sample from each chain after a sweep of `n_sites` moves.

use std::hint::black_box;

use backend_flat::Flat;
use backend_padded::Padded;
use operator_core::Error;
use sampler::{ExchangeSampler, HamiltonianSampler, LocalSampler, MetropolisSampler, Rule};
use serde_json::json;

use super::{PeerItem, SEED, Work, rbm, side_by_side};
use crate::compare::{Contender, Place, Placed, Places, Result, Unit};
use crate::systems::System;

pub(super) fn local(system: System) -> Work {
    let peers = vec![peer("NetKet JAX", &system, "local")];
    let prepare = |system: &System, places: &Places| {
        side_by_side(system, places, local_chains::<Flat>, local_chains::<Padded>)
    };
    Work { what: "sampling local", system, unit: Unit::Proposal, peers, prepare }
}

pub(super) fn exchange(system: System) -> Work {
    let peers = vec![peer("NetKet JAX", &system, "exchange")];
    let prepare = |system: &System, places: &Places| {
        side_by_side(system, places, exchange_chains::<Flat>, exchange_chains::<Padded>)
    };
    Work { what: "sampling exchange", system, unit: Unit::Proposal, peers, prepare }
}

pub(super) fn hamiltonian(system: System) -> Work {
    let peers = vec![
        peer("NetKet JAX", &system, "hamiltonian_jax"),
        peer("NetKet numba", &system, "hamiltonian_numba"),
    ];
    let prepare = |system: &System, places: &Places| {
        side_by_side(system, places, hamiltonian_chains::<Flat>, hamiltonian_chains::<Padded>)
    };
    Work { what: "sampling hamiltonian", system, unit: Unit::Proposal, peers, prepare }
}

fn peer(name: &'static str, system: &System, rule: &str) -> PeerItem {
    let (chains, alpha) = (n_chains(system), system.size.alpha());
    let item =
        json!({"what": "sampling", "system": system.name, "rule": rule, "chains": chains, "alpha": alpha});
    PeerItem::new(name, item)
}

fn n_chains(system: &System) -> usize {
    system.size.n_samples() / 4
}

fn local_chains<B: Placed>(system: &System, place: &Place) -> Result<Contender> {
    let sampler = LocalSampler::<B>::new(system.definition.hilbert().clone())?;
    chains("sampling local", system, place, sampler)
}

fn exchange_chains<B: Placed>(system: &System, place: &Place) -> Result<Contender> {
    chains("sampling exchange", system, place, exchange_sampler::<B>(system)?)
}

fn hamiltonian_chains<B: Placed>(system: &System, place: &Place) -> Result<Contender> {
    let sampler = HamiltonianSampler::new(&system.definition.lower_on::<B, f64>(&B::device(place))?)?;
    chains("sampling hamiltonian", system, place, sampler)
}

/// Exchanges along the bonds of the system's graph.
pub(super) fn exchange_sampler<B: Placed>(system: &System) -> Result<ExchangeSampler<B>> {
    let Some(graph) = &system.graph else {
        let reason = format!("{} has no bonds to exchange along", system.name);
        return Err(Error::Lattice(reason).into());
    };
    Ok(ExchangeSampler::new(system.definition.hilbert().clone(), graph)?)
}

fn chains<B: Placed, R: Rule<B> + 'static>(
    what: &'static str,
    system: &System,
    place: &Place,
    sampler: MetropolisSampler<B, R>,
) -> Result<Contender> {
    let n_chains = n_chains(system);
    let sampler = sampler.with_n_chains(n_chains)?.with_seed(SEED);
    let rbm = rbm::<B, f64>(system, place)?;
    let mut chains = sampler.start(&rbm)?;
    let n_proposals = n_chains * sampler.sweep_size();
    let run = move || {
        black_box(sampler.sample(&rbm, &mut chains, 1, 0)?);
        Ok(())
    };
    Ok(Contender::new(what, B::NAME, place, run)?.with_count(n_proposals))
}
