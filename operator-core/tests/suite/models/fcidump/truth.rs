//! Random integrals, and their operators made bit by bit.

use std::collections::BTreeMap;

use num_complex::Complex64;
use operator_core::rand::RngExt as _;
use operator_core::{HilbertSpace, IntegralSymmetry};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::models::matrix::Matrix;

pub(super) type Two = BTreeMap<[usize; 4], Complex64>;
pub(super) type One = BTreeMap<[usize; 2], Complex64>;

/// Integrals over modes, each order by itself; those that are left out are 0.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub(super) core: f64,
    pub(super) one: One,
    pub(super) two: Two,
}

/// Applies c† (true) or c to a state, a bit a mode, with a sign for each filled mode before it.
pub(super) fn apply(state: u64, sign: f64, mode: usize, creates: bool) -> Option<(u64, f64)> {
    let bit = 1 << mode;
    let is_filled = state & bit != 0;
    let sign = if (state & (bit - 1)).count_ones() % 2 == 1 { -sign } else { sign };
    (is_filled != creates).then_some((state ^ bit, sign))
}

impl Truth {
    /// Spatial orbitals, the same for both spins.
    pub(super) fn spatial(n: usize, core: f64, one: &One, two: &Two) -> Self {
        let mut truth = Truth { core, one: One::new(), two: Two::new() };
        for a in [0, n] {
            truth.one.extend(one.iter().map(|(&[p, q], &value)| ([p + a, q + a], value)));
            for b in [0, n] {
                truth
                    .two
                    .extend(two.iter().map(|(&[p, q, r, s], &value)| ([p + a, q + a, r + b, s + b], value)));
            }
        }
        truth
    }

    pub(super) fn matrix(&self, hilbert: &HilbertSpace) -> Matrix {
        let rows = hilbert.all_states().unwrap();
        let bits =
            |row: ndarray::ArrayView1<'_, i8>| row.iter().rev().fold(0u64, |bits, &n| 2 * bits + n as u64);
        let states: Vec<u64> = rows.rows().into_iter().map(bits).collect();
        let places: BTreeMap<u64, usize> = states.iter().enumerate().map(|(k, &state)| (state, k)).collect();
        let mut matrix = Matrix::zeros((states.len(), states.len()));
        let mut add = |column: usize, image: Option<(u64, f64)>, value: Complex64| {
            if let Some((state, sign)) = image {
                matrix[[places[&state], column]] += sign * value;
            }
        };
        for (column, &state) in states.iter().enumerate() {
            add(column, Some((state, 1.0)), self.core.into());
            for (&[p, q], &value) in &self.one {
                let image = apply(state, 1.0, q, false).and_then(|(state, sign)| apply(state, sign, p, true));
                add(column, image, value);
            }
            for (&[p, q, r, s], &value) in &self.two {
                let steps = [(q, false), (s, false), (r, true), (p, true)];
                let image = steps.into_iter().try_fold((state, 1.0), |(state, sign), (mode, creates)| {
                    apply(state, sign, mode, creates)
                });
                add(column, image, 0.5 * value);
            }
        }
        matrix
    }
}

/// The orders of an integral that a symmetry makes equal, and whether each is conjugated.
pub(super) fn orders(symmetry: IntegralSymmetry, [p, q, r, s]: [usize; 4]) -> Vec<([usize; 4], bool)> {
    let half = match symmetry {
        IntegralSymmetry::Exchange => vec![([p, q, r, s], false)],
        IntegralSymmetry::Hermitian => vec![([p, q, r, s], false), ([q, p, s, r], true)],
        IntegralSymmetry::Real => {
            vec![([p, q, r, s], false), ([q, p, s, r], false), ([q, p, r, s], false), ([p, q, s, r], false)]
        }
    };
    half.into_iter().flat_map(|([p, q, r, s], c)| [([p, q, r, s], c), ([r, s, p, q], c)]).collect()
}

pub(super) fn random(
    rng: &mut Xoshiro256PlusPlus,
    symmetry: IntegralSymmetry,
    is_complex: bool,
) -> Complex64 {
    let mut number = || rng.random::<f64>() * 2.0 - 1.0;
    let (re, im) = (number(), number());
    Complex64::new(re, if is_complex && symmetry != IntegralSymmetry::Real { im } else { 0.0 })
}

/// Random integrals over `n` orbitals, those that `keep` keeps.
pub(super) fn random_integrals(
    rng: &mut Xoshiro256PlusPlus,
    n: usize,
    symmetry: IntegralSymmetry,
    is_complex: bool,
    keep: impl Fn([usize; 4]) -> bool,
) -> (One, Two) {
    let (mut one, mut two) = (One::new(), Two::new());
    for p in 0..n {
        for q in 0..n {
            let value = random(rng, symmetry, is_complex);
            if !keep([p, q, 0, 0]) || one.contains_key(&[p, q]) {
                continue;
            }
            let is_hermitian = symmetry != IntegralSymmetry::Exchange;
            one.insert([p, q], if p == q && is_hermitian { value.re.into() } else { value });
            if p != q && is_hermitian {
                one.insert([q, p], value.conj());
            }
            for r in 0..n {
                for s in 0..n {
                    let value = random(rng, symmetry, is_complex);
                    let orders = orders(symmetry, [p, q, r, s]);
                    if !keep([p, q, r, s]) || two.contains_key(&[p, q, r, s]) {
                        continue;
                    }
                    let is_real = orders.contains(&([p, q, r, s], true));
                    let value = if is_real { value.re.into() } else { value };
                    two.extend(
                        orders.into_iter().map(|(order, c)| (order, if c { value.conj() } else { value })),
                    );
                }
            }
        }
    }
    (one, two)
}
