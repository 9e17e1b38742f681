//! Memory with `chunk_size`: the energy of an RBM on the 12 × 12 Heisenberg lattice from 100 000 samples, whose
//! 14 million connected configurations would take 2 GB at once (16 GB as padded tensors).
//!
//! ```text
//! cargo run --release --example chunked_memory
//! cargo run --release --example chunked_memory --features padded
//! cargo run --release --example chunked_memory --features padded -- padded
//! ```
//!
//! Prints the largest resident memory of the process after each backend, or after the named one, and exits with a
//! failure if it is above 200 MB. Linux only: it reads `/proc/self/status`.

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use variational::prelude::*;
use variational::{Boundary, Graph, HamiltonianSampler, MonteCarloState, Rbm};
use variational::{hilbert::Spin, models::Heisenberg};

const SIDE: usize = 12;
const N_SAMPLES: usize = 100_000;
const CHUNK_SIZE: usize = 8192;

/// In units of 10⁶ bytes, the binary included.
const BOUND: f64 = 200.0;

/// Samples and measures on one backend, unless the user asked for the other one.
fn measure<B: RunsVmc>(only: Option<&str>) -> Result<(), Box<dyn Error>> {
    if only.is_some_and(|only| only != B::NAME) {
        return Ok(());
    }
    let square = Graph::square(SIDE, Boundary::Periodic)?;
    let space = Spin::half(SIDE * SIDE)?.with_total_sz(0.0)?;
    let operator = Heisenberg::new(space, &square, 1.0)?.lower::<B>()?;
    // Good samples do not matter here, so a sweep is one move.
    let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(100)?.with_sweep_size(1)?.with_seed(1);
    let rbm = Rbm::<B>::new(operator.hilbert().clone(), 1.0)?.with_seed(1);

    let start = Instant::now();
    let mut state = MonteCarloState::new(sampler, rbm, N_SAMPLES)?.with_chunk_size(CHUNK_SIZE)?;
    state.samples()?;
    let (sampled, sampling) = (peak_memory()?, start.elapsed().as_secs_f64());
    let energy = state.expect(&operator)?;
    let (peak, all) = (peak_memory()?, start.elapsed().as_secs_f64());
    println!("{:<7} {N_SAMPLES} samples in {sampling:.1} s, peak {sampled:.0} MB", B::NAME);
    println!("{:<7} energy {energy} in {:.1} s, peak {peak:.0} MB", B::NAME, all - sampling);
    Ok(())
}

/// The largest resident memory of the process so far, in 10⁶ bytes.
fn peak_memory() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let only = std::env::args().nth(1);
    #[cfg(feature = "flat")]
    measure::<variational::Flat>(only.as_deref())?;
    #[cfg(feature = "padded")]
    measure::<variational::Padded>(only.as_deref())?;
    let peak = peak_memory()?;
    println!("peak {peak:.0} MB, bound {BOUND:.0} MB");
    Ok(if peak < BOUND { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
