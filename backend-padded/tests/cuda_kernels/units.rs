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
        let mut random = |n: usize| Parts::<R>::of(&numbers(&mut rng, n, is_complex), is_complex);
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
            let b = slot / width;
            let mut changed = z[b * UNITS..(b + 1) * UNITS].to_vec();
            for (site, by) in self.changes(b, item) {
                changed.iter_mut().zip(&w[site * UNITS..]).for_each(|(z, w)| *z += w * by);
            }
            let expected: Complex64 = changed.iter().map(|z| if ln_cosh { z.cosh().ln() } else { *z }).sum();
            // Imaginary parts are phases.
            let ratio = (got - expected).exp() - 1.0;
            let size: f64 = changed.iter().map(|z| 1.0 + z.norm()).sum();
            assert!(ratio.norm() < 10.0 * rounding::<R>() * size, "{}: {got} {expected}", self.name);
        }
    }

    /// The sites that an item changes, and the differences.
    fn changes(&self, sample: usize, item: u32) -> Vec<(usize, f64)> {
        let x = self.row(sample);
        let change = |edit: operator_core::kernel::Edit| {
            let site = edit.site as usize;
            (site, f64::from(edit.apply(x[site])) - f64::from(x[site]))
        };
        self.engine.changes().edits(item).iter().copied().map(change).collect()
    }

    fn check_gradients<R: Real>(&self, items: &[u32], is_complex: bool, ln_cosh: bool) {
        let mut rng = SplitMix::new(17);
        let (n_sites, width) = (self.n_sites(), self.width());
        let mut random = |n: usize| Parts::<R>::of(&numbers(&mut rng, n, is_complex), is_complex);
        let (z, w) = (random(self.n_samples * UNITS), random(n_sites * UNITS));
        let mut gradient = numbers(&mut rng, items.len(), is_complex);
        gradient.iter_mut().step_by(3).for_each(|unused| *unused = Complex64::ZERO);
        let gradient = Parts::<f64>::of(&gradient, is_complex);
        let run = 5;
        let n_runs = self.n_samples.div_ceil(run);
        let of_z = Parts::<f64>::unwritten(self.n_samples * UNITS, is_complex);
        let of_runs = Parts::<f64>::unwritten(n_runs * n_sites * UNITS, is_complex);
        let program = Program::Units { real: R::NUMBER, is_complex, ln_cosh };
        let kernels = Kernels::of(Kind::new(program, self.device.kind));
        let ([z_re, z_im], [w_re, w_im]) = (z.addresses(), w.addresses());
        let [x, at] = [self.samples.address(), items.as_ptr() as u64];
        let [g_re, g_im] = gradient.addresses();
        let ([of_z_re, of_z_im], [of_runs_re, of_runs_im]) = (of_z.addresses(), of_runs.addresses());
        let sizes = [run as u32, UNITS as u32, width as u32, self.n_samples as u32];
        launch!(
            kernels,
            "sums_of_units_backward",
            n_runs * UNITS.div_ceil(32) * 32,
            self.device.argument,
            x,
            at,
            z_re,
            z_im,
            w_re,
            w_im,
            g_re,
            g_im,
            of_z_re,
            of_z_im,
            of_runs_re,
            of_runs_im,
            sizes[0],
            sizes[1],
            sizes[2],
            sizes[3]
        );
        let (z, w, gradient) = (z.values(), w.values(), gradient.values());
        let mut expected_z = vec![Complex64::ZERO; z.len()];
        let mut expected_runs = vec![Complex64::ZERO; n_runs * w.len()];
        let mut size = 1.0;
        for (slot, &item) in items.iter().enumerate() {
            let (b, changes) = (slot / width, self.changes(slot / width, item));
            for unit in 0..UNITS {
                let mut value = z[b * UNITS + unit];
                changes.iter().for_each(|&(site, by)| value += w[site * UNITS + unit] * by);
                let slope = if ln_cosh { value.sinh() / value.cosh() } else { Complex64::ONE };
                let of_value = gradient[slot] * slope.conj();
                size = f64::max(size, slope.norm_sqr());
                expected_z[b * UNITS + unit] += of_value;
                for &(site, by) in &changes {
                    expected_runs[(b / run * n_sites + site) * UNITS + unit] += of_value * by;
                }
            }
        }
        for (got, expected) in [(of_z.values(), expected_z), (of_runs.values(), expected_runs)] {
            for (got, expected) in got.into_iter().zip(expected) {
                let tolerance = rounding::<R>() * size * (run * width) as f64;
                assert!((got - expected).norm() <= tolerance, "{}: {got} {expected}", self.name);
            }
        }
    }
}

fn numbers(rng: &mut SplitMix, n: usize, are_complex: bool) -> Vec<Complex64> {
    let number = |_| Complex64::new(0.4 * rng.number(), if are_complex { 0.4 * rng.number() } else { 0.0 });
    (0..n).map(number).collect()
}

#[test]
#[ignore = "needs g++"]
fn f64_sums_over_units_and_gradients_are_those_of_the_changed_layer() {
    for case in cases() {
        let items = case.items();
        for (is_complex, ln_cosh) in [(false, true), (true, true), (true, false)] {
            case.check_sums::<f64>(&items, is_complex, ln_cosh);
            case.check_gradients::<f64>(&items, is_complex, ln_cosh);
        }
    }
}

#[test]
#[ignore = "needs g++"]
fn f32_sums_over_units_and_gradients_are_those_of_the_changed_layer() {
    for case in cases() {
        let items = case.items();
        for (is_complex, ln_cosh) in [(false, true), (false, false), (true, true)] {
            case.check_sums::<f32>(&items, is_complex, ln_cosh);
            case.check_gradients::<f32>(&items, is_complex, ln_cosh);
        }
    }
}
