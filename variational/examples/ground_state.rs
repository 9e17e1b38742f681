//! Energies of variational states, sampled and exact, and the ground state of the critical Ising chain.
//!
//! ```text
//! cargo run --release --example ground_state
//! cargo run --release --example ground_state --features padded
//! ```
//!
//! Exits with a failure if a sampled energy is more than five standard errors off the exact sum, or if the
//! optimisation misses the ground state's energy by more than 0.1 %.

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use variational::hilbert::{HilbertSpace, Spin};
use variational::models::{Heisenberg, Ising};
use variational::prelude::*;
use variational::{Boundary, Definition, Graph, HamiltonianSampler};
use variational::{FullSumState, MonteCarloState, Rbm, Sr, Stats, Vmc, exact};

/// The relative error of the energy that the optimisation must reach.
const TARGET: f64 = 1e-3;

/// How many standard errors a sampled energy may be off. A correct program exceeds this once in 10⁶ runs.
const SIGMAS: f64 = 5.0;

struct Row {
    system: &'static str,
    backend: &'static str,
    sampled: Stats,
    full_sum: f64,
    ground_state: f64,
    seconds: f64,
}

/// The whole comparison on one backend. Only the backend's name changes.
fn run<B: RunsVmc>() -> Result<(Vec<Row>, bool), Box<dyn Error>> {
    let ring = Graph::chain(10, Boundary::Periodic)?;
    let square = Graph::square(4, Boundary::Periodic)?;
    let critical = Ising::new(Spin::half(10)?, &ring, 1.0, -1.0)?.definition()?;
    let systems = [
        ("Ising ring, 10 sites", critical.clone()),
        (
            "Heisenberg ring, 10 sites",
            Heisenberg::new(Spin::half(10)?.with_total_sz(0.0)?, &ring, 1.0)?.definition()?,
        ),
        (
            "Heisenberg 4 x 4",
            Heisenberg::new(Spin::half(16)?.with_total_sz(0.0)?, &square, 1.0)?.definition()?,
        ),
    ];

    let mut rows = Vec::new();
    for (system, definition) in systems {
        let start = Instant::now();
        let operator = definition.lower::<B>()?;
        let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(32)?.with_seed(1);
        let mut state = MonteCarloState::new(sampler, rbm::<B>(definition.hilbert(), 0.2)?, 8192)?;
        let sampled = state.expect(&operator)?;
        let full_sum = FullSumState::new(rbm::<B>(definition.hilbert(), 0.2)?)?.expect(&operator)?.mean.re;
        let ground_state = exact::ground_state_energy(&operator)?;
        let seconds = start.elapsed().as_secs_f64();
        rows.push(Row { system, backend: B::NAME, sampled, full_sum, ground_state, seconds });
    }
    let (row, reached) = optimise::<B>(&critical)?;
    rows.push(row);
    Ok((rows, reached))
}

/// Finds the ground state by stochastic reconfiguration.
fn optimise<B: RunsVmc>(definition: &Definition) -> Result<(Row, bool), Box<dyn Error>> {
    let start = Instant::now();
    let operator = definition.lower::<B>()?;
    let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(32)?.with_seed(2);
    let state = MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.01)?, 1024)?;
    let mut vmc = Vmc::new(state, &operator, Sr::new(0.1, 0.01)?).with_progress();
    vmc.run(150)?;

    let sampled = vmc.state_mut().expect(&operator)?;
    let rbm = vmc.into_state().wave_function().clone();
    let full_sum = FullSumState::new(rbm)?.expect(&operator)?.mean.re;
    let seconds = start.elapsed().as_secs_f64();
    let ground_state = exact::ground_state_energy(&operator)?;
    let system = "the same, optimised";
    let row = Row { system, backend: B::NAME, sampled, full_sum, ground_state, seconds };
    Ok((row, (full_sum - ground_state).abs() < TARGET * ground_state.abs()))
}

fn rbm<B: NetworkBackend>(hilbert: &HilbertSpace, sigma: f64) -> variational::operator_core::Result<Rbm<B>> {
    Rbm::new(hilbert.clone(), 1.0).and_then(|rbm| rbm.with_seed(3).with_sigma(sigma))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let runs = [
        #[cfg(feature = "flat")]
        run::<variational::Flat>()?,
        #[cfg(feature = "padded")]
        run::<variational::Padded>()?,
    ];
    let reached = runs.iter().all(|(_, reached)| *reached);
    let rows: Vec<Row> = runs.into_iter().flat_map(|(rows, _)| rows).collect();

    println!(
        "{:<26} {:<7} {:>20} {:>11} {:>13} {:>8}",
        "system", "backend", "sampled energy", "full sum", "ground state", "seconds"
    );
    let mut agree = true;
    for Row { system, backend, sampled, full_sum, ground_state, seconds } in rows {
        let energy = format!("{:.4} ± {:.4}", sampled.mean.re, sampled.error_of_mean);
        println!(
            "{system:<26} {backend:<7} {energy:>20} {full_sum:>11.5} {ground_state:>13.6} {seconds:>8.2}"
        );
        agree &= (sampled.mean.re - full_sum).abs() < SIGMAS * sampled.error_of_mean;
    }
    if !agree {
        eprintln!("a sampled energy is more than {SIGMAS} standard errors off the full sum");
    }
    if !reached {
        eprintln!("the optimisation missed the ground state by more than {} %", 100.0 * TARGET);
    }
    Ok(if agree && reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
