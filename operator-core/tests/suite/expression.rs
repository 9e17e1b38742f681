//! Formulas read on Hilbert spaces.
#![cfg(feature = "testing")]

use crate::common::{Matrix, adjoint, assert_close, dense, eye};
use num_complex::Complex64;
use operator_core::expression::{Expression, boson, fermion, identity, spin};
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{TermKind, Terms, real_matrix};
use operator_core::testing::SplitMix;
use operator_core::{Boundary, Error, Graph, Heisenberg, HilbertSpace, Ising, Model, SignRule};
use proptest::prelude::*;
use spin::{sigmam, sigmap, sigmax, sigmay, sigmaz};

fn spaces() -> Vec<HilbertSpace> {
    vec![
        Spin::half(3).unwrap().into(),
        Qubit::new(3).unwrap().into(),
        Spin::new(1.0, 3).unwrap().into(),
        Fock::new(2, 3).unwrap().into(),
        Fock::new(1, 3).unwrap().into(),
        SpinOrbitalFermions::new(3).unwrap().into(),
    ]
}

/// A random formula of operators that fit the space.
fn random_expression(space: &HilbertSpace, seed: u64) -> Expression {
    random_expression_on(space, space.n_sites(), seed)
}

/// The same on the first sites.
fn random_expression_on(space: &HilbertSpace, n_sites: usize, seed: u64) -> Expression {
    let mut rng = SplitMix::new(seed);
    let symbols: &[fn(usize) -> Expression] = match space {
        HilbertSpace::Fock(_) => &[boson::create, boson::destroy, boson::number],
        HilbertSpace::SpinOrbitalFermions(_) => &[fermion::create, fermion::destroy, fermion::number],
        _ => &[sigmax, sigmay, sigmaz, sigmap, sigmam],
    };
    let mut sum = Expression::new();
    for _ in 0..1 + rng.below(4) {
        let factors = 0..rng.below(4);
        let product = factors
            .fold(identity(), |product, _| product * symbols[rng.below(symbols.len())](rng.below(n_sites)));
        sum += Complex64::new(rng.number(), rng.number()) * product;
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn formulas_combine_as_their_matrices(space in prop::sample::select(spaces()), seed: u64, re in -2.0..2.0) {
        let (a, b) = (random_expression(&space, seed), random_expression(&space, !seed));
        let on = |expression: Expression| dense(&expression.on(space.clone()).unwrap());
        let (ma, mb, one) = (on(a.clone()), on(b.clone()), eye(&space));
        let z = Complex64::new(re, 0.5);
        assert_close(&on(&a + &b), &(&ma + &mb));
        assert_close(&on(&a - b.clone()), &(&ma - &mb));
        assert_close(&on(a.clone() * &b), &ma.dot(&mb));
        assert_close(&on(z * &a), &(&ma * z));
        assert_close(&on(a.clone() * re), &(&ma * Complex64::from(re)));
        assert_close(&on(&a - z), &(&ma - &one * z));
        assert_close(&on(re - &a), &(&one * Complex64::from(re) - &ma));
        assert_close(&on(-&a), &-&ma);
        assert_close(&on(a.adjoint()), &crate::common::adjoint(&ma));
        assert_close(&on(a.clone().plus_hc()), &(&ma + crate::common::adjoint(&ma)));
        assert_close(&on(a.pow(3)), &ma.dot(&ma).dot(&ma));
        assert_close(&on(a.pow(0)), &one);
        assert_close(&on([&a, &b, &a].into_iter().sum()), &(&ma + &mb + &ma));
    }

    #[test]
    fn products_of_formulas_are_products_of_terms(space in prop::sample::select(spaces()), seed: u64) {
        let (a, b) = (random_expression(&space, seed), random_expression(&space, !seed));
        let product = (&a * &b).on(space.clone()).unwrap();
        let expected = (a.on(space.clone()).unwrap() * b.on(space).unwrap()).unwrap();
        prop_assert!(product.equivalent(&expected).unwrap());
    }
}

#[test]
fn spin_matrices_are_those_of_netket() {
    // nk.operator.spin.sigmax(nk.hilbert.Spin(1, 1), 0).to_dense() and so on.
    let r = 2f64.sqrt();
    let one = |expression: Expression| dense(&expression.on(Spin::new(1.0, 1).unwrap()).unwrap());
    assert_close(&one(sigmax(0)), &real_matrix([[0.0, r, 0.0], [r, 0.0, r], [0.0, r, 0.0]]));
    let y: Matrix = real_matrix([[0.0, -r, 0.0], [r, 0.0, -r], [0.0, r, 0.0]]) * Complex64::I;
    assert_close(&one(sigmay(0)), &y);
    assert_close(&one(sigmaz(0)), &real_matrix([[2.0, 0.0, 0.0], [0.0; 3], [0.0, 0.0, -2.0]]));
    assert_close(&one(sigmap(0)), &real_matrix([[0.0, r, 0.0], [0.0, 0.0, r], [0.0; 3]]));
    assert_close(&one(sigmam(0)), &real_matrix([[0.0; 3], [r, 0.0, 0.0], [0.0, r, 0.0]]));
    let half = |expression: Expression| dense(&expression.on(Qubit::new(1).unwrap()).unwrap());
    assert_close(&half(sigmap(0)), &real_matrix([[0.0, 1.0], [0.0, 0.0]]));
    assert_close(&half(sigmam(0)), &real_matrix([[0.0, 0.0], [1.0, 0.0]]));
    let boson = |expression: Expression| dense(&expression.on(Fock::new(2, 1).unwrap()).unwrap());
    assert_close(&boson(boson::create(0)), &real_matrix([[0.0; 3], [1.0, 0.0, 0.0], [0.0, r, 0.0]]));
    assert_close(&boson(boson::number(0)), &real_matrix([[0.0; 3], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]));
}

#[test]
fn formulas_of_models_are_the_models() {
    let n = 6;
    let chain = Graph::chain(n, Boundary::Periodic).unwrap();
    let space: HilbertSpace = Spin::half(n).unwrap().into();
    let field: Expression = (0..n).map(sigmax).sum();
    let bonds: Expression = (0..n).map(|i| sigmaz(i) * sigmaz((i + 1) % n)).sum();
    let ising = Ising::new(space.clone(), &chain, 0.7, -1.2).unwrap().definition().unwrap();
    assert!((-0.7 * field - 1.2 * bonds).on(space.clone()).unwrap().equivalent(&ising.to_terms()).unwrap());
    let sz0 = Spin::half(n).unwrap().with_total_sz(0.0).unwrap();
    let heisenberg = Heisenberg::new(sz0.clone(), &chain, 1.0).unwrap().with_sign_rule(SignRule::Plain);
    let bonds = (0..n).map(|i| {
        let j = (i + 1) % n;
        2.0 * (sigmap(i) * sigmam(j)).plus_hc() + sigmaz(i) * sigmaz(j)
    });
    let formula = bonds.sum::<Expression>().definition(sz0).unwrap();
    assert_eq!(formula.to_terms().len(), 3 * n);
    assert!(formula.to_terms().equivalent(&heisenberg.definition().unwrap().to_terms()).unwrap());
    assert!(formula.name().chars().count() <= 60, "{}", formula.name());
}

#[test]
fn each_space_gets_the_family_that_is_at_home_there() {
    let families = |terms: Terms| -> Vec<&'static str> {
        let family = |kind: &TermKind| match kind {
            TermKind::Local(_) => "local",
            TermKind::Product(_) => "product",
            TermKind::Pauli(_) => "pauli",
            TermKind::Fermion(_) => "fermion",
            _ => "unknown",
        };
        terms.iter().map(|term| family(term.kind())).collect()
    };
    let exchange = sigmax(0) * sigmax(2) + sigmay(0) * sigmay(2) + 3.0;
    assert_eq!(families(exchange.on(Qubit::new(3).unwrap()).unwrap()), ["pauli"; 3]);
    assert_eq!(families(exchange.on(Spin::new(1.0, 3).unwrap()).unwrap()), ["product", "product", "local"]);
    assert_eq!(families((sigmap(0) * sigmaz(1)).on(Qubit::new(3).unwrap()).unwrap()), ["product"]);
    let hop = (fermion::create(0) * fermion::destroy(1)).plus_hc() + 1.0;
    assert_eq!(families(hop.on(SpinOrbitalFermions::new(2).unwrap()).unwrap()), ["fermion"; 3]);
}

