//! What terms mean, on the dense matrices of the flat backend.

use backend_flat::{Flat, FlatOperator};
use ndarray::Array2;
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli, Terms};
use operator_core::testing::{SplitMix, catalogue, check_agree, kronecker_dense};
use operator_core::{
    Boundary, Definition, DiscreteOperator, Graph, Heisenberg, HilbertSpace, Ising, LocalOperator, Model,
    PauliStrings,
};
use proptest::prelude::*;

fn dense(terms: Terms) -> Array2<Complex64> {
    let definition = Definition::new("test", terms).unwrap();
    definition.lower_as::<Flat, Complex64>().unwrap().to_dense().unwrap()
}

fn distance(a: &Array2<Complex64>, b: &Array2<Complex64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
}

fn fermions(n: usize, strings: &[&[Ladder]]) -> Array2<Complex64> {
    let mut terms = Terms::new(SpinOrbitalFermions::new(n).unwrap());
    for string in strings {
        terms.fermion(1.0, string).unwrap();
    }
    dense(terms)
}

#[test]
fn fermion_operators_anticommute() {
    let n = 5;
    let identity = Array2::eye(1 << n);
    let zero = Array2::zeros((1 << n, 1 << n));
    for i in 0..n {
        for j in 0..n {
            let (ci, cj) = (Ladder::destroy(i), Ladder::destroy(j));
            let (di, dj) = (Ladder::create(i), Ladder::create(j));
            let expected = if i == j { &identity } else { &zero };
            assert!(distance(&fermions(n, &[&[ci, dj], &[dj, ci]]), expected) == 0.0, "{{c_{i}, c_{j}^}}");
            assert!(distance(&fermions(n, &[&[ci, cj], &[cj, ci]]), &zero) == 0.0, "{{c_{i}, c_{j}}}");
            assert!(distance(&fermions(n, &[&[di, dj], &[dj, di]]), &zero) == 0.0, "{{c_{i}^, c_{j}^}}");
            let product = fermions(n, &[&[di]]).dot(&fermions(n, &[&[cj]]));
            assert!(distance(&fermions(n, &[&[di, cj]]), &product) == 0.0, "c_{i}^ c_{j}");
        }
    }
}

#[test]
fn hops_are_the_pauli_strings_of_jordan_and_wigner() {
    let n = 5;
    for i in 0..n {
        for j in i + 1..n {
            let hop = fermions(
                n,
                &[&[Ladder::create(i), Ladder::destroy(j)], &[Ladder::create(j), Ladder::destroy(i)]],
            );
            // c_i^ c_j + c_j^ c_i = (X Z…Z X + Y Z…Z Y) / 2
            let mut terms = Terms::new(Qubit::new(n).unwrap());
            for end in [Pauli::X, Pauli::Y] {
                let between = (i + 1..j).map(|k| (k, Pauli::Z));
                let string: Vec<_> = [(i, end), (j, end)].into_iter().chain(between).collect();
                terms.pauli(0.5, &string).unwrap();
            }
            assert!(distance(&dense(terms), &hop) == 0.0, "hop between {i} and {j}");
        }
    }
}

#[test]
fn matrices_of_pauli_strings_are_products_of_pauli_matrices() {
    let one = |pauli: Pauli| {
        let mut terms = Terms::new(Qubit::new(1).unwrap());
        terms.pauli(1.0, &[(0, pauli)]).unwrap();
        dense(terms)
    };
    let (x, y, z) = (one(Pauli::X), one(Pauli::Y), one(Pauli::Z));
    assert_eq!(x.dot(&y), z.mapv(|z| z * Complex64::I));
    assert_eq!(y.dot(&z), x.mapv(|z| z * Complex64::I));
    assert_eq!(z.dot(&x), y.mapv(|z| z * Complex64::I));
}

