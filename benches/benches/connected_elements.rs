//! Connected elements of a batch of 1024 samples on all systems: flat and padded side by side, on one thread
//! and on all.

mod side_by_side;

use criterion::{Criterion, criterion_group, criterion_main};

fn connected_elements(c: &mut Criterion) {
    side_by_side::bench(c, &["conn"]);
}

criterion_group!(benches, connected_elements);
criterion_main!(benches);
