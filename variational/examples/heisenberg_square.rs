//! The ground state of the Heisenberg model on a square lattice, from a random RBM.
//!
//! ```text
//! cargo run --release --example heisenberg_square
//! cargo run --release --example heisenberg_square -- --extent 6
//! cargo run --release --example heisenberg_square --features padded -- --backend padded
//! ```
//!
//! The 4 × 4 lattice gets an [`Rbm`], the 6 × 6 lattice one that is invariant under all translations ([`RbmSymm`]).
//! Energies are per site in units of `J S·S`, that is, `<H> / (4 N)` for the Hamiltonian in Pauli matrices.
//!
//! A run writes its log in the layout of NetKet's JsonLog, a picture of its energies and a checkpoint to
//! `target/heisenberg_square`, unless `--out` names another folder. Ctrl-C finishes the step and saves;
//! `--resume` continues from there to the same bits. Exits with a failure if the energy misses the exact one by
//! more than 0.1 % (4 × 4) or 0.5 % (6 × 6).

mod common {
    pub(crate) mod plot;
}

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use common::plot::{self, BLUE, Curve, GREY, Panel};
use variational::hilbert::{HilbertSpace, Spin};
use variational::models::Heisenberg;
use variational::operator_core::graph::Lattice;
use variational::prelude::*;
use variational::{Boundary, End, ExchangeSampler, Graph, MonteCarloState};
use variational::{Rbm, RbmSymm, RunLog, Schedule, Sr, Stats, Vmc};

#[derive(Parser)]
struct Options {
    /// Sites along each direction: 4 or 6, where the exact energies are known.
    #[arg(long, default_value_t = 4)]
    extent: usize,
    /// Steps of stochastic reconfiguration; 400 for the 4 × 4 lattice and 300 for 6 × 6 unless given.
    #[arg(long)]
    steps: Option<usize>,
    /// Where the log, the picture and the checkpoint go.
    #[arg(long, default_value = "target/heisenberg_square")]
    out: PathBuf,
    /// Continue from the checkpoint.
    #[arg(long)]
    resume: bool,
    #[arg(long, value_enum, default_value_t)]
    backend: Choice,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Choice {
    #[default]
    Flat,
    Padded,
}

/// One lattice and its reference values.
struct Case {
    extent: usize,
    /// Exact energy a site, in units of J S·S: 4 × 4 by diagonalisation, 6 × 6 from Schulz, Ziman and
    /// Poilblanc, J. Phys. I 6, 675 (1996).
    exact: f64,
    /// Largest relative error.
    target: f64,
    steps: usize,
    /// At the first step; it falls to a tenth of this.
    learning_rate: f64,
}

const CASES: [Case; 2] = [
    Case { extent: 4, exact: -0.701_780_2, target: 1e-3, steps: 400, learning_rate: 0.05 },
    Case { extent: 6, exact: -0.678_872, target: 5e-3, steps: 300, learning_rate: 0.03 },
];

impl Case {
    fn n_sites(&self) -> usize {
        self.extent * self.extent
    }

