//! Random operators and their matrices.
#![allow(dead_code)]

use ndarray::Array2;
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Coefficient, Ladder, Pauli, SiteMatrix, Terms};
use operator_core::testing::{SplitMix, kronecker_dense};
use operator_core::{Definition, HilbertSpace};

pub(crate) type Matrix = Array2<Complex64>;

/// Small spaces of every kind.
pub(crate) fn spaces() -> Vec<HilbertSpace> {
    vec![
        Spin::half(3).unwrap().into(),
        Qubit::new(4).unwrap().into(),
        Spin::new(1.0, 3).unwrap().into(),
        Spin::new(1.5, 2).unwrap().into(),
        Fock::new(2, 3).unwrap().into(),
        SpinOrbitalFermions::new(4).unwrap().into(),
        SpinOrbitalFermions::with_spin(2, 0.5).unwrap().into(),
    ]
}

/// The spaces of two-level sites among them.
pub(crate) fn two_level_spaces() -> Vec<HilbertSpace> {
    spaces().into_iter().filter(HilbertSpace::is_two_level).collect()
}

pub(crate) fn complex(rng: &mut SplitMix) -> Complex64 {
    Complex64::new(rng.number(), rng.number())
}

/// A random operator of all the families that the space carries, with two parameters if asked for.
pub(crate) fn random_terms(hilbert: &HilbertSpace, seed: u64, with_parameters: bool) -> Terms {
    let mut rng = SplitMix::new(seed);
    let mut terms = Terms::new(hilbert.clone());
    let parameters = with_parameters.then(|| {
        let h = terms.parameter("h", rng.number()).unwrap();
        let j = terms.parameter("J", [rng.number(), rng.number()]).unwrap();
        [h.at(0).unwrap(), j.at(0).unwrap(), j.at(1).unwrap()]
    });
    for _ in 0..2 + rng.below(4) {
        let factor = complex(&mut rng);
        let coefficient = match parameters {
            Some(parameters) if rng.below(3) > 0 => factor * parameters[rng.below(3)],
            _ => factor.into(),
        };
        push_random(&mut terms, coefficient, &mut rng);
    }
    terms
}

fn push_random(terms: &mut Terms, coefficient: Coefficient, rng: &mut SplitMix) {
    let hilbert = terms.hilbert().clone();
    let n_sites = hilbert.n_sites();
    let family = match (hilbert.is_fermionic(), hilbert.is_two_level()) {
        (true, _) => [0, 1, 2, 2, 2, 3][rng.below(6)],
        (_, true) => [0, 1, 3][rng.below(3)],
        _ => [0, 3][rng.below(2)],
    };
    match family {
        3 => {
            let n = rng.below(n_sites + 1);
            let factors: Vec<_> = (rng.distinct(n, n_sites).into_iter())
                .map(|site| (site, random_site_matrix(rng, hilbert.local_states(site).unwrap().dim())))
                .collect();
            terms.product(coefficient, &factors).unwrap();
        }
        0 => {
            let n = rng.below(3);
            let sites = rng.distinct(n, n_sites);
            let dim = sites.iter().map(|&site| hilbert.local_states(site).unwrap().dim()).product();
            let matrix = Array2::from_shape_simple_fn((dim, dim), || match rng.below(2) {
                0 => Complex64::ZERO,
                _ => complex(rng),
            });
            terms.local(coefficient, &sites, matrix).unwrap();
        }
        1 => {
            let n = rng.below(n_sites + 1);
            let sites = rng.distinct(n, n_sites);
            let string: Vec<_> =
                sites.into_iter().map(|site| (site, [Pauli::X, Pauli::Y, Pauli::Z][rng.below(3)])).collect();
            terms.pauli_on_occupations(coefficient, &string).unwrap();
        }
        _ => {
            let string: Vec<_> = (0..rng.below(5))
                .map(|_| {
                    let mode = rng.below(n_sites);
                    if rng.below(2) == 0 { Ladder::create(mode) } else { Ladder::destroy(mode) }
                })
                .collect();
            terms.fermion(coefficient, &string).unwrap();
        }
    }
}

/// A matrix that raises, lowers or weighs its site, or any other.
pub(crate) fn random_site_matrix(rng: &mut SplitMix, dim: usize) -> SiteMatrix {
    let kind = rng.below(5);
    let value = |rng: &mut SplitMix| if kind < 4 { Complex64::from(rng.number()) } else { complex(rng) };
    let elements = (0..dim * dim).map(|k| (k / dim, k % dim)).filter_map(|(row, column)| {
        let is_there = match kind {
            0 => row == column,
            1 => row + 1 == column,
            2 => row == column + 1,
            3 => row + column + 1 == dim,
            _ => rng.below(2) == 0,
        };
        is_there.then(|| (row, column, value(rng)))
    });
    SiteMatrix::new(dim, elements.collect::<Vec<_>>())
}

/// The matrix by Kronecker products.
pub(crate) fn dense(terms: &Terms) -> Matrix {
    kronecker_dense(&Definition::new("test", terms.clone()).unwrap()).unwrap()
}

pub(crate) fn adjoint(matrix: &Matrix) -> Matrix {
    matrix.t().mapv(|z| z.conj())
}

pub(crate) fn distance(a: &Matrix, b: &Matrix) -> f64 {
    (a - b).iter().map(|z| z.norm()).fold(0.0, f64::max)
}

/// Equal up to the rounding of elements of order 100.
#[track_caller]
pub(crate) fn assert_close(a: &Matrix, b: &Matrix) {
    let distance = distance(a, b);
    assert!(distance < 1e-11, "matrices differ by {distance:e}");
}

pub(crate) fn eye(hilbert: &HilbertSpace) -> Matrix {
    Matrix::eye(hilbert.n_states().unwrap())
}
