//! The algebra of terms and definitions against that of their matrices.
#![cfg(feature = "testing")]

use crate::common::{adjoint, assert_close, dense, distance, eye, random_terms, spaces};
use num_complex::Complex64;
use operator_core::expression::{boson, fermion, spin};
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli, TermKind, Terms, real_matrix};
use operator_core::testing::{SplitMix, catalogue, kronecker_dense};
use operator_core::{
    Boundary, Definition, Error, Graph, Heisenberg, HilbertSpace, Ising, Model, PauliStrings,
};
use proptest::prelude::*;

fn space() -> impl Strategy<Value = HilbertSpace> {
    prop::sample::select(spaces())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn sums_and_multiples_are_those_of_the_matrices(space in space(), seed: u64, re in -2.0..2.0, im in -2.0..2.0) {
        let (a, b) = (random_terms(&space, seed, true), random_terms(&space, !seed, true));
        let (ma, mb) = (dense(&a), dense(&b));
        let z = Complex64::new(re, im);
        assert_close(&dense(&(&a + &b).unwrap()), &(&ma + &mb));
        assert_close(&dense(&(&a - &b).unwrap()), &(&ma - &mb));
        assert_close(&dense(&(z * &a).unwrap()), &(&ma * z));
        assert_close(&dense(&(&a * re).unwrap()), &(&ma * Complex64::from(re)));
        assert_close(&dense(&(-&a).unwrap()), &-&ma);
        assert_close(&dense(&Terms::sum([&a, &b, &a]).unwrap()), &(&ma + &mb + &ma));
        let mut appended = a.clone();
        appended.add_scaled(z, &b).unwrap();
        assert_close(&dense(&appended), &(&ma + &mb * z));
    }

    #[test]
    fn products_are_those_of_the_matrices(space in space(), seed: u64, left: bool, right: bool) {
        let (a, b) = (random_terms(&space, seed, left), random_terms(&space, !seed, right));
        let (ma, mb) = (dense(&a), dense(&b));
        assert_close(&dense(&(&a * &b).unwrap()), &ma.dot(&mb));
        assert_close(&dense(&a.commutator(&b).unwrap()), &(ma.dot(&mb) - mb.dot(&ma)));
        assert_close(&dense(&a.anticommutator(&b).unwrap()), &(ma.dot(&mb) + mb.dot(&ma)));
    }

    #[test]
    fn powers_are_those_of_the_matrix(space in space(), seed: u64) {
        let a = random_terms(&space, seed, true);
        let matrix = dense(&a);
        let mut power = eye(&space);
        for n in 0..4 {
            prop_assert!(distance(&dense(&a.pow(n).unwrap()), &power) < 1e-9);
            power = power.dot(&matrix);
        }
    }

    #[test]
    fn operators_form_a_ring(space in space(), seed: u64) {
        let [a, b, c] = [1, 2, 3].map(|k| random_terms(&space, seed ^ k, false));
        let equal = |left: Terms, right: Terms| left.equivalent(&right).unwrap();
        prop_assert!(equal(((&a * &b).unwrap() * &c).unwrap(), (&a * (&b * &c).unwrap()).unwrap()));
        prop_assert!(equal(
            ((&a + &b).unwrap() * &c).unwrap(),
            ((&a * &c).unwrap() + (&b * &c).unwrap()).unwrap()
        ));
        prop_assert!(equal(
            (&a * (&b + &c).unwrap()).unwrap(),
            ((&a * &b).unwrap() + (&a * &c).unwrap()).unwrap()
        ));
        prop_assert!(equal((&a + &b).unwrap(), (&b + &a).unwrap()));
        prop_assert!(equal((&a * a.pow(0).unwrap()).unwrap(), a.clone()));
        prop_assert!((&a - &a).unwrap().is_empty());
    }

    #[test]
    fn conjugates_are_those_of_the_matrix(space in space(), seed: u64) {
        let (a, b) = (random_terms(&space, seed, true), random_terms(&space, !seed, false));
        let matrix = dense(&a);
        assert_close(&dense(&a.adjoint()), &adjoint(&matrix));
        assert_close(&dense(&a.conj()), &matrix.mapv(|z| z.conj()));
        assert_close(&dense(&a.transpose()), &matrix.t().to_owned());
        prop_assert_eq!(a.adjoint().adjoint(), a.clone());
        let product = (&a * &b).unwrap().adjoint();
        prop_assert!(product.equivalent(&(b.adjoint() * a.adjoint()).unwrap()).unwrap());
    }

    #[test]
    fn merging_like_terms_keeps_the_matrix_whatever_the_parameters(space in space(), seed: u64) {
        let a = random_terms(&space, seed, true);
        let twice = Terms::sum([&a.frozen().unwrap(), &a, &a.frozen().unwrap()]).unwrap();
        let matrix = dense(&a);
        assert_close(&dense(&twice), &(&matrix * Complex64::from(3.0)));
        prop_assert_eq!(&twice.collected().unwrap(), &twice);
        prop_assert!(twice.len() <= 2 * a.len());
        let definition = Definition::new("a", a.clone()).unwrap();
        let other = definition.parameters().with_values(&[0.3, -0.7, 1.9]).unwrap();
        let merged = definition.collected().unwrap().with_parameters(other.clone()).unwrap();
        let plain = definition.with_parameters(other).unwrap();
        assert_close(&kronecker_dense(&merged).unwrap(), &kronecker_dense(&plain).unwrap());
        prop_assert_eq!(plain.to_terms().parameters().to_vec(), [0.3, -0.7, 1.9]);
        let frozen = plain.to_terms().frozen().unwrap();
        prop_assert_eq!(frozen.parameters().n_values(), 0);
        assert_close(&dense(&frozen), &kronecker_dense(&plain).unwrap());
    }
}

