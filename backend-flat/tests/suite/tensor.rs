//! Tensor products, on the dense matrices of the flat backend.

use backend_flat::Flat;
use ndarray::{Array2, linalg::kron};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli, TermKind, Terms};
use operator_core::testing::SplitMix;
use operator_core::{Boundary, Definition, DiscreteOperator, Graph, Heisenberg, HilbertSpace, Model};
use proptest::prelude::*;

fn dense(definition: &Definition) -> Array2<Complex64> {
    definition.lower_as::<Flat, Complex64>().unwrap().to_dense().unwrap()
}

fn distance(a: &Array2<Complex64>, b: &Array2<Complex64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    a.iter().zip(b).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
}

/// Number of kinds of [`random_factor`].
const KINDS: usize = 8;

/// A random operator on a small space.
fn random_factor(kind: usize, seed: u64) -> Definition {
    let rng = &mut SplitMix::new(seed);
    match kind {
        0 => pauli_strings(Qubit::new(2).unwrap().into(), rng),
        1 => pauli_strings(Spin::half(2).unwrap().into(), rng),
        2 => matrices(Fock::new(2, 2).unwrap().into(), rng),
        3 => matrices(Spin::new(1.0, 1).unwrap().into(), rng),
        4 => fermion_strings(SpinOrbitalFermions::new(3).unwrap().into(), rng),
        5 => fermion_strings(SpinOrbitalFermions::with_spin(2, 0.5).unwrap().into(), rng),
        6 => {
            let fermions = SpinOrbitalFermions::new(4).unwrap();
            fermion_strings(fermions.with_n_fermions(2).unwrap().into(), rng)
        }
        _ => {
            let spins = Spin::half(4).unwrap().with_total_sz(0.0).unwrap();
            let ring = Graph::chain(4, Boundary::Periodic).unwrap();
            Heisenberg::new(spins, &ring, rng.number()).unwrap().definition().unwrap()
        }
    }
}

fn complex(rng: &mut SplitMix) -> Complex64 {
    Complex64::new(rng.number(), rng.number())
}

fn pauli_strings(hilbert: HilbertSpace, rng: &mut SplitMix) -> Definition {
    let mut terms = Terms::new(hilbert);
    for _ in 0..5 {
        let weight = rng.below(3);
        let sites = rng.distinct(weight, 2);
        let string: Vec<_> =
            sites.into_iter().map(|site| (site, [Pauli::X, Pauli::Y, Pauli::Z][rng.below(3)])).collect();
        terms.pauli_on_occupations(complex(rng), &string).unwrap();
    }
    Definition::new("Pauli strings", terms).unwrap()
}

fn matrices(hilbert: HilbertSpace, rng: &mut SplitMix) -> Definition {
    let sites: Vec<usize> = (0..hilbert.n_sites()).rev().collect();
    let mut terms = Terms::new(hilbert.clone());
    for sites in [&sites[..], &sites[..1]] {
        let dim = sites.iter().map(|&site| hilbert.local_states(site).unwrap().dim()).product();
        let matrix = Array2::from_shape_simple_fn((dim, dim), || complex(rng));
        terms.local(complex(rng), sites, matrix).unwrap();
    }
    Definition::new("matrices", terms).unwrap()
}

/// Strings of any ladders, or of as many c† as c where the number of fermions is fixed.
fn fermion_strings(hilbert: HilbertSpace, rng: &mut SplitMix) -> Definition {
    let (n_modes, fixed) = (hilbert.n_sites(), hilbert.is_constrained());
    let mut terms = Terms::new(hilbert);
    for _ in 0..6 {
        let len = if fixed { 2 * (1 + rng.below(2)) } else { rng.below(4) };
        let dagger =
            |k: usize, rng: &mut SplitMix| if fixed { k.is_multiple_of(2) } else { rng.below(2) == 0 };
        let string: Vec<_> = (0..len)
            .map(|k| {
                let mode = rng.below(n_modes);
                if dagger(k, rng) { Ladder::create(mode) } else { Ladder::destroy(mode) }
            })
            .collect();
        terms.fermion(complex(rng), &string).unwrap();
    }
    Definition::new("fermion strings", terms).unwrap()
}

