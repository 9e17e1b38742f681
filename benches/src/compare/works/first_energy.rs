//! From the start of a process to the energy of a fresh RBM.

use std::process::Command;

use backend_flat::Flat;
use backend_padded::Padded;
use operator_core::Backend;
use serde_json::json;
use variational::{MonteCarloState, RunsVmc, VariationalState};

use super::{PeerItem, SEED, Work, rbm, sampling};
use crate::compare::{Contender, Error, Result, Unit};
use crate::systems::{Size, System};

/// The option that makes `compare` print [`first_energy`] of a backend and exit.
pub const FLAG: &str = "first-energy";

pub(super) fn from_start(system: System) -> Work {
    let item = json!({"what": "first_energy", "system": system.name});
    let peers = vec![PeerItem { name: "NetKet JAX", item }];
    Work { what: "first_energy", system, unit: Unit::Run, peers, prepare }
}

/// The energy of a fresh RBM on the Heisenberg square, on the backend with this name; `None` for any other
/// name.
///
/// # Errors
/// Errors of the work.
pub fn first_energy(backend: &str, size: Size) -> Result<Option<f64>> {
    match backend {
        Flat::NAME => energy::<Flat>(size).map(Some),
        Padded::NAME => energy::<Padded>(size).map(Some),
        _ => Ok(None),
    }
}

fn energy<B: RunsVmc>(size: Size) -> Result<f64> {
    let system = System::heisenberg(size)?;
    let operator = system.definition.lower::<B>()?;
    let sampler = sampling::exchange_sampler::<B>(&system)?.with_seed(SEED);
    let mut state = MonteCarloState::new(sampler, rbm::<B, f64>(&system)?, size.pick(1008, 16))?;
    Ok(state.expect(&operator)?.mean.re)
}

/// On the largest number of threads.
fn prepare(system: &System, threads: &[usize]) -> Result<Vec<Contender>> {
    let threads = threads.iter().copied().max().unwrap_or(1);
    [Flat::NAME, Padded::NAME].into_iter().map(|backend| contender(backend, system.size, threads)).collect()
}

fn contender(backend: &'static str, size: Size, threads: usize) -> Result<Contender> {
    let failed = move |reason: String| Error::Program { program: format!("--{FLAG} {backend}"), reason };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let run = move || {
        let mut command = Command::new(&program);
        command.args([&format!("--{FLAG}"), backend]).args(size.pick(None, Some("--small")));
        command.env("RAYON_NUM_THREADS", threads.to_string());
        let output = command.output().map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim().parse::<f64>() {
            Ok(_) if output.status.success() => Ok(()),
            _ => Err(failed(format!("{text}{}", String::from_utf8_lossy(&output.stderr)))),
        }
    };
    Contender::new("first_energy", backend, threads, run)
}