#[test]
fn squares_and_doubles_of_catalogue_operators_are_those_of_their_matrices() {
    for entry in catalogue().unwrap() {
        let a = entry.definition;
        // Their squares are lowered as those of the entries that they come from.
        let is_copy = entry.name == "split by steps";
        if is_copy || a.hilbert().log2_n_states() > 7.0 || a.terms().len() > 40 {
            continue;
        }
        let square = (&a * &a).unwrap();
        let matrix = kronecker_dense(&a).unwrap();
        assert!(distance(&kronecker_dense(&square).unwrap(), &matrix.dot(&matrix)) < 1e-9, "{}", entry.name);
        let twice = (&a + &a).unwrap();
        assert!(
            distance(&kronecker_dense(&twice).unwrap(), &(&matrix * Complex64::from(2.0))) < 1e-11,
            "{}",
            entry.name
        );
    }
}

#[test]
fn pauli_matrices_multiply_to_one_string_with_a_phase() {
    let space = Qubit::new(70).unwrap();
    let string = |factors: &[(usize, Pauli)]| {
        let mut terms = Terms::new(space.clone());
        terms.pauli(1.0, factors).unwrap();
        terms
    };
    let product =
        (string(&[(0, Pauli::X), (69, Pauli::Z)]) * string(&[(0, Pauli::Y), (69, Pauli::X)])).unwrap();
    // XY = iZ and ZX = iY.
    let mut expected = Terms::new(space.clone());
    expected.pauli(-1.0, &[(0, Pauli::Z), (69, Pauli::Y)]).unwrap();
    assert_eq!(product, expected);
    let commutator = string(&[(3, Pauli::X)]).commutator(&string(&[(3, Pauli::Y)])).unwrap();
    let mut expected = Terms::new(space.clone());
    expected.pauli(2.0 * Complex64::I, &[(3, Pauli::Z)]).unwrap();
    assert_eq!(commutator, expected);
}

