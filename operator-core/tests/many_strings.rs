//! A million Pauli strings. Slow in debug builds: `cargo test --release -- --ignored`.

use std::time::Instant;

use operator_core::hilbert::Qubit;
use operator_core::terms::Pauli;
use operator_core::{Model, PauliStrings};
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
