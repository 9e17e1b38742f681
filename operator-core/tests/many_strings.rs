//! Large definitions. Slow in debug builds: `cargo test --release -- --ignored --nocapture`.

use std::time::Instant;

use operator_core::graph::Lattice;
use operator_core::hilbert::{Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli};
use operator_core::{Definition, FermionOperator2nd, Heisenberg, Model, PauliStrings};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

#[test]
#[ignore = "takes seconds"]
fn a_million_strings_on_sixty_qubits_are_lowered() {
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
    let start = Instant::now();
    let model = PauliStrings::from_factors(Qubit::new(60).unwrap(), strings, weights).unwrap();
    let definition = model.definition().unwrap();
    println!("lowered in {:.1?}; max_conn_size is {}", start.elapsed(), definition.max_conn_size());
    assert!(definition.max_conn_size() > 100_000);
    assert!(definition.is_hermitian());
}

fn timed(what: &str, build: impl FnOnce() -> Definition) -> Definition {
    let start = Instant::now();
    let definition = build();
    println!("{what}: built in {:.1?}; max_conn_size is {}", start.elapsed(), definition.max_conn_size());
    definition
}

#[test]
#[ignore = "prints a time"]
fn twenty_thousand_fermion_strings_on_a_hundred_modes_are_lowered() {
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
    let weights = weights.iter().flat_map(|&weight| [weight, weight]);
    let space = SpinOrbitalFermions::new(100).unwrap().with_n_fermions(50).unwrap();
    let definition = timed("20 000 fermion strings", || {
        FermionOperator2nd::from_ladders(space, strings, weights).unwrap().definition().unwrap()
    });
    assert_eq!(definition.terms().len(), 20_000);
    assert!(definition.is_hermitian());
}

#[test]
#[ignore = "prints a time"]
fn the_j1_j2_model_on_a_hundred_sites_is_lowered() {
    let space = Spin::half(100).unwrap().with_total_sz(0.0).unwrap();
    let definition = timed("J1-J2 on 10 x 10", || {
        let square = Lattice::square([10, 10]).neighbors(2).build().unwrap();
        Heisenberg::new(space, &square, [1.0, 0.5]).unwrap().definition().unwrap()
    });
    assert_eq!(definition.max_conn_size(), 401);
}
