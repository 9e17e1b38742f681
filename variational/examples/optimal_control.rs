//! Optimal control: gradients in the Hamiltonian's own parameters tune the field h(t) of an Ising ring, so that spins
//! along x reach the cat (GHZ) state in a fixed time.
//!
//! ```text
//! cargo run --release --example optimal_control
//! cargo run --release --example optimal_control --features padded
//! cargo run --release --example optimal_control -- picture.png
//! ```
//!
//! The flat backend gets the gradient from the derivative operator (GRAPE), the padded one from automatic
//! differentiation through the evolution. A picture of the field before and after, and of the infidelity, goes to
//! `target/optimal_control.png` unless a path is given. Exits with a failure if a fidelity stays below 99.9 %.

mod common {
    pub(crate) mod control;
    pub(crate) mod plot;
}

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use common::control::{self, Gradient, Problem};
use common::plot::{self, Curve, Panel};
use variational::Adam;
use variational::ndarray::Array1;

const N_SITES: usize = 6;

/// In units of 1/J.
const DURATION: f64 = 3.0;
const N_PIECES: usize = 40;

/// The fidelity to reach, and the one at which to stop.
const TARGET: f64 = 0.999;
const ENOUGH: f64 = 0.9999;

const MAX_ITERATIONS: usize = 400;
const LEARNING_RATE: f64 = 0.03;

struct Outcome {
    backend: &'static str,
    before: Vec<f64>,
    after: Vec<f64>,
    /// One per iteration.
    fidelities: Vec<f64>,
}

impl Outcome {
    fn fidelity(&self) -> f64 {
        self.fidelities.last().copied().unwrap_or(0.0)
    }
}

/// Tunes the field, from a ramp that is far too fast to be adiabatic.
fn optimise(backend: &'static str, gradient: &impl Gradient) -> Result<Outcome, Box<dyn Error>> {
    let start = Instant::now();
    let before: Vec<f64> = (0..N_PIECES).map(|k| 2.0 * (1.0 - (k as f64 + 0.5) / N_PIECES as f64)).collect();
    let (mut fields, mut fidelities) = (Array1::from(before.clone()), Vec::new());
    let mut adam = Adam::new(LEARNING_RATE)?.with_betas(0.9, 0.99)?;
    for iteration in 0..MAX_ITERATIONS {
        let (fidelity, gradient) = gradient.fidelity_and_grad(&fields.to_vec())?;
        fidelities.push(fidelity);
        let done = fidelity > ENOUGH;
        if iteration % 20 == 0 || done {
            println!("{backend:<7} iteration {iteration:>3}: fidelity {fidelity:.6}");
        }
        if done {
            break;
        }
        // Adam descends, so it gets the gradient of the negative fidelity.
        fields += &adam.step_from_gradient(&-Array1::from(gradient));
    }
    println!("{backend:<7} {} iterations in {:.1} s", fidelities.len(), start.elapsed().as_secs_f64());
    Ok(Outcome { backend, before, after: fields.to_vec(), fidelities })
}

/// The field as steps over time, and the infidelity over iterations.
fn panels(outcome: &Outcome) -> Vec<Panel> {
    let steps = |fields: &[f64]| {
        let piece = DURATION / fields.len() as f64;
        let ends = |(k, &h): (usize, &f64)| [(k as f64 * piece, h), ((k + 1) as f64 * piece, h)];
        fields.iter().enumerate().flat_map(ends).collect()
    };
    let infidelity = outcome.fidelities.iter().enumerate().map(|(k, f)| (k as f64, 1.0 - f)).collect();
    let last = outcome.fidelities.len().saturating_sub(1) as f64;
    let (first, reached) = (outcome.fidelities.first().copied().unwrap_or(0.0), outcome.fidelity());
    vec![
        Panel {
            title: format!("Field of an Ising ring of {N_SITES} sites"),
            x_label: "time t J".into(),
            y_label: "field h / J".into(),
            log_y: false,
            curves: vec![
                Curve {
                    label: format!("before: a ramp, F = {first:.3}"),
                    color: plot::GREY,
                    points: steps(&outcome.before),
                },
                Curve {
                    label: format!("after: F = {reached:.5}"),
                    color: plot::BLUE,
                    points: steps(&outcome.after),
                },
            ],
        },
        Panel {
            title: "From spins along x to the cat state".into(),
            x_label: "iteration".into(),
            y_label: "infidelity 1 - F".into(),
            log_y: true,
            curves: vec![
                Curve { label: outcome.backend.into(), color: plot::BLUE, points: infidelity },
                Curve {
                    label: format!("to be reached: F = {TARGET}"),
                    color: plot::ORANGE,
                    points: vec![(0.0, 1.0 - TARGET), (last, 1.0 - TARGET)],
                },
            ],
        },
    ]
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path =
        std::env::args().nth(1).map_or_else(|| PathBuf::from("target/optimal_control.png"), PathBuf::from);
    let problem = || Problem::cat_state(N_SITES, DURATION);
    let outcomes = [
        #[cfg(feature = "flat")]
        optimise("flat", &control::flat::Grape::new(problem()?)?)?,
        #[cfg(feature = "padded")]
        optimise("padded", &control::padded::Autograd::new(&problem()?)?)?,
    ];
    let mut reached = true;
    for outcome in &outcomes {
        println!("{:<7} fidelity {:.6}, to be reached {TARGET}", outcome.backend, outcome.fidelity());
        reached &= outcome.fidelity() >= TARGET;
    }
    if let Some(outcome) = outcomes.first() {
        plot::save(&path, &panels(outcome))?;
        println!("drawn in {}", path.display());
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
