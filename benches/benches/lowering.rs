//! From a model to its definition, for large ones: strings are collected, checked and laid out for the engines.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use operator_core::graph::Lattice;
use operator_core::hilbert::{Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli};
use operator_core::{FermionOperator2nd, Heisenberg, Model, PauliStrings};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

fn pauli_strings(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let strings: Vec<Vec<(usize, Pauli)>> = (0..1_000_000)
        .map(|_| {
            let mut sites: Vec<usize> = (0..8).map(|_| rng.random_range(0..60)).collect();
            sites.sort_unstable();
            sites.dedup();
            let pauli = |k: usize| [Pauli::X, Pauli::Y, Pauli::Z][k];
            sites.into_iter().map(|site| (site, pauli(rng.random_range(0..3)))).collect()
        })
        .collect();
    let weights: Vec<f64> = (0..strings.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let lower = |(strings, weights)| {
        let qubits = Qubit::new(60).expect("a space");
        PauliStrings::from_factors(qubits, strings, weights)
            .expect("strings")
            .definition()
            .expect("an operator")
    };
    let definition = lower((strings.clone(), weights.clone()));
    assert!(definition.max_conn_size() > 100_000 && definition.is_hermitian());
    c.bench_function("lower a million strings on 60 qubits", |bench| {
        bench.iter_batched(|| (strings.clone(), weights.clone()), lower, BatchSize::PerIteration);
    });
}

fn fermion_strings(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let mut strings: Vec<[Ladder; 4]> = Vec::new();
    while strings.len() < 20_000 {
        let [a, b, c, d] = std::array::from_fn(|_| rng.random_range(0..100));
        if a != b && c != d {
            strings.push([Ladder::create(a), Ladder::create(b), Ladder::destroy(c), Ladder::destroy(d)]);
            strings.push([Ladder::create(d), Ladder::create(c), Ladder::destroy(b), Ladder::destroy(a)]);
        }
    }
    let weights: Vec<f64> = (0..strings.len() / 2).map(|_| rng.random_range(-1.0..1.0)).collect();
    let weights: Vec<f64> = weights.iter().flat_map(|&weight| [weight, weight]).collect();
    let space = SpinOrbitalFermions::new(100).and_then(|space| space.with_n_fermions(50)).expect("a space");
    let lower = |(strings, weights): (Vec<[Ladder; 4]>, Vec<f64>)| {
        let model = FermionOperator2nd::from_ladders(space.clone(), strings, weights).expect("strings");
        model.definition().expect("an operator")
    };
    let definition = lower((strings.clone(), weights.clone()));
    assert!(definition.terms().len() == 20_000 && definition.is_hermitian());
    c.bench_function("lower 20 000 fermion strings on 100 modes", |bench| {
        bench.iter_batched(|| (strings.clone(), weights.clone()), lower, BatchSize::PerIteration);
    });
}

fn j1_j2(c: &mut Criterion) {
    let space = Spin::half(100).and_then(|space| space.with_total_sz(0.0)).expect("a space");
    let lower = || {
        let square = Lattice::square([10, 10]).neighbors(2).build().expect("a lattice");
        let model = Heisenberg::new(space.clone(), &square, [1.0, 0.5]).expect("a model");
        model.definition().expect("an operator")
    };
    assert_eq!(lower().max_conn_size(), 401);
    c.bench_function("lower J1-J2 on 10 x 10", |bench| bench.iter(lower));
}

criterion_group!(
    name = benches;
    // The strings take seconds.
    config = Criterion::default().sample_size(10);
    targets = pauli_strings, fermion_strings, j1_j2
);
criterion_main!(benches);