#[test]
fn spins_of_any_length_obey_su2() {
    for two_s in 1..6u32 {
        let s = f64::from(two_s) / 2.0;
        let space = Spin::new(s, 2).unwrap();
        let on = |expression: operator_core::Expression| expression.on(space.clone()).unwrap();
        let [x, y, z] = [spin::sigmax(1), spin::sigmay(1), spin::sigmaz(1)].map(on);
        let two_i = 2.0 * Complex64::I;
        assert!(x.commutator(&y).unwrap().equivalent(&(two_i * &z).unwrap()).unwrap());
        assert!(y.commutator(&z).unwrap().equivalent(&(two_i * &x).unwrap()).unwrap());
        assert!(z.commutator(&x).unwrap().equivalent(&(two_i * &y).unwrap()).unwrap());
        let [plus, minus] = [spin::sigmap(1), spin::sigmam(1)].map(on);
        assert!(plus.commutator(&minus).unwrap().equivalent(&z).unwrap());
        let casimir = Terms::sum(&[&x, &y, &z].map(|a| a.pow(2).unwrap())).unwrap();
        let expected = (4.0 * s * (s + 1.0) * x.pow(0).unwrap()).unwrap();
        assert!(casimir.equivalent(&expected).unwrap());
        assert!(x.commutator(&on(spin::sigmay(0))).unwrap().is_empty());
    }
}

#[test]
fn boson_operators_commute_to_one_below_the_truncation() {
    let space: HilbertSpace = Fock::new(4, 2).unwrap().into();
    let [b, create] = [boson::destroy(0), boson::create(0)].map(|b| b.on(space.clone()).unwrap());
    let commutator = dense(&b.commutator(&create).unwrap());
    for (index, state) in space.all_states().unwrap().rows().into_iter().enumerate() {
        let expected = if state[0] < 4 { 1.0 } else { -4.0 };
        assert!((commutator[[index, index]] - expected).norm() < 1e-14);
    }
    assert_eq!(commutator.iter().filter(|z| z.norm() > 1e-14).count(), 25);
    let other = boson::create(1).on(space).unwrap();
    assert!(b.commutator(&other).unwrap().is_empty());
}

#[test]
fn fermion_operators_anticommute_to_delta() {
    let space: HilbertSpace = SpinOrbitalFermions::with_spin(3, 0.5).unwrap().into();
    let on = |expression: operator_core::Expression| expression.on(space.clone()).unwrap();
    for i in 0..6 {
        for j in 0..6 {
            let (c, create) = (on(fermion::destroy(i)), on(fermion::create(j)));
            let delta = (f64::from(u8::from(i == j)) * c.pow(0).unwrap()).unwrap();
            let anticommutator = c.anticommutator(&create).unwrap();
            assert_eq!(anticommutator.normal_ordered().unwrap(), delta);
            assert!(anticommutator.equivalent(&delta).unwrap());
            let zero = c.anticommutator(&on(fermion::destroy(j))).unwrap();
            assert!(zero.normal_ordered().unwrap().is_empty());
        }
    }
}

fn ising_and_heisenberg() -> (Definition, Definition) {
    let (space, chain) = (Spin::half(4).unwrap(), Graph::chain(4, Boundary::Periodic).unwrap());
    let ising = Ising::new(space.clone(), &chain, 1.0, 0.5).unwrap().definition().unwrap();
    (ising, Heisenberg::new(space, &chain, 0.8).unwrap().definition().unwrap())
}

#[test]
fn parameters_of_summands_stay_parameters_of_the_sum() {
    let (ising, heisenberg) = ising_and_heisenberg();
    let sum = ((2.0 * &ising).unwrap() - &heisenberg).unwrap();
    assert_eq!(sum.parameters().names().collect::<Vec<_>>(), ["h", "J", "J_2"]);
    let changed = |of: &Definition, name: &str, value: f64| {
        let (mut parameters, structure) = of.unpack();
        parameters.set(name, value).unwrap();
        structure.pack(parameters).unwrap()
    };
    let matrix = |of: &Definition| kronecker_dense(of).unwrap();
    let two = Complex64::from(2.0);
    let expected = matrix(&ising) * two - matrix(&changed(&heisenberg, "J", -3.0));
    assert_close(&matrix(&changed(&sum, "J_2", -3.0)), &expected);
    let expected = matrix(&changed(&ising, "J", 7.0)) * two - matrix(&heisenberg);
    assert_close(&matrix(&changed(&sum, "J", 7.0)), &expected);
    let expected = matrix(&changed(&ising, "h", 0.0)) * two - matrix(&heisenberg);
    assert_close(&matrix(&changed(&sum, "h", 0.0)), &expected);
}

