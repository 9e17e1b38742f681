//! A whole step of stochastic reconfiguration: sampling, local energies, the linear system, the update.

use backend_flat::Flat;
use backend_padded::Padded;
use sampler::{LocalSampler, MetropolisSampler, Rule};
use serde_json::json;
use variational::{MonteCarloState, Sr, Vmc};

use super::{PeerItem, SEED, Work, rbm, sampling, side_by_side};
use crate::compare::{Contender, Place, Placed, Places, Result, Unit};
use crate::systems::{Size, System};

/// Samples that each chain drops before those of a step; this is NetKet's default.
const N_DISCARD: usize = 5;

pub(super) fn step(system: System) -> Work {
    let (samples, chains) = samples_and_chains(system.size);
    let item = json!({
        "what": "vmc_sr_step", "system": system.name, "samples": samples, "chains": chains,
        "alpha": system.size.alpha(),
    });
    let peers = PeerItem::new("NetKet JAX", item).by_both_kernels().into();
    Work { what: "vmc_sr_step", system, unit: Unit::Run, peers, prepare }
}

fn samples_and_chains(size: Size) -> (usize, usize) {
    match size {
        Size::Full => (1008, 16),
        Size::Large => (16_384, 1024),
        Size::Small => (16, 4),
    }
}

fn prepare(system: &System, places: &Places) -> Result<Vec<Contender>> {
    side_by_side(system, places, contender::<Flat>, contender::<Padded>)
}

/// With the rule that the peers' side takes where none is named.
fn contender<B: Placed>(system: &System, place: &Place) -> Result<Contender> {
    let hilbert = system.definition.hilbert();
    if hilbert.is_constrained() {
        with_sampler::<B, _>(system, place, sampling::exchange_sampler(system)?)
    } else {
        with_sampler::<B, _>(system, place, LocalSampler::new(hilbert.clone())?)
    }
}

fn with_sampler<B: Placed, R: Rule<B> + 'static>(
    system: &System,
    place: &Place,
    sampler: MetropolisSampler<B, R>,
) -> Result<Contender> {
    let (n_samples, n_chains) = samples_and_chains(system.size);
    let operator = system.definition.lower_on::<B, f64>(&B::device(place))?;
    let sampler = sampler.with_n_chains(n_chains)?.with_seed(SEED);
    let state =
        MonteCarloState::new(sampler, rbm::<B, f64>(system, place)?, n_samples)?.with_n_discard(N_DISCARD);
    let mut vmc = Vmc::new(state, &operator, Sr::new(0.01, 0.01)?);
    let run = move || {
        vmc.step()?;
        Ok(())
    };
    Contender::new("vmc_sr_step", B::NAME, place, run)
}
