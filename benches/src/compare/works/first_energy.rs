//! From the start of a process to the energy of a fresh RBM.

use std::process::Command;

use backend_flat::Flat;
use backend_padded::Padded;
use backend_padded::candle_core::Device;
use operator_core::Backend;
use serde_json::json;
use variational::{MonteCarloState, VariationalState};

use super::{PeerItem, SEED, Work, rbm, sampling};
use crate::compare::{Contender, Error, Place, Placed, Places, Result, Unit};
use crate::systems::{Size, System};

/// The option that makes `compare` print [`first_energy`] of a backend and exit.
pub const FLAG: &str = "first-energy";

pub(super) fn from_start(system: System) -> Work {
    let item = json!({
        "what": "first_energy", "system": system.name, "samples": n_samples(system.size),
        "alpha": system.size.alpha(),
    });
    let peers = PeerItem::new("NetKet JAX", item).by_both_kernels().into();
    Work { what: "first_energy", system, unit: Unit::Run, peers, prepare }
}

/// The energy of a fresh RBM on the Heisenberg square, on the backend with this name; `None` for any other
/// name. Tensors are on this device.
///
/// # Errors
/// Errors of the work.
pub fn first_energy(backend: &str, size: Size, device: &Device) -> Result<Option<f64>> {
    let place = Place { threads: rayon::current_num_threads(), device: device.clone() };
    match backend {
        Flat::NAME => energy::<Flat>(size, &place).map(Some),
        Padded::NAME => energy::<Padded>(size, &place).map(Some),
        _ => Ok(None),
    }
}

fn energy<B: Placed>(size: Size, place: &Place) -> Result<f64> {
    let system = System::heisenberg(size)?;
    let operator = system.definition.lower_on::<B, f64>(&B::device(place))?;
    let sampler = sampling::exchange_sampler::<B>(&system)?.with_seed(SEED);
    let mut state = MonteCarloState::new(sampler, rbm::<B, f64>(&system, place)?, n_samples(size))?;
    Ok(state.expect(&operator)?.mean.re)
}

fn n_samples(size: Size) -> usize {
    size.pick(1008, 16)
}

/// On the largest number of threads.
fn prepare(system: &System, places: &Places) -> Result<Vec<Contender>> {
    let most = |places: &[Place]| places.iter().max_by_key(|place| place.threads).cloned();
    let flat = most(Flat::places(places)).map(|place| contender(Flat::NAME, system.size, place));
    let padded = most(Padded::places(places)).map(|place| contender(Padded::NAME, system.size, place));
    flat.into_iter().chain(padded).collect()
}

fn contender(backend: &'static str, size: Size, place: Place) -> Result<Contender> {
    let failed = move |reason: String| Error::Program { program: format!("--{FLAG} {backend}"), reason };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let (threads, device) = (place.threads, place.device_name());
    let run = move || {
        let mut command = Command::new(&program);
        command.args([&format!("--{FLAG}"), backend, "--device", &device]);
        command.args(match size {
            Size::Full => None,
            Size::Large => Some("--large"),
            Size::Small => Some("--small"),
        });
        command.env("RAYON_NUM_THREADS", threads.to_string());
        let output = command.output().map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim().parse::<f64>() {
            Ok(_) if output.status.success() => Ok(()),
            _ => Err(failed(format!("{text}{}", String::from_utf8_lossy(&output.stderr)))),
        }
    };
    Contender::new("first_energy", backend, &place, run)
}