#[test]
fn fermion_formulas_conserve_what_the_space_fixes() {
    let space = SpinOrbitalFermions::with_spin(3, 0.5).unwrap();
    let (up, down) = (space.mode(1, 1).unwrap(), space.mode(1, 0).unwrap());
    let fixed = space.with_n_fermions_per_spin(&[1, 2]).unwrap();
    let double = fermion::number(up) * fermion::number(down);
    assert!(double.definition(fixed.clone()).unwrap().is_hermitian());
    let flip = fermion::create(up) * fermion::destroy(down);
    assert!(matches!(flip.definition(fixed), Err(Error::LeavesHilbert { .. })));
}

#[test]
fn parameters_multiply_formulas() {
    let mut terms = Terms::new(Spin::half(2).unwrap());
    let h = terms.parameter("h", 2.0).unwrap().at(0).unwrap();
    terms.expression(-h, &(sigmax(0) + sigmax(1))).unwrap().expression(0.5, &sigmaz(0)).unwrap();
    let expected = (-2.0 * (sigmax(0) + sigmax(1)) + 0.5 * sigmaz(0)).on(Spin::half(2).unwrap()).unwrap();
    assert!(terms.equivalent(&expected).unwrap());
    assert_eq!(terms.iter().filter(|term| term.coefficient().parameter() == Some(h)).count(), 2);
    assert!(terms.expression(f64::NAN, &sigmax(0)).is_err());
}

