//! What the number of bosons that fit on a site costs: definitions and connected elements of a Bose-Hubbard chain.

use backend_flat::Flat;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use operator_core::hilbert::Fock;
use operator_core::{BoseHubbard, Boundary, ConnBatch, Definition, DiscreteOperator, Graph, Model};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const N_SITES: usize = 20;

fn chain(n_max: usize) -> operator_core::Result<Definition> {
    let graph = Graph::chain(N_SITES, Boundary::Periodic)?;
    BoseHubbard::new(Fock::new(n_max, N_SITES)?, &graph, 2.0)?.with_v(0.5).definition()
}

fn many_bosons(c: &mut Criterion) {
    // The same samples for all, so that only the tables differ.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let x = Array2::from_shape_simple_fn((512, N_SITES), || rng.random_range(0..=4i8));
    let mut group = c.benchmark_group("Bose-Hubbard chain of 20");
    for n_max in [4, 20, 100] {
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("definition", n_max), |bench| bench.iter(|| chain(n_max)));
        let operator = chain(n_max).and_then(|chain| chain.lower::<Flat>()).expect("an operator");
        let mut conn = ConnBatch::new();
        operator.get_conn_flattened_into(x.view(), &mut conn).expect("elements");
        group.throughput(Throughput::Elements(conn.mels().len() as u64));
        group.bench_function(BenchmarkId::new("connected elements", n_max), |bench| {
            bench.iter(|| operator.get_conn_flattened_into(x.view(), &mut conn));
        });
    }
}

criterion_group!(benches, many_bosons);
criterion_main!(benches);
