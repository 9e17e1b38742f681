//! Local energies, sampling and whole steps with an RBM: flat and padded side by side, on one thread and on all.

mod side_by_side;

use criterion::{Criterion, criterion_group, criterion_main};

fn local_energies(c: &mut Criterion) {
    side_by_side::bench(c, &["local_energy RBM", "local_energy MLP"]);
}

fn sampling(c: &mut Criterion) {
    side_by_side::bench(c, &["sampling local", "sampling exchange", "sampling hamiltonian"]);
}

fn steps(c: &mut Criterion) {
    side_by_side::bench(c, &["vmc_sr_step"]);
}

criterion_group!(
    name = benches;
    // Some of these take a second.
    config = Criterion::default().sample_size(10);
    targets = local_energies, sampling, steps
);
criterion_main!(benches);