#[test]
fn formulas_that_do_not_fit_are_refused_with_the_operator() {
    let message = |result: operator_core::Result<Terms>| result.unwrap_err().to_string();
    assert_eq!(
        message(sigmax(3).on(Qubit::new(3).unwrap())),
        "sigmax(3) acts on site 3; Qubit(3) has sites 0 to 2"
    );
    assert_eq!(
        message(sigmax(0).on(Fock::new(1, 3).unwrap())),
        "sigmax(0) does not act on Fock(n_max = 1, 3 sites): its site is neither a spin nor a qubit"
    );
    assert_eq!(
        message((sigmaz(0) * boson::number(1)).on(Spin::half(2).unwrap())),
        "boson::number(1) does not act on Spin(1/2, 2 sites): its site does not hold bosons"
    );
    assert_eq!(
        message(fermion::create(1).on(Qubit::new(3).unwrap())),
        "fermion::create(1) does not act on Qubit(3): its site is not a fermion mode"
    );
    assert_eq!(
        message((f64::INFINITY * sigmax(0)).on(Qubit::new(1).unwrap())),
        "coefficient of (inf+NaNi) sigmax(0) is inf+NaNi; coefficients must be finite"
    );
    let long = (0..20).map(sigmaz).reduce(|a, b| a * b).unwrap();
    assert_eq!(long.on(Spin::half(20).unwrap()).unwrap().len(), 1);
}

#[test]
fn formulas_print_as_they_are_written() {
    let formula = 0.5 * sigmax(0) * sigmaz(1) + boson::create(3) - 2.0 + Complex64::I * fermion::number(0);
    assert_eq!(
        formula.to_string(),
        "0.5 sigmax(0) sigmaz(1) + boson::create(3) + -2 + (0+1i) fermion::number(0)"
    );
    assert_eq!(Expression::new().to_string(), "0");
    assert_eq!(identity().to_string(), "1");
    assert!(Expression::new().on(Qubit::new(1).unwrap()).unwrap().is_empty());
}