#[test]
fn equal_names_are_numbered_whatever_the_brackets() {
    let (ising, heisenberg) = ising_and_heisenberg();
    let names = |of: Definition| of.parameters().names().map(str::to_owned).collect::<Vec<_>>();
    let left = (&(&ising + &ising).unwrap() + &ising).unwrap();
    let right = (&ising + &(&ising + &ising).unwrap()).unwrap();
    assert_eq!(names(left.clone()), ["h", "J", "h_2", "J_2", "h_3", "J_3"]);
    assert_eq!(left, right);
    assert_eq!(left, Definition::sum([&ising, &ising, &ising]).unwrap());
    let pairs = (&heisenberg + &heisenberg).unwrap();
    assert_eq!(names((&pairs + &pairs).unwrap()), ["J", "J_2", "J_3", "J_4"]);
}

#[test]
fn products_keep_the_parameters_of_one_operand_and_freeze_those_of_two() {
    let (ising, heisenberg) = ising_and_heisenberg();
    let mut x = Terms::new(ising.hilbert().clone());
    x.pauli(1.0, &[(1, Pauli::X)]).unwrap();
    let x = Definition::new("x", x).unwrap();
    for product in [(&ising * &x).unwrap(), (&x * &ising).unwrap()] {
        assert_eq!(product.parameters(), ising.parameters());
    }
    let product = (&x * &ising).unwrap();
    let other = ising.parameters().with_values(&[-2.0, 3.0]).unwrap();
    let matrix = |of: &Definition| kronecker_dense(of).unwrap();
    assert_close(
        &matrix(&product.with_parameters(other.clone()).unwrap()),
        &matrix(&x).dot(&matrix(&ising.with_parameters(other.clone()).unwrap())),
    );
    let frozen = (ising.with_parameters(other.clone()).unwrap() * &heisenberg).unwrap();
    assert_eq!(frozen.parameters().n_values(), 0);
    let ising = ising.with_parameters(other).unwrap();
    assert_close(&matrix(&frozen), &matrix(&ising).dot(&matrix(&heisenberg)));
    assert_eq!(ising.pow(2).unwrap().parameters().n_values(), 0);
    assert_eq!(ising.pow(1).unwrap().parameters(), ising.parameters());
}

#[test]
fn results_have_short_names() {
    let (ising, heisenberg) = ising_and_heisenberg();
    let sum = (&ising + &heisenberg).unwrap();
    assert_eq!(sum.name(), "Ising + Heisenberg");
    assert_eq!((2.0 * &ising).unwrap().name(), "2 * Ising");
    assert_eq!((-&sum).unwrap().name(), "-(Ising + Heisenberg)");
    assert_eq!((&sum * Complex64::new(0.0, 2.0)).unwrap().name(), "(0+2i) * (Ising + Heisenberg)");
    assert_eq!((&ising - &sum).unwrap().name(), "Ising - (Ising + Heisenberg)");
    assert_eq!((&sum * &ising).unwrap().name(), "(Ising + Heisenberg) * Ising");
    assert_eq!(ising.pow(2).unwrap().name(), "Ising^2");
    assert_eq!(sum.pow(2).unwrap().name(), "(Ising + Heisenberg)^2");
    assert_eq!(ising.adjoint().unwrap().name(), "adjoint(Ising)");
    assert_eq!(ising.commutator(&heisenberg).unwrap().name(), "[Ising, Heisenberg]");
    let many = Definition::sum(std::iter::repeat_n(&heisenberg, 9)).unwrap();
    assert_eq!(many.name(), "Heisenberg + Heisenberg + Heisenberg + Heisenberg + Heis ...");
}

