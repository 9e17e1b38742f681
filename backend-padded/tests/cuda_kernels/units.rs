//! A layer at connected states, and sums over its units, against the formula.

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

/// What is summed over units.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    Identity,
    LnCosh,
}

impl Case<Complex64> {
    fn items(&self) -> Vec<u32> {
        let (mut found, mut counts) = (Found::default(), vec![0; self.n_samples]);
        self.engine.find(&self.rows, &mut counts, &mut found);
        let mut items = vec![0; self.n_samples * self.width()];
        let (mut re, mut im) = (vec![0.0; items.len()], vec![0.0; items.len()]);
        self.engine.write_items(&found, self.width(), &mut items, &mut re, &mut im);
        items
    }

    /// Of `f`, or the units themselves.
    fn check_values<R: Real>(&self, items: &[u32], is_complex: bool, f: Option<Function>) {
        let mut rng = SplitMix::new(13);
        let mut random = |n: usize| Parts::<R>::of(&numbers(&mut rng, n, is_complex), is_complex);
        let (n_sites, width) = (self.n_sites(), self.width());
        let (z, w) = (random(self.n_samples * UNITS), random(n_sites * UNITS));
        let sums = Parts::<f64>::unwritten(items.len(), is_complex);
        let units = Parts::<R>::unwritten(items.len() * UNITS, is_complex);
        let (name, [re, im]) = match f {
            Some(_) => ("sums_of_units", sums.addresses()),
            None => ("changed_layer", units.addresses()),
        };
        let kernels = self.kernels::<R>(is_complex, f);
        let ([z_re, z_im], [w_re, w_im]) = (z.addresses(), w.addresses());
        let [x, at] = [self.samples.address(), items.as_ptr() as u64];
        let sizes = [UNITS as u32, width as u32, self.n_samples as u32];
        launch!(
            kernels,
            name,
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
        let (sums, units) = (f.map(|_| sums.values()), f.is_none().then(|| units.values()));
        for (slot, &item) in items.iter().enumerate() {
            let b = slot / width;
            let mut changed = z[b * UNITS..(b + 1) * UNITS].to_vec();
            for (site, by) in self.changes(b, item) {
                changed.iter_mut().zip(&w[site * UNITS..]).for_each(|(z, w)| *z += w * by);
            }
            if let Some(units) = &units {
                for (got, expected) in units[slot * UNITS..].iter().zip(&changed) {
                    let error = (got - expected).norm();
                    assert!(error < 10.0 * rounding::<R>(), "{}: {got} {expected}", self.name);
                }
            }
            if let (Some(f), Some(sums)) = (f, &sums) {
                let of_unit = |z: &Complex64| if f == Function::LnCosh { z.cosh().ln() } else { *z };
                let (got, expected) = (sums[slot], changed.iter().map(of_unit).sum::<Complex64>());
                // Imaginary parts are phases.
                let ratio = (got - expected).exp() - 1.0;
                let size: f64 = changed.iter().map(|z| 1.0 + z.norm()).sum();
                assert!(ratio.norm() < 10.0 * rounding::<R>() * size, "{}: {got} {expected}", self.name);
            }
        }
    }

    fn kernels<R: Real>(&self, is_complex: bool, f: Option<Function>) -> Kernels {
        let ln_cosh = f == Some(Function::LnCosh);
        let program = Program::Units { real: R::NUMBER, is_complex, ln_cosh };
        Kernels::of(Kind::new(program, self.device.kind))
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

    fn check_gradients<R: Real>(&self, items: &[u32], is_complex: bool, f: Option<Function>) {
        let mut rng = SplitMix::new(17);
        let (n_sites, width) = (self.n_sites(), self.width());
        let mut random = |n: usize| Parts::<R>::of(&numbers(&mut rng, n, is_complex), is_complex);
        let (z, w) = (random(self.n_samples * UNITS), random(n_sites * UNITS));
        let per_slot = if f.is_some() { 1 } else { UNITS };
        let mut gradient = numbers(&mut rng, items.len() * per_slot, is_complex);
        gradient.chunks_mut(per_slot).step_by(3).for_each(|unused| unused.fill(Complex64::ZERO));
        let (of_sums, of_units) =
            (Parts::<f64>::of(&gradient, is_complex), Parts::<R>::of(&gradient, is_complex));
        let (name, [g_re, g_im], gradient) = match f {
            Some(_) => ("sums_of_units_backward", of_sums.addresses(), of_sums.values()),
            None => ("changed_layer_backward", of_units.addresses(), of_units.values()),
        };
        let run = 5;
        let n_runs = self.n_samples.div_ceil(run);
        let of_z = Parts::<f64>::unwritten(self.n_samples * UNITS, is_complex);
        let of_runs = Parts::<f64>::unwritten(n_runs * n_sites * UNITS, is_complex);
        let kernels = self.kernels::<R>(is_complex, f);
        let ([z_re, z_im], [w_re, w_im]) = (z.addresses(), w.addresses());
        let [x, at] = [self.samples.address(), items.as_ptr() as u64];
        let ([of_z_re, of_z_im], [of_runs_re, of_runs_im]) = (of_z.addresses(), of_runs.addresses());
        let sizes = [run as u32, UNITS as u32, width as u32, self.n_samples as u32];
        launch!(
            kernels,
            name,
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
        let (z, w) = (z.values(), w.values());
        let mut expected_z = vec![Complex64::ZERO; z.len()];
        let mut expected_runs = vec![Complex64::ZERO; n_runs * w.len()];
        let mut size = 1.0;
        for (slot, &item) in items.iter().enumerate() {
            let (b, changes) = (slot / width, self.changes(slot / width, item));
            for unit in 0..UNITS {
                let mut value = z[b * UNITS + unit];
                changes.iter().for_each(|&(site, by)| value += w[site * UNITS + unit] * by);
                let slope = match f {
                    Some(Function::LnCosh) => value.sinh() / value.cosh(),
                    _ => Complex64::ONE,
                };
                let of_value = gradient[slot * per_slot + unit % per_slot] * slope.conj();
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

const LN_COSH: Option<Function> = Some(Function::LnCosh);
const IDENTITY: Option<Function> = Some(Function::Identity);

#[test]
#[ignore = "needs g++"]
fn f64_layers_sums_over_units_and_gradients_are_those_of_the_formula() {
    for case in cases() {
        let items = case.items();
        for (is_complex, f) in [(false, LN_COSH), (true, LN_COSH), (true, IDENTITY), (true, None)] {
            case.check_values::<f64>(&items, is_complex, f);
            case.check_gradients::<f64>(&items, is_complex, f);
        }
    }
}

#[test]
#[ignore = "needs g++"]
fn f32_layers_sums_over_units_and_gradients_are_those_of_the_formula() {
    for case in cases() {
        let items = case.items();
        for (is_complex, f) in [(false, LN_COSH), (false, IDENTITY), (true, LN_COSH), (false, None)] {
            case.check_values::<f32>(&items, is_complex, f);
            case.check_gradients::<f32>(&items, is_complex, f);
        }
    }
}
