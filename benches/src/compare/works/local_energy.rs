//! Local estimators of the energy of an RBM.

use std::hint::black_box;

use backend_flat::Flat;
use backend_padded::Padded;
use serde_json::json;

use super::{PeerItem, Side, Work, rbm, side_by_side};
use crate::compare::{Contender, Result, Unit};
use crate::systems::System;

pub(super) fn estimators(system: System) -> Work {
    let item = json!({"what": "local_energy", "system": system.name});
    let peers = vec![PeerItem { name: "NetKet JAX", item }];
    Work { what: "local_energy", system, unit: Unit::Sample, peers, prepare }
}

fn prepare(system: &System, threads: &[usize]) -> Result<Vec<Contender>> {
    side_by_side(system, threads, contender::<Flat>, contender::<Padded>)
}

fn contender<B: Side>(system: &System, threads: usize) -> Result<Contender> {
    let n_samples = system.size.pick(1024, 16);
    let (operator, rbm) = (system.definition.lower::<B>()?, rbm::<B>(system)?);
    let x = B::from_host(system.samples(n_samples)?.view(), &B::default_device())?;
    let run = move || {
        black_box(B::local_estimators(&operator, &rbm, &x, None)?);
        Ok(())
    };
    Ok(Contender::new("local_energy", B::NAME, threads, run)?.with_count(n_samples))
}