    /// The energy per site in units of J S·S, from the energy of the Hamiltonian in Pauli matrices.
    fn per_site(&self, energy: f64) -> f64 {
        energy / (4.0 * self.n_sites() as f64)
    }
}

/// Optimises `wave_function` and measures it; `None` if the run was interrupted.
fn run<B, W>(case: &Case, options: &Options, wave_function: W) -> Result<Option<Stats>, Box<dyn Error>>
where
    B: RunsVmc,
    W: Trainable<B>,
{
    let graph = Graph::square(case.extent, Boundary::Periodic)?;
    let operator = Heisenberg::new(spins(case)?, &graph, 1.0)?.lower::<B>()?;
    let sampler = ExchangeSampler::<B>::new(wave_function.hilbert().clone(), &graph)?.with_seed(1);
    let state = MonteCarloState::new(sampler, wave_function, 1024)?;
    let steps = options.steps.unwrap_or(case.steps);
    let rate = case.learning_rate;
    let sr = Sr::new(Schedule::cosine(rate, 0.1 * rate, steps), Schedule::exponential(1e-2, 1e-4, steps))?;

    std::fs::create_dir_all(&options.out)?;
    let name = format!("{0}x{0}", case.extent);
    let file = |extension: &str| options.out.join(&name).with_extension(extension);
    let mut vmc = Vmc::new(state, &operator, sr)
        .with_progress()
        .with_log(file("json"))
        .with_checkpoint(file("safetensors"), 50)?
        .with_ctrl_c();
    if options.resume {
        vmc.resume()?;
    }
    let history = vmc.run_to(steps)?;
    draw(case, vmc.log(), &file("png"))?;
    println!("log, picture and checkpoint: {}", file("*").display());
    if history.end != End::Finished {
        println!("stopped after {} of {steps} steps; --resume goes on", vmc.n_steps());
        return Ok(None);
    }
    // One standard error is a tenth of what the energy may be off.
    let target_error = 0.1 * case.target * case.exact.abs() * 4.0 * case.n_sites() as f64;
    Ok(Some(vmc.state_mut().expect_to_precision(&operator, target_error, 200_000)?))
}

fn spins(case: &Case) -> operator_core::Result<HilbertSpace> {
    Ok(Spin::half(case.n_sites())?.with_total_sz(0.0)?.into())
}

/// The energy a site and its relative error against the steps.
fn draw(case: &Case, log: &RunLog, path: &Path) -> Result<(), Box<dyn Error>> {
    let energies = || log.series("Energy").map(|(step, stats)| (step as f64, case.per_site(stats.mean.re)));
    let errors =
        energies().map(|(step, energy)| (step, energy / case.exact - 1.0)).map(|(step, e)| (step, e.abs()));
    let level = |y| vec![(0.0, y), (energies().map(|(step, _)| step).fold(1.0, f64::max), y)];
    let curve = |label: &str, color, points| Curve { label: label.into(), color, points };
    let panel = |title: String, y_label: &str, log_y, curves| Panel {
        title,
        x_label: "step".into(),
        y_label: y_label.into(),
        log_y,
        curves,
    };
    let title = format!("Heisenberg {0} x {0}", case.extent);
    plot::save(
        path,
        &[
            panel(
                title,
                "energy a site / J",
                false,
                vec![
                    curve("sampled energy", BLUE, energies().collect()),
                    curve("exact", GREY, level(case.exact)),
                ],
            ),
            panel(
                "relative error".into(),
                "|E / E(exact) - 1|",
                true,
                vec![
                    curve("sampled energy", BLUE, errors.collect()),
                    curve("to be reached", GREY, level(case.target)),
                ],
            ),
        ],
    )
}

fn optimise<B: RunsVmc>(case: &Case, options: &Options) -> Result<Option<Stats>, Box<dyn Error>> {
    match case.extent {
        4 => run::<B, _>(case, options, Rbm::<B>::new(spins(case)?, 4.0)?.with_seed(7).with_sigma(0.05)?),
        extent => {
            let translations = Lattice::square([extent, extent]).translations()?;
            run::<B, _>(
                case,
                options,
                RbmSymm::<B>::new(spins(case)?, &translations, 4)?.with_seed(7).with_sigma(0.05)?,
            )
        }
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    let known = CASES.iter().find(|case| case.extent == options.extent);
    let case =
        known.ok_or_else(|| format!("extent {}; exact energies are here for 4 and 6", options.extent))?;
    let start = Instant::now();
    let energy = match options.backend {
        #[cfg(feature = "flat")]
        Choice::Flat => optimise::<variational::Flat>(case, &options)?,
        #[cfg(feature = "padded")]
        Choice::Padded => optimise::<variational::Padded>(case, &options)?,
        #[allow(unreachable_patterns, reason = "with all features all backends are there")]
        _ => return Err("that backend needs its feature: --features flat or --features padded".into()),
    };
    let Some(energy) = energy else { return Ok(ExitCode::SUCCESS) };
    let (value, error) = (case.per_site(energy.mean.re), case.per_site(energy.error_of_mean).abs());
    let off = (value / case.exact - 1.0).abs();
    println!("energy a site: {value:.6} ± {error:.6}, exact {:.6}, relative error {off:.1e}", case.exact);
    println!("{:.1} s", start.elapsed().as_secs_f64());
    Ok(if off < case.target { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
