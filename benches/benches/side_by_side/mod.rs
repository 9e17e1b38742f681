//! Works as criterion groups: flat and padded, on one thread and on all.

use std::time::Duration;

use backend_padded::candle_core::Device;
use benches::compare::{Places, Unit, works};
use benches::systems::Size;
use criterion::{Criterion, Throughput};

/// A group for each work with one of these names.
pub(crate) fn bench(c: &mut Criterion, names: &[&str]) {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if all > 1 { vec![1, all] } else { vec![1] };
    let places = Places::new(&threads, &Device::Cpu);
    let works = works(Size::Full).expect("the systems are valid");
    for work in works.iter().filter(|work| names.contains(&work.what)) {
        let mut group = c.benchmark_group(work.to_string());
        for mut contender in work.contenders(&places).expect("the works are valid") {
            if work.unit != Unit::Run {
                group.throughput(Throughput::Elements(contender.count as u64));
            }
            let name =
                format!("{}, {}, {} threads", contender.what, contender.backend, contender.place.threads);
            group.bench_function(name, |bench| {
                bench.iter_custom(|n| {
                    (0..n)
                        .map(|_| Duration::from_secs_f64(contender.time().expect("the work is valid")))
                        .sum()
                });
            });
        }
        group.finish();
    }
}
