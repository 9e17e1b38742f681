//! Finds out whether a custom kernel is Hermitian if it does not say so itself.

use std::fmt::Debug;

use ndarray::{ArrayView2, Axis};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::merged_row::MergedRow;

/// Spaces of at most this many states are tested on all states, which decides the question. This takes about a
/// second on the slowest backend, which hands every batch to a device. A sample of the states could miss the few
/// elements in which an operator differs from its conjugate.
const SMALL_SPACE: usize = 1 << 14;

/// States of a larger space that are tested.
const PROBES: usize = 64;

/// How many samples have their x' connected together. More samples make fewer batches, but each x' needs a row.
const SAMPLES_AT_A_TIME: usize = 4;

/// Largest relative difference of two elements that count as conjugates. Kernels may compute them in single
/// precision and along different paths.
const TOLERANCE: f64 = 1e-6;

/// Tests `<x|O|x'> = conj <x'|O|x>` for all x of a small space, or random ones of a large space, and all
/// their x'.
///
/// For backends, which wrap kernels of third parties. `rows` connects a batch `(batch, n_sites)` of states: it
/// [starts](MergedRow::start) one row for each state and adds the elements. `operator` names the kernel in errors.
///
/// # Errors
/// Those of `rows`; [`Error::Custom`] if an x' is not a state of the space.
pub fn probe_hermitian<T: Element>(
    operator: &dyn Debug,
    hilbert: &HilbertSpace,
    mut rows: impl FnMut(ArrayView2<'_, i8>, &mut [MergedRow<T>]) -> Result<()>,
) -> Result<bool> {
    let samples = match hilbert.n_states() {
        Ok(n_states) if n_states <= SMALL_SPACE => hilbert.all_states()?,
        _ => hilbert.random_states(PROBES, &mut Xoshiro256PlusPlus::seed_from_u64(0))?,
    };
    let (mut forward, mut back, mut connected) = (Vec::new(), Vec::new(), Vec::new());
    forward.resize_with(SAMPLES_AT_A_TIME, MergedRow::new);
    for x in samples.axis_chunks_iter(Axis(0), SAMPLES_AT_A_TIME) {
        let forward = &mut forward[..x.nrows()];
        rows(x, forward)?;
        connected.clear();
        forward.iter().for_each(|row| connected.extend_from_slice(row.states()));
        let n_connected = connected.len() / hilbert.n_sites();
        let x_prime = ArrayView2::from_shape((n_connected, hilbert.n_sites()), &connected)
            .expect("every x' has as many sites as x");
        hilbert.check(x_prime).map_err(|error| Error::leaves_space(format!("{operator:?}"), &error))?;
        if back.len() < n_connected {
            back.resize_with(n_connected, MergedRow::new);
        }
        rows(x_prime, &mut back[..n_connected])?;
        let mut back = back.iter();
        for row in forward {
            let size = row.size();
            let pairs = (0..row.len()).zip(back.by_ref());
            for (place, back) in pairs {
                if !conjugate(row.sum(place), back.sum_to(row.x()), size) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

/// Whether two elements are conjugates of each other, up to rounding. Summands that cancel on one side may leave a
/// rounding error on the other, so the test also allows for `size`, the sum of their absolute values.
fn conjugate<T: Element>(forward: T, back: T, size: f64) -> bool {
    let (forward, back) = (forward.to_complex(), back.to_complex());
    let difference = T::from_complex(back - forward.conj());
    difference.to_complex().norm() <= TOLERANCE * forward.norm().max(back.norm()) || difference.cancels(size)
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;
    use crate::hilbert::{Fock, Spin};

    /// A row of a kernel that changes one sample at a time.
    fn probe<T: Element>(
        hilbert: impl Into<HilbertSpace>,
        connect: impl Fn(&[i8], &mut MergedRow<T>),
    ) -> Result<bool> {
        probe_hermitian(&"kernel", &hilbert.into(), |x, rows| {
            for (x, row) in x.rows().into_iter().zip(rows) {
                let x = x.to_vec();
                row.start(&x);
                connect(&x, row);
            }
            Ok(())
        })
    }

    /// Adds `mel` times the transfer of a boson between neighbours.
    fn hop<T: Element>(x: &[i8], from: usize, to: usize, mel: T, row: &mut MergedRow<T>) {
        if x[from] > 0 && x[to] < 2 {
            let mut x_prime = x.to_vec();
            x_prime[from] -= 1;
            x_prime[to] += 1;
            row.add(&x_prime, mel);
        }
    }

    #[test]
    fn hops_with_conjugate_elements_are_hermitian() {
        let mel = Complex64::new(0.5, 0.25);
        for (back, expected) in [(mel.conj(), true), (mel, false)] {
            let answer = probe(Fock::new(2, 5).unwrap(), |x, row| {
                hop(x, 0, 1, mel, row);
                hop(x, 1, 0, back, row);
            });
            assert_eq!(answer.unwrap(), expected);
        }
    }

    #[test]
    fn large_spaces_are_tested_on_some_states() {
        let flips = |x: &[i8], row: &mut MergedRow<f64>, one_way: bool| {
            for site in (0..x.len()).filter(|&site| !one_way || x[site] == 1) {
                let mut x_prime = x.to_vec();
                x_prime[site] = -x[site];
                row.add(&x_prime, 1.0);
            }
        };
        let spins = Spin::half(70).unwrap();
        assert!(probe(spins.clone(), |x, row| flips(x, row, false)).unwrap());
        assert!(!probe(spins, |x, row| flips(x, row, true)).unwrap());
    }

    #[test]
    fn what_cancels_on_one_side_only_is_rounding() {
        // 0.1 + 0.2 − 0.3 is not 0, and nothing leads back.
        let answer = probe(Spin::half(2).unwrap(), |x, row| {
            if x[0] == 1 {
                [0.1, 0.2, -0.3].iter().for_each(|&mel| {
                    row.add(&[-1, x[1]], mel);
                });
            }
        });
        assert!(answer.unwrap());
    }

    #[test]
    fn an_x_prime_outside_the_space_is_reported() {
        let fixed = Spin::half(2).unwrap().with_total_sz(0.0).unwrap();
        let answer = probe(fixed, |_, row: &mut MergedRow<f64>| {
            row.add(&[1, 1], 1.0);
        });
        let message = answer.unwrap_err().to_string();
        assert!(
            message.starts_with("custom operator \"kernel\": it leaves its space (sample 0"),
            "{message}"
        );
    }
}
