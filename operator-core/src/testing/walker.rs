//! The promises of every walker.

use ndarray::ArrayView1;
use num_complex::Complex64;

use super::{Checked, SplitMix, ensure, within};
use crate::backend::Backend;
use crate::change_sets::ChangeSets;
use crate::hilbert::HilbertSpace;
use crate::wave_function::{Walker, WaveFunction};

/// Number of moves of one or two sites drawn before a random state is taken.
const ATTEMPTS: usize = 10;

/// Fewer ratios than this are asked for together.
const TOGETHER: usize = 12;

/// Checks a wave function's walker against [`WaveFunction::log_psi`]. Starting from random states, it makes
/// `n_moves` proposals, which change one, two or all sites. About half are accepted. Before each proposal it
/// asks for several ratios [together](Walker::ratios).
///
/// Ratios must agree to 10⁻⁸ of the larger amplitude. Walkers start anew four times, and must then have
/// forgotten where they were.
///
/// # Errors
/// The first value that differs, or that there is no walker.
pub fn check_walker<B: Backend, W: WaveFunction<B>>(wave_function: &W, n_moves: usize, seed: u64) -> Checked {
    check_walker_within(wave_function, 1e-8, n_moves, seed)
}

/// [`check_walker`] with ratios that agree to `tolerance` of the larger amplitude. Wave functions in single
/// precision reach about 10⁻⁵.
///
/// # Errors
/// As for [`check_walker`].
pub fn check_walker_within<B: Backend, W: WaveFunction<B>>(
    wave_function: &W,
    tolerance: f64,
    n_moves: usize,
    seed: u64,
) -> Checked {
    let (hilbert, mut rng) = (wave_function.hilbert(), SplitMix::new(seed));
    let mut walker = wave_function.walker().ok_or("there is no walker")?;
    let mut x = Vec::new();
    let mut present = Complex64::ZERO;
    let mut n_accepted = 0;
    for step in 0..n_moves {
        if step % n_moves.div_ceil(4) == 0 {
            (x, present) = (random_state(hilbert, &mut rng), Complex64::ZERO);
            let expected = log_psi(wave_function, &x)?;
            let value = walker.start(&x);
            let both_zero = value.re == expected.re && expected.re == f64::NEG_INFINITY;
            ensure!(
                both_zero || same_logarithm(value, expected, tolerance),
                "start at {x:?}: {value}, log psi is {expected}"
            );
            present += expected;
        }
        if present.re == f64::NEG_INFINITY {
            continue;
        }
        check_ratios(walker.as_mut(), hilbert, &x, tolerance, &mut rng)?;
        let to = proposal(hilbert, &x, &mut rng);
        let changes = differences(&x, &to);
        let next = log_psi(wave_function, &to)?;
        let (ratio, expected) = (walker.ratio(&changes), (next - present).exp());
        ensure!(
            close(ratio, expected, tolerance) || (next.re == f64::NEG_INFINITY && ratio.norm() < tolerance),
            "step {step}, {x:?} to {to:?}: ratio {ratio}, expected {expected}"
        );
        if rng.number() > 0.0 && next.re.is_finite() {
            walker.accept();
            n_accepted += 1;
            (x, present) = (to, next);
        }
    }
    ensure!(n_accepted > 0, "psi was zero wherever the walker was to go");
    Ok(())
}

/// Checks that ratios asked for together equal those asked for one by one.
fn check_ratios(
    walker: &mut dyn Walker,
    hilbert: &HilbertSpace,
    x: &[i8],
    tolerance: f64,
    rng: &mut SplitMix,
) -> Checked {
    let mut sets = ChangeSets::new();
    sets.push([]);
    (0..rng.below(TOGETHER)).for_each(|_| sets.push(differences(x, &proposal(hilbert, x, rng))));
    let mut ratios = vec![Complex64::ZERO; sets.len()];
    walker.ratios(&sets, &mut ratios);
    for (changes, ratio) in sets.iter().zip(ratios) {
        let expected = if changes.is_empty() { Complex64::ONE } else { walker.ratio(changes) };
        let both_nan = ratio.is_nan() && expected.is_nan();
        ensure!(
            both_nan || ratio == expected || close(ratio, expected, tolerance),
            "{changes:?} of {x:?}: together with others {ratio}, by itself {expected}"
        );
    }
    Ok(())
}

fn differences(from: &[i8], to: &[i8]) -> Vec<(usize, i8)> {
    to.iter().copied().enumerate().filter(|&(k, q)| from[k] != q).collect()
}

fn log_psi<B: Backend, W: WaveFunction<B>>(wave_function: &W, x: &[i8]) -> Result<Complex64, String> {
    let x = ArrayView1::from(x).insert_axis(ndarray::Axis(0));
    let x = within("configuration", B::from_host(x, &B::default_device()))?;
    let values = within("log psi", wave_function.log_psi(&x).and_then(|v| B::amplitudes_to_host(&v)))?;
    values.first().copied().ok_or_else(|| "no value of log psi".into())
}

fn close(a: Complex64, b: Complex64, tolerance: f64) -> bool {
    (a - b).norm() <= tolerance * a.norm().max(b.norm()).max(1.0)
}

/// Compares values of the same number; imaginary parts may differ by 2π.
fn same_logarithm(a: Complex64, b: Complex64, tolerance: f64) -> bool {
    let phases = [a, b].map(|z| Complex64::cis(z.im));
    (a.re - b.re).abs() <= tolerance * b.re.abs().max(1.0) && close(phases[0], phases[1], tolerance)
}

fn random_state(hilbert: &HilbertSpace, rng: &mut SplitMix) -> Vec<i8> {
    hilbert.random_states(1, rng).expect("one state fits into memory").iter().copied().collect()
}

/// A state that differs from this one in one or two sites, if there is one; otherwise any state.
fn proposal(hilbert: &HilbertSpace, x: &[i8], rng: &mut SplitMix) -> Vec<i8> {
    for _ in 0..ATTEMPTS {
        let mut to = x.to_vec();
        match rng.below(8) {
            0 => return random_state(hilbert, rng),
            1..4 => {
                let site = rng.below(x.len());
                to[site] = hilbert.local(site).value(rng.below(hilbert.local_dim(site)));
            }
            _ => to.swap(rng.below(x.len()), rng.below(x.len())),
        }
        if to != x && hilbert.check_row(0, &to).is_ok() {
            return to;
        }
    }
    random_state(hilbert, rng)
}
