//! Elements as functions of the values of slots, and their gradient.

use operator_core::kernel::Found;
use operator_core::testing::SplitMix;

use super::buffers::Real;
use super::case::{Case, patterns};
use super::compiler::{Kernels, launch};
use super::kernels::{Kind, Program};

/// Samples of a run whose gradients are added up.
const RUN: usize = 7;

/// The elements that a pattern has.
struct Pattern {
    case: Case<f64>,
    items: Vec<u32>,
    counts: Vec<u32>,
    found: Found<f64>,
    n_slots: usize,
}

impl Pattern {
    fn new(case: Case<f64>, n_slots: usize) -> Self {
        let mut found = Found::default();
        let mut counts = vec![0; case.n_samples];
        case.engine.find(&case.rows, &mut counts, &mut found);
        let mut items = vec![0; case.n_samples * case.width()];
        let mut mels = vec![0.0; items.len()];
        case.engine.write_items(&found, case.width(), &mut items, &mut mels, &mut []);
        let counts = counts.into_iter().map(|n| n as u32).collect();
        Pattern { case, items, counts, found, n_slots }
    }

    fn kernels<R: Real>(&self) -> Kernels {
        Kernels::of(Kind::new(Program::Mels { real: R::NUMBER }, self.case.device.kind))
    }

    /// The addresses of samples, items and counts.
    fn inputs(&self) -> [u64; 3] {
        [self.case.samples.address(), self.items.as_ptr() as u64, self.counts.as_ptr() as u64]
    }

    /// Values are `(n_slots,)` with a stride of 0, or one row for each sample.
    fn mels<R: Real>(&self, values: &[R], stride: usize) -> Vec<R> {
        let mut mels = vec![R::of(f64::NAN); self.items.len()];
        let (width, b) = (self.case.width() as u32, self.case.n_samples as u32);
        let (kernels, [x, items, counts]) = (self.kernels::<R>(), self.inputs());
        let (values, to) = (values.as_ptr() as u64, mels.as_mut_ptr() as u64);
        launch!(
            kernels,
            "mels",
            self.items.len(),
            self.case.device.argument,
            x,
            items,
            counts,
            values,
            stride as u32,
            to,
            width,
            b
        );
        mels
    }

    /// `(runs, n_slots)`
    fn gradients<R: Real>(&self, gradient: &[R], run: usize) -> Vec<f64> {
        let n_runs = self.case.n_samples.div_ceil(run);
        let mut partial = vec![f64::NAN; n_runs * self.n_slots];
        let (width, b) = (self.case.width() as u32, self.case.n_samples as u32);
        let (kernels, [x, items, counts]) = (self.kernels::<R>(), self.inputs());
        let (gradient, to) = (gradient.as_ptr() as u64, partial.as_mut_ptr() as u64);
        launch!(
            kernels,
            "mels_backward",
            n_runs * 32,
            self.case.device.argument,
            x,
            items,
            counts,
            gradient,
            to,
            run as u32,
            width,
            b
        );
        partial
    }

    /// Calls `f` with the sample and the place of each element, and each slot in it with its factor.
    fn for_each_slot(&self, mut f: impl FnMut(usize, usize, usize, f64)) {
        for b in 0..self.case.n_samples {
            let mut place = b * self.case.width();
            self.case.engine.visit_found(&self.found, b, |connected, _| {
                connected.for_each_slot(|slot, factor| f(b, place, slot, factor));
                place += 1;
            });
        }
    }

    fn check<R: Real>(&self, rng: &mut SplitMix) {
        let (n_slots, n_samples, name) = (self.n_slots, self.case.n_samples, self.case.name);
        let mut random = |n: usize| -> Vec<R> { (0..n).map(|_| R::of(rng.number())).collect() };
        for (values, stride) in [(random(n_slots), 0), (random(n_samples * n_slots), n_slots)] {
            let mut expected = vec![R::of(0.0); self.items.len()];
            self.for_each_slot(|b, place, slot, factor| {
                expected[place] += values[b * stride + slot] * R::of(factor);
            });
            let mels = self.mels(&values, stride);
            for (k, (got, expected)) in mels.iter().zip(&expected).enumerate() {
                assert_eq!(got.bits(), expected.bits(), "{name}, place {k}: {got} {expected}");
            }
        }
        let gradient = random(self.items.len());
        for run in [1, RUN] {
            let n_runs = n_samples.div_ceil(run);
            let (mut expected, mut size) = (vec![0.0; n_runs * n_slots], vec![0.0; n_runs * n_slots]);
            self.for_each_slot(|b, place, slot, factor| {
                let (at, summand) = (b / run * n_slots + slot, factor * gradient[place].into());
                expected[at] += summand;
                size[at] += f64::abs(summand);
            });
            // Sums of up to a few thousand numbers in another order.
            for (k, got) in self.gradients(&gradient, run).into_iter().enumerate() {
                assert!((got - expected[k]).abs() <= 1e-13 * size[k], "{name}, {k}: {got} {}", expected[k]);
            }
        }
    }
}

fn check_all<R: Real>() {
    let mut rng = SplitMix::new(5);
    for (case, definition) in patterns() {
        Pattern::new(case, definition.forms().n_slots()).check::<R>(&mut rng);
    }
}

#[test]
#[ignore = "needs g++"]
fn elements_and_gradients_are_sums_over_the_slots_that_the_engine_names_in_f64() {
    check_all::<f64>();
}

#[test]
#[ignore = "needs g++"]
fn elements_and_gradients_are_sums_over_the_slots_that_the_engine_names_in_f32() {
    check_all::<f32>();
}
