//! Local estimators of the energy: of an RBM, and of a network of two hidden layers.

use std::hint::black_box;
use std::num::NonZeroUsize;

use backend_flat::Flat;
use backend_padded::Padded;
use operator_core::WaveFunction;
use serde_json::json;
use variational::Mlp;
use variational::wave_functions::network::{Activation, Scalar};

use super::{PeerItem, SEED, Work, rbm};
use crate::compare::{Contender, Place, Placed, Places, Result, Unit};
use crate::systems::System;

const RBM: &str = "local_energy RBM";
const RBM_IN_F32: &str = "local_energy RBM in f32";
const MLP: &str = "local_energy MLP";
const MLP_IN_F32: &str = "local_energy MLP in f32";

/// Connected configurations passed to networks without walkers at a time, on the host.
const CHUNK_SIZE: usize = 8192;

/// The same on a device, which has to be filled: rows of 100 sites take 0.8 GB in f64.
const CHUNK_SIZE_ON_DEVICE: usize = 1 << 20;

pub(super) fn of_rbm(system: System) -> Work {
    let peers = peers(&system, "rbm");
    let prepare = |system: &System, places: &Places| {
        on_all([RBM, RBM_IN_F32], system, places, rbm::<Flat, f64>, rbm::<Flat, f32>, rbm::<Padded, f64>)
    };
    Work { what: RBM, system, unit: Unit::Sample, peers, prepare }
}

/// Without a walker, connected configurations are evaluated in batches.
pub(super) fn of_mlp(system: System) -> Work {
    let peers = peers(&system, "mlp");
    let prepare = |system: &System, places: &Places| {
        on_all([MLP, MLP_IN_F32], system, places, mlp::<Flat, f64>, mlp::<Flat, f32>, mlp::<Padded, f64>)
    };
    Work { what: MLP, system, unit: Unit::Sample, peers, prepare }
}

type Make<W> = fn(&System, &Place) -> operator_core::Result<W>;

/// Flat in double and in single precision, and padded.
fn on_all<F, S, P>(
    [double, single]: [&'static str; 2],
    system: &System,
    places: &Places,
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
    for place in Flat::places(places) {
        contenders.push(contender(double, system, place, flat(system, place)?)?);
        contenders.push(contender(single, system, place, flat_in_f32(system, place)?)?);
    }
    for place in Padded::places(places) {
        contenders.push(contender(double, system, place, padded(system, place)?)?);
    }
    Ok(contenders)
}

fn peers(system: &System, model: &str) -> Vec<PeerItem> {
    let (samples, alpha) = (system.size.n_samples(), system.size.alpha());
    let item = json!({
        "what": "local_energy", "system": system.name, "model": model, "samples": samples,
        "chains": samples / 64, "alpha": alpha,
    });
    PeerItem::new("NetKet JAX", item).by_both_kernels().into()
}

/// Two hidden layers, each with as many tanh units as there are sites.
fn mlp<B: Placed, T: Scalar>(system: &System, place: &Place) -> operator_core::Result<Mlp<B, T>> {
    let hilbert = system.definition.hilbert().clone();
    let n_sites = hilbert.n_sites();
    let network = Mlp::new(hilbert, &[n_sites, n_sites], Activation::Tanh)?;
    Ok(network.with_seed(SEED).with_device(B::device(place)))
}

fn contender<B: Placed, W: WaveFunction<B> + 'static>(
    what: &'static str,
    system: &System,
    place: &Place,
    psi: W,
) -> Result<Contender> {
    let n_samples = system.size.n_samples();
    let operator = system.definition.lower_on::<B, f64>(&B::device(place))?;
    let x = B::from_host(system.samples(n_samples)?.view(), &B::device(place))?;
    let chunk_size = if place.device.is_cpu() { CHUNK_SIZE } else { CHUNK_SIZE_ON_DEVICE };
    let run = move || {
        black_box(B::local_estimators(&operator, &psi, &x, NonZeroUsize::new(chunk_size))?);
        Ok(())
    };
    Ok(Contender::new(what, B::NAME, place, run)?.with_count(n_samples))
}
