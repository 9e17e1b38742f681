//! Sums over the units of a layer at connected states, against the formula.

use num_complex::Complex64;
use operator_core::kernel::Found;
use operator_core::testing::SplitMix;

use super::buffers::Real;
use super::case::{Case, cases};
use super::compiler::{Kernels, launch};
use super::kernels::{Kind, Program};
use super::numbers::{Parts, rounding};

/// More than a warp has lanes, and no multiple of that.
const UNITS: usize = 37;

impl Case<Complex64> {
    fn items(&self) -> Vec<u32> {
        let (mut found, mut counts) = (Found::default(), vec![0; self.n_samples]);
        self.engine.find(&self.rows, &mut counts, &mut found);
        let mut items = vec![0; self.n_samples * self.width()];
        let (mut re, mut im) = (vec![0.0; items.len()], vec![0.0; items.len()]);
        self.engine.write_items(&found, self.width(), &mut items, &mut re, &mut im);
        items
    }

    fn check_sums<R: Real>(&self, items: &[u32], is_complex: bool, ln_cosh: bool) {
        let mut rng = SplitMix::new(13);
        let mut random = |n: usize| -> Parts<R> {
            let number =
                |_| Complex64::new(0.4 * rng.number(), if is_complex { 0.4 * rng.number() } else { 0.0 });
            Parts::of(&(0..n).map(number).collect::<Vec<_>>(), is_complex)
        };
        let (n_sites, width) = (self.n_sites(), self.width());
        let (z, w) = (random(self.n_samples * UNITS), random(n_sites * UNITS));
        let sums = Parts::<f64>::unwritten(items.len(), is_complex);
        let program = Program::Units { real: R::NUMBER, is_complex, ln_cosh };
        let kernels = Kernels::of(Kind::new(program, self.device.kind));
        let ([z_re, z_im], [w_re, w_im]) = (z.addresses(), w.addresses());
        let ([re, im], [x, at]) = (sums.addresses(), [self.samples.address(), items.as_ptr() as u64]);
        let sizes = [UNITS as u32, width as u32, self.n_samples as u32];
        launch!(
            kernels,
            "sums_of_units",
            items.len() * 32,
            self.device.argument,
            x,
            at,
            z_re,
            z_im,
            w_re,
            w_im,
            re,
            im,
            sizes[0],
            sizes[1],
            sizes[2]
        );
        let (z, w) = (z.values(), w.values());
        for (slot, (got, &item)) in sums.values().into_iter().zip(items).enumerate() {
            let (b, x) = (slot / width, self.row(slot / width));
            let mut changed = z[b * UNITS..(b + 1) * UNITS].to_vec();
            for edit in self.engine.changes().edits(item) {
                let site = edit.site as usize;
                let by = f64::from(edit.apply(x[site])) - f64::from(x[site]);
                changed.iter_mut().zip(&w[site * UNITS..]).for_each(|(z, w)| *z += w * by);
            }
            let expected: Complex64 = changed.iter().map(|z| if ln_cosh { z.cosh().ln() } else { *z }).sum();
            // Imaginary parts are phases.
            let ratio = (got - expected).exp() - 1.0;
            let size: f64 = changed.iter().map(|z| 1.0 + z.norm()).sum();
            assert!(ratio.norm() < 10.0 * rounding::<R>() * size, "{}: {got} {expected}", self.name);
        }
    }
}

#[test]
#[ignore = "needs g++"]
fn f64_sums_over_units_are_those_of_the_changed_layer() {
    for case in cases() {
        let items = case.items();
        for is_complex in [false, true] {
            case.check_sums::<f64>(&items, is_complex, true);
        }
        case.check_sums::<f64>(&items, true, false);
    }
}

#[test]
#[ignore = "needs g++"]
fn f32_sums_over_units_are_those_of_the_changed_layer() {
    for case in cases() {
        let items = case.items();
        case.check_sums::<f32>(&items, false, true);
        case.check_sums::<f32>(&items, false, false);
        case.check_sums::<f32>(&items, true, true);
    }
}