/// Adds the terms of an operator on one factor, which starts at site `start`.
fn embed(operator: &Definition, start: usize, terms: &mut Terms) {
    let parameters = operator.parameters().to_vec();
    for term in operator.terms() {
        let value = term.coefficient().parameter().map_or(1.0, |p| parameters[p.index()]);
        let coefficient = term.coefficient().factor() * value;
        match term.kind() {
            TermKind::Local(local) => {
                let sites: Vec<_> = local.sites().iter().map(|site| start + site).collect();
                terms.local(coefficient, &sites, local.matrix().clone()).unwrap();
            }
            TermKind::Pauli(string) => {
                let string: Vec<_> =
                    string.paulis().into_iter().map(|(site, pauli)| (start + site, pauli)).collect();
                terms.pauli_on_occupations(coefficient, &string).unwrap();
            }
            TermKind::Fermion(string) => {
                let ladder = |l: &Ladder| {
                    let mode = start + l.mode();
                    if l.creates() { Ladder::create(mode) } else { Ladder::destroy(mode) }
                };
                let string: Vec<_> = string.ladders().iter().map(ladder).collect();
                terms.fermion(coefficient, &string).unwrap();
            }
            other => panic!("{other} is of no family that this test knows"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The sum of operators of the factors is Σ 1 ⊗ … ⊗ A_k ⊗ … ⊗ 1, on states that meet the constraints.
    #[test]
    fn embedded_terms_are_kronecker_products_with_the_identity(
        kinds in proptest::collection::vec(0..KINDS, 2..4), seed in any::<u64>(),
    ) {
        let operators: Vec<Definition> =
            kinds.iter().zip(0..).map(|(&kind, k)| random_factor(kind, seed.wrapping_add(k))).collect();
        let space = HilbertSpace::tensor(operators.iter().map(|o| o.hilbert().clone())).unwrap();
        let n_states = space.n_states().unwrap();
        prop_assume!(n_states <= 600);
        let mut terms = Terms::new(space);
        let mut expected = Array2::zeros((n_states, n_states));
        let (mut start, mut before) = (0, 1);
        for operator in &operators {
            embed(operator, start, &mut terms);
            let matrix = dense(operator);
            let after = n_states / before / matrix.nrows();
            expected += &kron(&kron(&Array2::eye(before), &matrix), &Array2::eye(after));
            start += operator.hilbert().n_sites();
            before *= matrix.nrows();
        }
        let sum = Definition::new("sum", terms).unwrap();
        prop_assert!(distance(&dense(&sum), &expected) < 1e-12);
        let adjoint = expected.t().mapv(|z| z.conj());
        if !sum.hilbert().is_constrained() {
            prop_assert_eq!(sum.is_hermitian(), distance(&expected, &adjoint) < 1e-12);
        }
    }
}

#[test]
fn fermions_anticommute_within_a_factor_and_commute_across() {
    // Beside a boson the strings are tables, beside a qubit masks.
    for between in [HilbertSpace::from(Fock::new(2, 1).unwrap()), Qubit::new(1).unwrap().into()] {
        let fermions = HilbertSpace::from(SpinOrbitalFermions::new(3).unwrap());
        let space = HilbertSpace::tensor([fermions.clone(), between, fermions]).unwrap();
        let matrix = |ladder: Ladder| {
            let mut terms = Terms::new(space.clone());
            terms.fermion(1.0, &[ladder]).unwrap();
            dense(&Definition::new("ladder", terms).unwrap())
        };
        let identity = Array2::eye(space.n_states().unwrap());
        let modes = [0, 1, 2, 4, 5, 6];
        for (a, b) in modes.iter().flat_map(|a| modes.iter().map(move |b| (*a, *b))) {
            let one_factor = (a < 3) == (b < 3);
            let sign = Complex64::from(if one_factor { 1.0 } else { -1.0 });
            for (left, right) in
                [(Ladder::destroy(a), Ladder::create(b)), (Ladder::destroy(a), Ladder::destroy(b))]
            {
                let equal = a == b && left.creates() != right.creates();
                let (left, right) = (matrix(left), matrix(right));
                let bracket = left.dot(&right) + right.dot(&left) * sign;
                let expected = &identity * Complex64::from(if equal { 1.0 } else { 0.0 });
                assert!(distance(&bracket, &expected) == 0.0, "modes {a} and {b} on {space}");
            }
        }
    }
}

/// The Jaynes-Cummings model at resonance: doublets of n excitations at n ω ± g √n, in units of ω = 1.
///
/// # Source
/// E. T. Jaynes and F. W. Cummings, Proc. IEEE 51, 89 (1963).
#[test]
fn the_jaynes_cummings_doublets_are_eigenstates() {
    let (g, n_max) = (0.3, 4);
    let space = (HilbertSpace::from(Spin::half(1).unwrap()) * Fock::new(n_max, 1).unwrap()).unwrap();
    let dim = n_max + 1;
    let lower = Array2::from_shape_fn((dim, dim), |(r, c)| match c == r + 1 {
        true => Complex64::from((c as f64).sqrt()),
        false => Complex64::ZERO,
    });
    // Local index 0 is up: σ+ takes index 1 to 0.
    let raise = operator_core::terms::real_matrix([[0.0, 1.0], [0.0, 0.0]]);
    let absorb = kron(&raise, &lower);
    let mut terms = Terms::new(space.clone());
    terms.local(1.0, &[1], Array2::from_diag(&ndarray::Array1::from_shape_fn(dim, |n| n as f64))).unwrap();
    terms.local(1.0, &[0], operator_core::terms::real_matrix([[1.0, 0.0], [0.0, 0.0]])).unwrap();
    terms.local(g, &[0, 1], &absorb + &absorb.t()).unwrap();
    let matrix = dense(&Definition::new("Jaynes-Cummings", terms).unwrap());
    for n in 1..=n_max {
        for sign in [1.0, -1.0] {
            let mut state = ndarray::Array1::from_elem(2 * dim, Complex64::ZERO);
            state[space.index_of(&[-1, n as i8]).unwrap()] = Complex64::from(0.5f64.sqrt());
            state[space.index_of(&[1, n as i8 - 1]).unwrap()] = Complex64::from(sign * 0.5f64.sqrt());
            let energy = Complex64::from(n as f64 + sign * g * (n as f64).sqrt());
            let rest = matrix.dot(&state) - &state * energy;
            assert!(rest.iter().all(|z| z.norm() < 1e-14), "n = {n}");
        }
    }
}
