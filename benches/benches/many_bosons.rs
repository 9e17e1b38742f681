//! What the number of bosons that fit on a site costs: definitions and connected elements of Bose-Hubbard models.

use backend_flat::Flat;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use operator_core::hilbert::Fock;
use operator_core::{BoseHubbard, Boundary, ConnBatch, Definition, DiscreteOperator, Graph, Model};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

fn many_bosons(c: &mut Criterion) {
    let chain = Graph::chain(20, Boundary::Periodic).expect("a chain");
    let square = Graph::square(8, Boundary::Periodic).expect("a square");
    compare(c, "Bose-Hubbard chain of 20", &chain, 0.5);
    compare(c, "Bose-Hubbard 8x8", &square, 0.0);
}

fn compare(c: &mut Criterion, name: &str, graph: &Graph, v: f64) {
    let n_sites = graph.n_nodes();
    let bosons = |n_max: usize| -> operator_core::Result<Definition> {
        BoseHubbard::new(Fock::new(n_max, n_sites)?, graph, 2.0)?.with_v(v).definition()
    };
    // The same samples for all, so that only the tables differ.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let x = Array2::from_shape_simple_fn((512, n_sites), || rng.random_range(0..=4i8));
    let mut group = c.benchmark_group(name);
    for n_max in [4, 20, 100] {
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("definition", n_max), |bench| bench.iter(|| bosons(n_max)));
        let operator = bosons(n_max).and_then(|bosons| bosons.lower::<Flat>()).expect("an operator");
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