/// What an operator on a space of fixed sums is told.
#[test]
fn a_formula_that_leaves_the_space_is_told_so_in_its_own_words() {
    let electrons = SpinOrbitalFermions::new(3).unwrap().with_n_fermions(1).unwrap();
    let spins = Spin::half(4).unwrap().with_total_sz(0.0).unwrap();
    let bosons = Fock::new(3, 2).unwrap().with_n_particles(2).unwrap();
    let said = |formula: Expression, space: HilbertSpace| formula.definition(space).unwrap_err().to_string();
    assert_eq!(
        said(fermion::destroy(0), electrons.clone().into()),
        "fermion::destroy(0) leaves SpinOrbitalFermions(3 orbitals, n_fermions = 1): it takes 1 at site 0 to 0; \
         lift the constraint or complete the term"
    );
    let created = said(fermion::create(2), electrons.into());
    assert!(
        created.contains("fermion::create(2)") && created.contains("takes 0 at site 2 to 1"),
        "{created}"
    );
    let lowered = said(sigmaz(0) * sigmaz(2) + sigmam(1), spins.clone().into());
    assert!(lowered.starts_with("sigmam(1) leaves Spin(1/2, 4 sites, total_sz = 0): "), "{lowered}");
    assert!(lowered.contains("it takes 1 at site 1 to -1;"), "{lowered}");
    let raised = said(2.0 * sigmap(3), spins.into());
    assert!(
        raised.starts_with("2 sigmap(3) leaves") && raised.contains("takes -1 at site 3 to 1;"),
        "{raised}"
    );
    let boson = said(boson::create(1) * boson::create(1), bosons.into());
    assert!(boson.starts_with("boson::create(1) boson::create(1) leaves"), "{boson}");
    assert!(boson.contains("takes 0 at site 1 to 2;"), "{boson}");
}

/// Products of sums that are too long to be multiplied out are those of the operators.
#[test]
fn long_products_of_sums_are_products_of_operators() {
    for space in spaces() {
        // Products of matrices on several sites merge only where sites have few states.
        let n_sites = if space.is_two_level() { 2 } else { 1 };
        let sum = |seed: u64| {
            let [a, b] = [seed, !seed].map(|seed| random_expression_on(&space, n_sites, seed));
            let formula = a + b + 0.25;
            let matrix = dense(&formula.on(space.clone()).unwrap());
            let norm = matrix.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
            (formula * (1.0 / norm), matrix / Complex64::from(norm))
        };
        let ((a, ma), (b, mb)) = (sum(1), sum(2));
        let power = |m: &Matrix, n: usize| (0..n).fold(eye(&space), |power, _| power.dot(m));
        let on = |formula: &Expression| dense(&formula.on(space.clone()).unwrap());
        let long = a.pow(20);
        assert_close(&on(&long), &power(&ma, 20));
        assert_close(&on(&long.adjoint()), &adjoint(&power(&ma, 20)));
        // Powers beside single operators, in each other, and in sums.
        let mixed = 0.5 * &b * &long * &b + long.pow(3) - &b;
        let expected = mb.dot(&power(&ma, 20)).dot(&mb) * Complex64::from(0.5) + power(&ma, 60) - &mb;
        assert_close(&on(&mixed), &expected);
        // Factor by factor, as a loop of a user's does it.
        let chain =
            (0..24).fold(identity(), |product, k| if k % 3 == 0 { product * &b } else { product * &a });
        let factors = (0..24).map(|k| if k % 3 == 0 { &mb } else { &ma });
        assert_close(&on(&chain), &factors.fold(eye(&space), |product, m| product.dot(m)));
    }
    let field = boson::create(0) + boson::destroy(0);
    let name = field.pow(20).to_string();
    assert_eq!(name, "(boson::create(0) + boson::destroy(0))^20");
    assert_eq!(field.pow(2).to_string().matches(" + ").count(), 3, "short powers are multiplied out");
}
