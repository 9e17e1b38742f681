//! Connected elements of a batch of 1024 samples: the flat and the padded backend side by side, on one thread
//! and on all.

use backend_flat::Flat;
use backend_padded::Padded;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use operator_core::{
    Boundary, ConnBatch, Definition, DiscreteOperator, Graph, Heisenberg, Ising, Model, PauliStrings, Result,
    graph,
    hilbert::{Qubit, Spin},
    terms::Pauli,
};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_xoshiro::Xoshiro256PlusPlus;

const BATCH: usize = 1024;

fn systems() -> Result<Vec<(&'static str, Definition)>> {
    let chain = Graph::chain(100, Boundary::Periodic)?;
    let square = Graph::square(10, Boundary::Periodic)?;
    let j1_j2 = graph::Lattice::square([10, 10]).neighbors(2).build()?;
    let free = Spin::half(100)?;
    let sz0 = free.with_total_sz(0.0)?;
    Ok(vec![
        ("ising chain 100", Ising::new(free, &chain, 1.0, 1.0)?.definition()?),
        ("heisenberg 10x10", Heisenberg::new(sz0.clone(), &square, 1.0)?.definition()?),
        ("j1-j2 10x10", Heisenberg::new(sz0, &j1_j2, [1.0, 0.5])?.definition()?),
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

fn on_threads(n: usize, f: impl FnOnce() + Send) {
    match rayon::ThreadPoolBuilder::new().num_threads(n).build() {
        Ok(pool) => pool.install(f),
        Err(error) => eprintln!("no pool of {n} threads: {error}"),
    }
}

fn connected_elements(c: &mut Criterion) {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    for (name, definition) in systems().expect("the systems are valid") {
        let x = definition.hilbert().random_states(BATCH, &mut Xoshiro256PlusPlus::seed_from_u64(1));
        // Complex strings are compared with complex elements on both sides.
        let flat = definition.lower_as::<Flat, num_complex::Complex64>().expect("flat");
        let real = definition.is_real().then(|| definition.lower::<Flat>().expect("flat"));
        let padded = definition.lower_as::<Padded, num_complex::Complex64>().expect("padded");
        let real_padded = definition.is_real().then(|| definition.lower::<Padded>().expect("padded"));
        let total = flat.get_conn_flattened(x.view()).expect("samples are valid").total();
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(total as u64));
        for threads in if all > 1 { vec![1, all] } else { vec![1] } {
            group.bench_function(format!("flat, {threads} threads"), |bench| {
                on_threads(threads, || match &real {
                    Some(real) => {
                        let mut conn = ConnBatch::new();
                        bench.iter(|| real.get_conn_flattened_into(x.view(), &mut conn));
                    }
                    None => {
                        let mut conn = ConnBatch::new();
                        bench.iter(|| flat.get_conn_flattened_into(x.view(), &mut conn));
                    }
                });
            });
            group.bench_function(format!("padded, {threads} threads"), |bench| {
                on_threads(threads, || match &real_padded {
                    Some(real) => bench.iter(|| real.get_conn_padded(x.view())),
                    None => bench.iter(|| padded.get_conn_padded(x.view())),
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, connected_elements);
criterion_main!(benches);
