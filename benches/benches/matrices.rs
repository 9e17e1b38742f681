//! The matrix of a Heisenberg ring of 20 spins and its product with a vector: flat and padded side by side, on
//! one thread and on all.

mod side_by_side;

use criterion::{Criterion, criterion_group, criterion_main};

fn matrices(c: &mut Criterion) {
    side_by_side::bench(c, &["to_sparse", "apply"]);
}

criterion_group!(
    name = benches;
    // Some of these take a second.
    config = Criterion::default().sample_size(10);
    targets = matrices
);
criterion_main!(benches);
