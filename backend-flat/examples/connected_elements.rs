//! Time of connected elements on the flat backend alone, which compiles in seconds; `benches` compares it with
//! the others. Best of many runs, nanoseconds an element.
//!
//! `cargo run --release -p backend-flat --example connected_elements [threads [batch [seconds]]]`

use std::time::Instant;

use backend_flat::Flat;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::models::{BoseHubbard, FermiHubbard};
use operator_core::terms::Pauli;
use operator_core::{
    Boundary, ConnBatch, Definition, DiscreteOperator, Element, Graph, Heisenberg, Ising, Model, PackedConn,
    PauliStrings, Result, graph,
};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What the command line says.
struct Options {
    batch: usize,
    seconds: f64,
}

fn main() -> Result<()> {
    let argument = |k| std::env::args().nth(k).and_then(|number| number.parse::<f64>().ok());
    let threads = argument(1).unwrap_or(1.0) as usize;
    let options =
        Options { batch: argument(2).unwrap_or(1024.0) as usize, seconds: argument(3).unwrap_or(0.5) };
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(|| {
            systems()?.iter().try_for_each(|(name, definition)| report(name, definition, &options))
        }),
        Err(error) => {
            eprintln!("no pool of {threads} threads: {error}");
            Ok(())
        }
    }
}

fn systems() -> Result<Vec<(&'static str, Definition)>> {
    let chain = Graph::chain(100, Boundary::Periodic)?;
    let square = |length| Graph::square(length, Boundary::Periodic);
    let j1_j2 = graph::Lattice::square([10, 10]).neighbors(2).build()?;
    let free = Spin::half(100)?;
    let sz0 = free.with_total_sz(0.0)?;
    let bosons = Fock::new(4, 64)?.with_n_particles(64)?;
    let fermions = SpinOrbitalFermions::with_spin(36, 0.5)?.with_n_fermions_per_spin(&[18, 18])?;
    Ok(vec![
        ("ising chain 100", Ising::new(free.clone(), &chain, 1.0, 1.0)?.definition()?),
        ("ising 10x10", Ising::new(free, &square(10)?, 1.0, 1.0)?.definition()?),
        ("heisenberg 10x10", Heisenberg::new(sz0.clone(), &square(10)?, 1.0)?.definition()?),
        ("j1-j2 10x10", Heisenberg::new(sz0, &j1_j2, [1.0, 0.5])?.definition()?),
        ("bose-hubbard 8x8", BoseHubbard::new(bosons, &square(8)?, 4.0)?.definition()?),
        ("fermi-hubbard 6x6", FermiHubbard::new(fermions, &square(6)?, 1.0, 4.0)?.definition()?),
        ("1000 pauli strings, 40 qubits", random_strings(40, 1000, 4)?.definition()?),
    ])
}

fn random_strings(n_sites: usize, n_strings: usize, weight: usize) -> Result<PauliStrings> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut sites: Vec<usize> = (0..n_sites).collect();
    let strings: Vec<Vec<(usize, Pauli)>> = (0..n_strings)
        .map(|_| {
            sites.shuffle(&mut rng);
            let pauli = |k: usize| [Pauli::X, Pauli::Y, Pauli::Z][k];
            sites[..weight].iter().map(|&site| (site, pauli(rng.random_range(0..3)))).collect()
        })
        .collect();
    let weights: Vec<f64> = (0..n_strings).map(|_| rng.random::<f64>() - 0.5).collect();
    PauliStrings::from_factors(Qubit::new(n_sites)?, strings, weights)
}

fn report(name: &str, definition: &Definition, options: &Options) -> Result<()> {
    match definition.is_real() {
        true => report_as::<f64>(name, definition, options),
        false => report_as::<num_complex::Complex64>(name, definition, options),
    }
}

fn report_as<T: Element>(name: &str, definition: &Definition, options: &Options) -> Result<()> {
    let operator = definition.lower_as::<Flat, T>()?;
    let x = operator.hilbert().random_states(options.batch, &mut Xoshiro256PlusPlus::seed_from_u64(1));
    let mut conn = ConnBatch::new();
    let mut total = 0;
    let flattened = best(options, || {
        operator.get_conn_flattened_into(x.view(), &mut conn)?;
        total = conn.total();
        Ok(())
    })?;
    let counted = best(options, || operator.n_conn(x.view()).map(drop))?;
    let mut packed = PackedConn::new();
    let packed = match operator.hilbert().is_two_level() {
        true => best(options, || operator.get_conn_packed_into(x.view(), &mut packed))?,
        false => f64::NAN,
    };
    let visited = best(options, || {
        let mut sum = 0;
        operator.visit_conn_batch(x.view(), |_, connected, mel| {
            sum += connected.sites().len() + usize::from(mel.is_zero());
        })?;
        std::hint::black_box(sum);
        Ok(())
    })?;
    let bytes = total * (operator.hilbert().n_sites() + size_of::<T>());
    let mut memory = vec![0u8; bytes];
    let mut byte = 0;
    let memset = best(options, || {
        byte ^= 1;
        std::hint::black_box(&mut memory[..]).fill(byte);
        Ok(())
    })?;
    let ns = |seconds: f64| seconds * 1e9 / total as f64;
    println!(
        "{name:32} {total:8} elements  flattened {:6.2}  packed {:6.2}  visited {:6.2}  counted {:6.2}  memset {:5.2}",
        ns(flattened),
        ns(packed),
        ns(visited),
        ns(counted),
        ns(memset)
    );
    Ok(())
}

/// Seconds of the fastest of many runs.
fn best(options: &Options, mut f: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed().as_secs_f64() < options.seconds {
        let run = Instant::now();
        f()?;
        best = best.min(run.elapsed().as_secs_f64());
    }
    Ok(best)
}