#[test]
fn pieces_that_leave_a_constrained_space_may_add_up_to_one_that_does_not() {
    let space: HilbertSpace = Spin::half(4).unwrap().with_total_sz(0.0).unwrap().into();
    let piece = |pauli: Pauli| {
        let mut terms = Terms::new(space.clone());
        terms.pauli(1.0, &[(0, pauli), (2, pauli)]).unwrap();
        terms
    };
    let (xx, yy) = (piece(Pauli::X), piece(Pauli::Y));
    assert!(matches!(Definition::new("XX", xx.clone()), Err(Error::LeavesHilbert { .. })));
    let exchange = Definition::new("exchange", (&xx + &yy).unwrap()).unwrap();
    // Twice the swap of unequal spins.
    let matrix = kronecker_dense(&exchange).unwrap();
    assert_eq!(matrix.iter().filter(|z| z.norm() > 0.0).count(), 4);
    assert!(
        matches!(&exchange - Definition::new("0", (&xx - &xx).unwrap()).unwrap(), Ok(same) if same == exchange)
    );
}

#[test]
fn powers_at_fixed_magnetisation_are_those_of_the_matrix() {
    let space = Spin::half(7).unwrap().with_total_sz(0.5).unwrap();
    let chain = Graph::chain(7, Boundary::Open).unwrap();
    let heisenberg = Heisenberg::new(space, &chain, 0.5).unwrap().definition().unwrap();
    let matrix = kronecker_dense(&heisenberg).unwrap();
    let mut power = matrix.clone();
    // The cube flips up to six sites at once, by strings that leave the space one by one.
    for n in 2..4 {
        power = power.dot(&matrix);
        let got = heisenberg.pow(n).unwrap();
        assert!(got.is_hermitian() && got.is_real());
        assert!(distance(&kronecker_dense(&got).unwrap(), &power) < 1e-9);
    }
}

#[test]
fn the_adjoint_of_an_operator_that_only_enters_a_space_leaves_it() {
    // |down down><up down| annihilates the whole space from one side only.
    let space = Spin::half(2).unwrap().with_total_sz(0.0).unwrap();
    let mut terms = Terms::new(space);
    let mut matrix = ndarray::Array2::zeros((4, 4));
    matrix[[3, 1]] = 1.0;
    terms.local(1.0, &[0, 1], matrix).unwrap();
    let enters = Definition::new("enters", terms).unwrap();
    assert!(matches!(enters.adjoint(), Err(Error::LeavesHilbert { .. })));
}

#[test]
fn bad_algebra_is_refused_with_the_value_and_the_remedy() {
    let message = |error: Error| error.to_string();
    let (ising, heisenberg) = ising_and_heisenberg();
    assert_eq!(
        message((f64::NAN * &ising).unwrap_err()),
        "factor of an operator is NaN+0i; coefficients must be finite"
    );
    assert!(matches!(&ising * Complex64::new(0.0, f64::INFINITY), Err(Error::NotFinite { .. })));
    let mut huge = Terms::new(Qubit::new(2).unwrap());
    huge.pauli(1e308, &[(0, Pauli::X)]).unwrap();
    assert_eq!(
        message((&huge + &huge).unwrap_err()),
        "coefficient of X0 is inf+0i; coefficients must be finite"
    );
    assert!(matches!(&huge * &huge, Err(Error::NotFinite { .. })));
    assert!(matches!(10.0 * &huge, Err(Error::NotFinite { .. })));
    let mut huge = Terms::new(Fock::new(2, 2).unwrap());
    huge.local(1.0, &[0], real_matrix([[0.0, 1e200, 0.0], [0.0; 3], [1e200, 0.0, 0.0]])).unwrap();
    assert!(matches!(&huge * huge.transpose(), Err(Error::NotFinite { .. })));
    let other = Terms::new(Spin::half(4).unwrap().with_total_sz(0.0).unwrap());
    assert_eq!(
        message((heisenberg.to_terms() + other).unwrap_err()),
        "operands live on different Hilbert spaces: Spin(1/2, 4 sites) and Spin(1/2, 4 sites, total_sz = 0)"
    );
    assert!(matches!(Definition::sum::<Definition>([]), Err(Error::Count { .. })));
    let mut bosons = Terms::new(Fock::new(9, 4).unwrap());
    let hops = ndarray::Array2::<f64>::ones((100, 100));
    bosons.local(1.0, &[0, 1], hops.clone()).unwrap();
    bosons.local(1.0, &[2, 3], hops).unwrap();
    // Two matrices and their product, split by the elements on one site of each: nothing on 10000 states.
    assert_eq!(bosons.pow(2).unwrap().len(), 2 + 100 * 100);
}