/// A random operator of one of three families on a small space without constraint.
fn random_operator(family: usize, hermitian: bool, complex: bool, seed: u64) -> Definition {
    let mut rng = SplitMix::new(seed);
    let mut coefficient = |im: bool| Complex64::new(rng.number(), if im { rng.number() } else { 0.0 });
    let mut pick = SplitMix::new(seed ^ 0x55);
    match family {
        0 => {
            let mut terms = Terms::new(Qubit::new(4).unwrap());
            for _ in 0..8 {
                let sites = {
                    let k = 1 + pick.below(3);
                    pick.distinct(k, 4)
                };
                let string: Vec<_> = sites
                    .into_iter()
                    .map(|site| (site, [Pauli::X, Pauli::Y, Pauli::Z][pick.below(3)]))
                    .collect();
                terms.pauli(coefficient(complex && !hermitian), &string).unwrap();
            }
            Definition::new("Pauli strings", terms).unwrap()
        }
        1 => {
            let mut terms = Terms::new(SpinOrbitalFermions::new(4).unwrap());
            for _ in 0..6 {
                let len = 1 + pick.below(4);
                let string: Vec<_> = (0..len)
                    .map(|_| {
                        let mode = pick.below(4);
                        if pick.below(2) == 0 { Ladder::create(mode) } else { Ladder::destroy(mode) }
                    })
                    .collect();
                let c = coefficient(complex);
                terms.fermion(c, &string).unwrap();
                if hermitian {
                    let adjoint: Vec<_> = string.iter().rev().map(|l| l.adjoint()).collect();
                    terms.fermion(c.conj(), &adjoint).unwrap();
                }
            }
            Definition::new("fermion strings", terms).unwrap()
        }
        _ => {
            let mut model = LocalOperator::new(Fock::new(2, 3).unwrap());
            for sites in [&[2, 0][..], &[1], &[0, 1], &[0]] {
                let dim = 3usize.pow(sites.len() as u32);
                let mut matrix = Array2::from_shape_simple_fn((dim, dim), || coefficient(complex));
                if hermitian {
                    let adjoint = matrix.t().mapv(|z| z.conj());
                    matrix += &adjoint;
                }
                model = model.with(sites, matrix).unwrap();
            }
            model.definition().unwrap()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn hermiticity_is_that_of_the_matrix(
        family in 0usize..3, hermitian in any::<bool>(), complex in any::<bool>(), seed in any::<u64>(),
    ) {
        let definition = random_operator(family, hermitian, complex, seed);
        let reference = kronecker_dense(&definition).unwrap();
        let operator = definition.lower_as::<Flat, Complex64>().unwrap();
        prop_assert!(distance(&operator.to_dense().unwrap(), &reference) < 1e-12);
        let adjoint = reference.t().mapv(|z| z.conj());
        prop_assert_eq!(definition.is_hermitian(), distance(&reference, &adjoint) < 1e-12);
        if hermitian {
            prop_assert!(definition.is_hermitian());
        }
        if reference.iter().any(|z| z.im != 0.0) {
            prop_assert!(!definition.is_real());
        }
    }

    #[test]
    fn new_parameters_are_the_model_built_anew(
        h in -3.0..3.0f64, j in -3.0..3.0f64, js in proptest::collection::vec(-3.0..3.0f64, 2),
        weights in proptest::collection::vec((-3.0..3.0f64, 0.1..3.0f64), 3),
    ) {
        let graph = Graph::chain(5, Boundary::Periodic).unwrap().with_colors([0, 1, 0, 1, 1]).unwrap();
        let spins = || Spin::half(5).unwrap();
        let ising = |h: f64, j: f64| Ising::new(spins(), &graph, h, j).unwrap().definition().unwrap();
        same_after_setting(ising(1.0, 1.0), ising(h, j), &[h, j]);
        let heisenberg =
            |js: [f64; 2]| Heisenberg::new(spins(), &graph, js).unwrap().definition().unwrap();
        same_after_setting(heisenberg([1.0, 1.0]), heisenberg([js[0], js[1]]), &js);
        let weights: Vec<_> = weights.iter().map(|&(re, im)| Complex64::new(re, im)).collect();
        let strings = |weights: &[Complex64]| {
            let weights = weights.iter().copied();
            PauliStrings::new(spins(), ["XYZXY", "IIXII", "ZIXIZ"], weights).unwrap().definition().unwrap()
        };
        let values: Vec<f64> = weights.iter().map(|w| w.re).chain(weights.iter().map(|w| w.im)).collect();
        same_after_setting(strings(&[Complex64::ONE + Complex64::I; 3]), strings(&weights), &values);
    }
}

fn same_after_setting(old: Definition, new: Definition, values: &[f64]) {
    let set = old.with_parameters(old.parameters().with_values(values).unwrap()).unwrap();
    assert_eq!(set, new);
    let (set, new) = (set.lower_as::<Flat, Complex64>().unwrap(), new.lower_as::<Flat, Complex64>().unwrap());
    assert!(distance(&set.to_dense().unwrap(), &new.to_dense().unwrap()) == 0.0);
}

#[test]
fn packing_what_was_unpacked_changes_nothing() {
    for entry in catalogue().unwrap() {
        let (parameters, structure) = entry.definition.unpack();
        assert_eq!(structure.pack(parameters).unwrap(), entry.definition, "{}", entry.name);
        let operator = entry.definition.lower_as::<Flat, Complex64>().unwrap();
        let (parameters, _) = operator.unpack().unwrap();
        let again: FlatOperator<Complex64> = operator.with_parameters(parameters).unwrap();
        check_agree(&operator, &again).unwrap();
    }
}

#[test]
fn terms_with_equal_flips_are_one_connected_element() {
    let space: HilbertSpace = Spin::half(3).unwrap().into();
    let mut terms = Terms::new(space);
    let p = terms.parameter("p", [1.0, 2.0, 4.0]).unwrap();
    terms.pauli(p.at(0).unwrap(), &[(0, Pauli::X)]).unwrap();
    terms.pauli(p.at(1).unwrap(), &[(0, Pauli::X), (2, Pauli::Z)]).unwrap();
    terms.pauli(p.at(2).unwrap(), &[(0, Pauli::X), (1, Pauli::Z), (2, Pauli::Z)]).unwrap();
    terms.pauli(-1.0, &[(0, Pauli::X)]).unwrap();
    let definition = Definition::new("one flip", terms).unwrap();
    assert_eq!(definition.max_conn_size(), 1);
    let operator = definition.lower::<Flat>().unwrap();
    let element = |x: [i8; 3]| operator.get_conn(ndarray::aview1(&x)).unwrap().1.to_vec();
    assert_eq!(element([1, 1, 1]), [6.0]);
    assert_eq!(element([1, 1, -1]), [-6.0]);
    assert_eq!(element([1, -1, 1]), [-2.0]);
    assert_eq!(element([-1, -1, -1]), [2.0]);
}

#[test]
fn elements_that_cancel_for_some_parameters_are_left_out() {
    let mut terms = Terms::new(Qubit::new(2).unwrap());
    let p = terms.parameter("p", [1.0, 1.0]).unwrap();
    terms.pauli(p.at(0).unwrap(), &[(0, Pauli::X)]).unwrap();
    terms.pauli(p.at(1).unwrap(), &[(0, Pauli::X), (1, Pauli::Z)]).unwrap();
    let operator = Definition::new("half a flip", terms).unwrap().lower::<Flat>().unwrap();
    let x = ndarray::aview2(&[[0, 0], [0, 1]]);
    assert_eq!(operator.n_conn(x).unwrap().to_vec(), [1, 0]);
    assert_eq!(operator.get_conn_flattened(x).unwrap().mels().to_vec(), [2.0]);
}

#[test]
fn the_adjoint_is_the_conjugate_transpose() {
    for seed in 0..6 {
        let definition = random_operator(seed % 3, false, true, seed as u64);
        let operator = definition.lower_as::<Flat, Complex64>().unwrap();
        let adjoint = operator.adjoint().unwrap().to_dense().unwrap();
        let expected = operator.to_dense().unwrap().t().mapv(|z| z.conj());
        assert!(distance(&adjoint, &expected) < 1e-12, "{definition}");
        assert!(distance(&adjoint, &operator.to_dense().unwrap()) > 1e-3, "{definition} is not Hermitian");
    }
}
