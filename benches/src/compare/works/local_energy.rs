//! Local estimators of the energy: of an RBM, and of a network of two hidden layers.

use std::hint::black_box;
use std::num::NonZeroUsize;

use backend_flat::Flat;
use backend_padded::Padded;
use operator_core::WaveFunction;
use serde_json::json;
use variational::wave_functions::network::{Activation, NetworkBackend, Scalar};
use variational::{Mlp, RunsVmc};

use super::{PeerItem, SEED, Work, rbm};
use crate::compare::{Contender, Result, Unit};
use crate::systems::System;

const RBM: &str = "local_energy RBM";
const RBM_IN_F32: &str = "local_energy RBM in f32";
const MLP: &str = "local_energy MLP";
const MLP_IN_F32: &str = "local_energy MLP in f32";

/// Connected configurations passed to networks without walkers at a time.
const CHUNK_SIZE: usize = 8192;

pub(super) fn of_rbm(system: System) -> Work {
    let peers = vec![peer(&system, "rbm")];
    let prepare = |system: &System, threads: &[usize]| {
        on_all([RBM, RBM_IN_F32], system, threads, rbm::<Flat, f64>, rbm::<Flat, f32>, rbm::<Padded, f64>)
    };
    Work { what: RBM, system, unit: Unit::Sample, peers, prepare }
}

/// Without a walker, connected configurations are evaluated in batches.
pub(super) fn of_mlp(system: System) -> Work {
    let peers = vec![peer(&system, "mlp")];
    let prepare = |system: &System, threads: &[usize]| {
        on_all([MLP, MLP_IN_F32], system, threads, mlp::<Flat, f64>, mlp::<Flat, f32>, mlp::<Padded, f64>)
    };
    Work { what: MLP, system, unit: Unit::Sample, peers, prepare }
}

type Make<W> = fn(&System) -> operator_core::Result<W>;

/// Flat in double and in single precision, and padded.
fn on_all<F, S, P>(
    [double, single]: [&'static str; 2],
    system: &System,
    threads: &[usize],
    flat: Make<F>,
    flat_in_f32: Make<S>,
    padded: Make<P>,
) -> Result<Vec<Contender>>
where
    F: WaveFunction<Flat> + 'static,
    S: WaveFunction<Flat> + 'static,
    P: WaveFunction<Padded> + 'static,
{
    let mut contenders = Vec::new();
    for &threads in threads {
        contenders.push(contender(double, system, threads, flat(system)?)?);
        contenders.push(contender(single, system, threads, flat_in_f32(system)?)?);
        contenders.push(contender(double, system, threads, padded(system)?)?);
    }
    Ok(contenders)
}

fn peer(system: &System, model: &str) -> PeerItem {
    let item = json!({"what": "local_energy", "system": system.name, "model": model});
    PeerItem { name: "NetKet JAX", item }
}

/// Two hidden layers, each with as many tanh units as there are sites.
fn mlp<B: NetworkBackend, T: Scalar>(system: &System) -> operator_core::Result<Mlp<B, T>> {
    let hilbert = system.definition.hilbert().clone();
    let n_sites = hilbert.n_sites();
    Mlp::new(hilbert, &[n_sites, n_sites], Activation::Tanh).map(|network| network.with_seed(SEED))
}

fn contender<B: RunsVmc, W: WaveFunction<B> + 'static>(
    what: &'static str,
    system: &System,
    threads: usize,
    psi: W,
) -> Result<Contender> {
    let n_samples = system.size.pick(1024, 16);
    let operator = system.definition.lower::<B>()?;
    let x = B::from_host(system.samples(n_samples)?.view(), &B::default_device())?;
    let run = move || {
        black_box(B::local_estimators(&operator, &psi, &x, NonZeroUsize::new(CHUNK_SIZE))?);
        Ok(())
    };
    Ok(Contender::new(what, B::NAME, threads, run)?.with_count(n_samples))
}