#[test]
fn a_refused_summand_leaves_the_sum_as_it_was() {
    let mut sum = Terms::new(Qubit::new(2).unwrap());
    sum.pauli(1.0, &[(0, Pauli::X)]).unwrap();
    let before = sum.clone();
    let mut huge = Terms::new(Qubit::new(2).unwrap());
    let h = huge.parameter("h", 1.0).unwrap().at(0).unwrap();
    huge.pauli(1e308 * h, &[(0, Pauli::X)]).unwrap();
    assert!(sum.add_scaled(100.0, &huge).is_err());
    assert!(sum.add_scaled(1.0, &Terms::new(Qubit::new(3).unwrap())).is_err());
    assert_eq!(sum, before);
}

#[test]
fn long_strings_times_matrices_stay_pauli_strings() {
    let n = 40;
    let mut string = Terms::new(Qubit::new(n).unwrap());
    string.pauli(1.0, &(0..n).map(|site| (site, Pauli::Z)).collect::<Vec<_>>()).unwrap();
    let mut matrix = Terms::new(Qubit::new(n).unwrap());
    matrix
        .local(1.0, &[7, 3], real_matrix([[0.0; 4], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0; 4]]))
        .unwrap();
    let product = (&string * &matrix).unwrap();
    // The exchange of two sites is (XX + YY)/2; Z Z anticommutes with neither XX nor YY.
    assert_eq!(product.len(), 2);
    let back = (&string * &product).unwrap();
    assert!(back.equivalent(&matrix).unwrap());
    assert!(string.commutator(&matrix).unwrap().is_empty());
}

#[test]
fn a_jordan_wigner_string_times_itself_is_a_number() {
    let space = SpinOrbitalFermions::new(30).unwrap();
    let mut c = Terms::new(space.clone());
    c.fermion(1.0, &[Ladder::destroy(25)]).unwrap();
    let mut z = Terms::new(space);
    z.pauli_on_occupations(1.0, &[(25, Pauli::Z)]).unwrap();
    // n = 0 to the right of c†, so Z c† = -c† and c† Z = c†.
    let create = c.adjoint();
    assert!((&z * &create).unwrap().equivalent(&(-&create).unwrap()).unwrap());
    assert!((&create * &z).unwrap().equivalent(&create).unwrap());
}

#[test]
fn sums_of_models_equal_models_of_summed_couplings() {
    let strings = ["XXII", "IYYZ", "ZIIZ"];
    let model = |weights: [f64; 3]| {
        PauliStrings::new(Qubit::new(4).unwrap(), strings, weights).unwrap().definition().unwrap()
    };
    let sum = (model([1.0, 2.0, 3.0]) + model([0.5, -2.0, 1.0])).unwrap().to_terms();
    assert!(sum.equivalent(&model([1.5, 0.0, 4.0]).to_terms()).unwrap());
    assert!(!sum.equivalent(&model([1.5, 1e-9, 4.0]).to_terms()).unwrap());
}

#[test]
fn a_number_in_a_sum_is_a_multiple_of_the_identity() {
    let spaces: [HilbertSpace; 4] = [
        Spin::half(2).unwrap().with_total_sz(0.0).unwrap().into(),
        Fock::new(2, 2).unwrap().into(),
        SpinOrbitalFermions::new(3).unwrap().with_n_fermions(1).unwrap().into(),
        (Spin::half(1).unwrap() * Fock::new(2, 1).unwrap()).unwrap(),
    ];
    let z = Complex64::new(0.5, -2.0);
    for space in spaces {
        let mut terms = Terms::new(space.clone());
        let h = terms.parameter("h", 0.75).unwrap().at(0).unwrap();
        let dim = space.local_states(0).unwrap().dim();
        let number = ndarray::Array2::from_diag(&ndarray::Array1::from_iter((0..dim).map(|n| n as f64)));
        terms.local(h, &[0], number).unwrap();
        let operator = Definition::new("A", terms.clone()).unwrap();
        let dense = |operator: Definition| kronecker_dense(&operator).unwrap();
        let matrix = dense(operator.clone());
        let identity = ndarray::Array2::<Complex64>::eye(matrix.nrows());
        assert_eq!(dense((&operator + 2.0).unwrap()), &matrix + &identity * Complex64::from(2.0));
        assert_eq!(dense((2.0 + operator.clone()).unwrap()), &matrix + &identity * Complex64::from(2.0));
        assert_eq!(dense((&operator - z).unwrap()), &matrix - &identity * z);
        assert_eq!(dense((z - &operator).unwrap()), &identity * z - &matrix);
        assert_eq!(dense((1.0 - operator.clone()).unwrap()), &identity - &matrix);
        assert_eq!((&operator + 2.0).unwrap().parameters().get("h").unwrap(), [0.75]);
        let sum = Definition::new("A", (&terms + 2.0).unwrap()).unwrap();
        assert_eq!(dense(sum), &matrix + &identity * Complex64::from(2.0));
        let difference = Definition::new("A", (2.0 - &terms).unwrap()).unwrap();
        assert_eq!(dense(difference), &identity * Complex64::from(2.0) - &matrix);
        assert_eq!((&operator + 0.0).unwrap().terms(), operator.terms());
    }
    let terms = Terms::new(Qubit::new(1).unwrap());
    let named = Definition::new("A", terms).unwrap();
    let name = |operator: Result<Definition, Error>| operator.unwrap().name().to_owned();
    assert_eq!(name(&named + 2.0), "A + 2");
    assert_eq!(name(&named + (-2.0)), "A - 2");
    assert_eq!(name(&named - 2.0), "A - 2");
    assert_eq!(name(2.0 - (&named + 1.0).unwrap()), "2 - (A + 1)");
    assert_eq!(name(&named + z), "A + (0.5-2i)");
    assert!(matches!(&named + f64::INFINITY, Err(Error::NotFinite { .. })));
    assert!(matches!(f64::NAN - named, Err(Error::NotFinite { .. })));
}

#[test]
fn parameters_of_other_terms_are_refused() {
    let qubits = || Terms::new(Qubit::new(2).unwrap());
    let (mut first, mut second) = (qubits(), qubits());
    let h = first.parameter("h", [1.0, 2.0]).unwrap();
    let message = |result: Result<&mut Terms, Error>| result.err().unwrap().to_string();
    let (h0, h1) = (h.at(0).unwrap(), h.at(1).unwrap());
    assert_eq!(
        message(second.pauli(h1, &[(0, Pauli::X)])),
        "coefficient of X0 holds value 1 of the parameters of other terms; these have 0 values: add the parameter \
         to these terms and use the handle that returns"
    );
    // A number in range would couple to another parameter.
    let own = second.parameter("J", [1.0, 2.0, 3.0]).unwrap();
    assert!(matches!(second.pauli(-h0, &[(0, Pauli::X)]), Err(Error::ForeignParameter { index: 0, .. })));
    let formula = operator_core::expression::spin::sigmax(0);
    assert!(matches!(second.expression(2.0 * h0, &formula), Err(Error::ForeignParameter { .. })));
    assert!(matches!(second.local(h0, &[], real_matrix([[1.0]])), Err(Error::ForeignParameter { .. })));
    assert!(second.is_empty());
    second.pauli(own.at(2).unwrap(), &[(0, Pauli::X)]).unwrap();
    // A clone has the parameters of the original, and so have the coefficients of its terms.
    let mut clone = second.clone();
    clone.pauli(own.at(0).unwrap(), &[(1, Pauli::X)]).unwrap();
    let coefficient = clone.iter().next().unwrap().coefficient();
    clone.pauli(coefficient, &[(1, Pauli::Z)]).unwrap();
    assert!(matches!(qubits().pauli(coefficient, &[(1, Pauli::Z)]), Err(Error::ForeignParameter { .. })));
    assert_eq!(Definition::new("field", clone).unwrap().parameters().n_values(), 3);
}

/// However many strings are multiplied, two operators a mode are enough. Modes of different factors commute.
#[test]
fn products_of_fermion_strings_stay_short() {
    let modes = SpinOrbitalFermions::new(4).unwrap();
    let pair = SpinOrbitalFermions::new(2).unwrap();
    let two = HilbertSpace::tensor([pair.clone(), pair]).unwrap();
    for space in [modes.into(), two] {
        let mut rng = SplitMix::new(7);
        let (mut n_products, mut n_negative) = (0, 0);
        for _ in 0..400 {
            let mut product = eye(&space);
            let mut terms = Terms::new(space.clone()).pow(0).unwrap();
            for _ in 0..6 {
                let mut string = Terms::new(space.clone());
                let ladder = |_| match (rng.below(4), rng.below(2)) {
                    (mode, 0) => Ladder::create(mode),
                    (mode, _) => Ladder::destroy(mode),
                };
                let ladders: Vec<Ladder> = (0..3).map(ladder).collect();
                string.fermion(1.0, &ladders).unwrap();
                product = product.dot(&dense(&string));
                terms = (&terms * &string).unwrap();
                assert_eq!(dense(&terms), product, "{ladders:?}");
                if let Some(term) = terms.iter().next() {
                    let TermKind::Fermion(string) = term.kind() else { panic!("{:?}", term.kind()) };
                    assert!(string.ladders().len() <= 8, "{string}");
                    n_products += usize::from(string.ladders().len() > 4);
                    n_negative += usize::from(term.coefficient().factor().re < 0.0);
                }
            }
        }
        assert!(n_products > 20 && n_negative > 20, "{n_products} {n_negative}");
    }
}

/// Products of matrices on several sites do not merge one by one, but are no more than their matrix has elements.
#[test]
fn high_powers_on_few_states_stay_small() {
    let rabi = (HilbertSpace::from(Spin::half(1).unwrap()) * Fock::new(3, 1).unwrap()).unwrap();
    let field = boson::create(1) + boson::destroy(1);
    let rabi_terms =
        (0.2 * (spin::sigmax(0) * &field + boson::number(1) + spin::sigmaz(0))).on(rabi).unwrap();
    let hop = (boson::create(0) * boson::destroy(1)).plus_hc();
    let hop_terms = (0.2 * (hop + boson::number(0))).on(Fock::new(4, 2).unwrap()).unwrap();
    for terms in [rabi_terms, hop_terms] {
        let (mut expected, matrix) = (eye(terms.hilbert()), dense(&terms));
        for _ in 0..24 {
            expected = expected.dot(&matrix);
        }
        let power = terms.pow(24).unwrap();
        assert!(power.len() <= 100, "{}", power.len());
        let size = expected.iter().map(|z| z.norm()).fold(0.0, f64::max);
        assert!(distance(&dense(&power), &expected) < 1e-12 * size.max(1.0));
    }
}
