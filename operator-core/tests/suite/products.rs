//! Products of matrices on single sites, which stay small whatever the sites' local dimensions.
#![cfg(feature = "testing")]

use num_complex::Complex64;
use operator_core::expression::{Expression, boson, fermion, spin::*};
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::kernel::Scratch;
use operator_core::terms::{Ladder, Pauli, SiteMatrix, Terms};
use operator_core::testing::{SplitMix, reference_row};
use operator_core::{BoseHubbard, Boundary, Definition, Error, Graph, HilbertSpace, Model};

fn product(factors: impl Iterator<Item = Expression>) -> Expression {
    factors.reduce(|product, factor| product * factor).unwrap()
}

/// The elements of a row, `x'` and value.
fn row(definition: &Definition, x: &[i8]) -> Vec<(Vec<i8>, Complex64)> {
    let engine = definition.engine::<Complex64>().unwrap();
    let mut elements = Vec::new();
    engine.visit(x, &mut Scratch::default(), |connected, mel| {
        let mut to = x.to_vec();
        connected.write(&mut to);
        elements.push((to, mel));
    });
    elements
}

/// Compares random rows with a sum over terms, as a visit and in blocks, and moves with visits.
#[track_caller]
fn check(definition: &Definition) {
    let hilbert = definition.hilbert();
    let states = hilbert.random_states(20, &mut SplitMix::new(5));
    let engine = definition.engine::<Complex64>().unwrap();
    let rows = states.as_slice().unwrap();
    let (mut found, mut counts) = (Default::default(), vec![0; states.nrows()]);
    engine.find(rows, &mut counts, &mut found);
    let n: usize = counts.iter().sum();
    let (mut written, mut mels) = (vec![0; n * hilbert.n_sites()], vec![Complex64::ZERO; n]);
    engine.write(rows, &found, &mut written, &mut mels);
    let (mut k, mut moves) = (0, engine.moves());
    for (x, &count) in states.rows().into_iter().zip(&counts) {
        let x = x.to_vec();
        let visited = row(definition, &x);
        assert!(visited.len() == count && count <= definition.max_conn_size());
        let mut expected = reference_row(definition, &x);
        let size: f64 = expected.values().map(|mel| mel.norm()).sum();
        for (to, mel) in &visited {
            assert_eq!(*to, written[k * x.len()..(k + 1) * x.len()]);
            assert_eq!(*mel, mels[k]);
            let right = expected.remove(to).unwrap_or_default();
            assert!((mel - right).norm() <= 1e-12 * size, "{x:?} to {to:?}: {mel}, expected {right}");
            k += 1;
        }
        assert!(expected.values().all(|mel| mel.norm() <= 1e-12 * size), "{expected:?}");
        moves.go_to(&x);
        let others: Vec<_> = visited.iter().filter(|(to, _)| *to != x).collect();
        assert_eq!(moves.len(), others.len());
        for (number, (to, _)) in others.iter().enumerate() {
            let changes: Vec<(usize, i8)> = moves.get(number).unwrap().changes(&x).collect();
            let mut own = x.clone();
            changes.iter().for_each(|&(site, value)| own[site] = value);
            assert_eq!(own, *to);
            let there = row(definition, to).iter().filter(|(state, _)| state != to).count();
            assert_eq!(moves.propose(&changes), there);
        }
    }
}

#[test]
fn ladder_operators_keep_their_guards() {
    for n in [20, 30, 130] {
        let raise = product((0..n).map(sigmap));
        let definition = raise.definition(Spin::half(n).unwrap()).unwrap();
        assert_eq!((definition.terms().len(), definition.max_conn_size()), (1, 1));
        assert_eq!(row(&definition, &vec![1; n]), [(vec![-1; n], Complex64::ONE)]);
        let mut x = vec![1; n];
        x[n / 2] = -1;
        assert_eq!(row(&definition, &x), []);
        assert!(!definition.is_hermitian());
        assert!(raise.clone().plus_hc().definition(Spin::half(n).unwrap()).unwrap().is_hermitian());
        assert!(
            !(raise.clone() - raise.adjoint()).definition(Spin::half(n).unwrap()).unwrap().is_hermitian()
        );
        let twice = (&definition * &definition).unwrap();
        assert!(twice.terms().is_empty(), "a spin is raised once");
    }
    let fixed = Spin::half(40).unwrap().with_total_sz(0.0).unwrap();
    let exchange = product((0..10).map(|i| sigmap(i) * sigmam(i + 20)));
    let definition = exchange.clone().plus_hc().definition(fixed.clone()).unwrap();
    assert!(definition.is_hermitian());
    check(&definition);
    assert!(matches!((exchange * sigmap(39)).definition(fixed), Err(Error::LeavesHilbert { .. })));
}

#[test]
fn strings_flip_and_count_any_number_of_sites_beside_bosons() {
    for n in [11, 40, 100] {
        let space = (HilbertSpace::from(Qubit::new(n).unwrap()) * Fock::new(2, 1).unwrap()).unwrap();
        let flips = product((0..n).map(sigmax));
        let definition = flips.definition(space.clone()).unwrap();
        assert!(definition.is_hermitian() && definition.max_conn_size() == 1);
        let (mut x, mut flipped) = (vec![0; n + 1], vec![1; n + 1]);
        (x[3], flipped[3], x[n], flipped[n]) = (1, 0, 2, 2);
        assert_eq!(row(&definition, &x), [(flipped, Complex64::ONE)]);
        let shaken = product((0..n).map(sigmay)) * boson::create(n).plus_hc();
        let definition = (shaken + product((0..n).map(sigmaz))).definition(space).unwrap();
        assert!(definition.is_hermitian());
        check(&definition);
    }
    let modes: HilbertSpace = SpinOrbitalFermions::new(30).unwrap().into();
    let space = (modes * Fock::new(4, 2).unwrap()).unwrap();
    let mut terms = Terms::new(space);
    let pairs =
        (0..14).map(|mode| if mode % 2 == 0 { Ladder::create(2 * mode) } else { Ladder::destroy(2 * mode) });
    terms.fermion(Complex64::new(0.3, 0.4), &pairs.clone().collect::<Vec<_>>()).unwrap();
    assert!(!Definition::new("pairs", terms.clone()).unwrap().is_hermitian());
    let adjoint = terms.adjoint();
    let definition = Definition::new("pairs", (terms + adjoint).unwrap()).unwrap();
    assert!(definition.is_hermitian());
    check(&definition);
}

#[test]
fn parities_of_large_spins_are_products() {
    let space = Spin::new(1.0, 7).unwrap();
    let parity = product((0..7).map(|i| 1.0 - 0.5 * sigmaz(i) * sigmaz(i)));
    let definition = parity.definition(space.clone()).unwrap();
    check(&definition);
    assert_eq!(row(&definition, &[2, 0, -2, 0, 0, 2, 2]), [(vec![2, 0, -2, 0, 0, 2, 2], Complex64::ONE)]);
    let one = Complex64::ONE;
    let sign = SiteMatrix::new(3, [(0, 0, one), (1, 1, -one), (2, 2, one)]);
    let invert = SiteMatrix::new(3, [(0, 2, one), (1, 1, one), (2, 0, one)]);
    let everywhere =
        |matrix: &SiteMatrix, n: usize| (0..n).map(|site| (site, matrix.clone())).collect::<Vec<_>>();
    let mut terms = Terms::new(Spin::new(1.0, 200).unwrap());
    terms.product(0.5, &everywhere(&sign, 200)).unwrap();
    check(&Definition::new("parity", terms).unwrap());
    let mut terms = Terms::new(space);
    terms.product(1.0, &everywhere(&invert, 7)).unwrap();
    let inversion = Definition::new("inversion", terms).unwrap();
    assert!(inversion.is_hermitian());
    assert_eq!(row(&inversion, &[2, 0, -2, 0, 0, 2, 2]), [(vec![-2, 0, 2, 0, 0, -2, -2], Complex64::ONE)]);
    check(&inversion);
}

/// Spins, each coupled to a boson that hops to the next.
fn spin_boson(n: usize, n_max: usize) -> Definition {
    let space = HilbertSpace::from(Spin::half(n).unwrap()) * Fock::new(n_max, n).unwrap();
    let shake = |i| sigmax(i) * boson::create(n + i).plus_hc();
    let hop = |i| (boson::create(n + i) * boson::destroy(n + i + 1)).plus_hc();
    let local: Expression =
        (0..n).map(|i| 0.3 * sigmaz(i) + 0.7 * boson::number(n + i) + 0.2 * shake(i)).sum();
    (local - 0.4 * (0..n - 1).map(hop).sum::<Expression>()).definition(space.unwrap()).unwrap()
}

#[test]
fn many_bosons_on_many_sites_are_as_good_as_few() {
    for n_max in [4, 31, 45, 63, 100, 127] {
        let chain = Graph::chain(20, Boundary::Open).unwrap();
        let (u, j) = ([0.5; 20], [1.0; 19].map(|j| j / 3.0));
        let model = BoseHubbard::new(Fock::new(n_max, 20).unwrap(), &chain, u).unwrap();
        let bosons = model.with_j(j).with_v(0.1).with_mu(0.2).definition().unwrap();
        assert_eq!(bosons.max_conn_size(), 39);
        assert!(bosons.is_hermitian() && bosons.is_real());
        check(&bosons);
        let fixed = Fock::new(n_max, 20).unwrap().with_n_particles(70).unwrap();
        let fixed = BoseHubbard::new(fixed, &chain, 2.0).unwrap().definition().unwrap();
        check(&fixed);
        let coupled = spin_boson(20, n_max);
        assert_eq!(coupled.max_conn_size(), 1 + 2 * 20 + 2 * 19);
        assert!(coupled.is_hermitian());
        check(&coupled);
    }
}

#[test]
fn creating_bosons_leaves_a_fixed_number_of_them() {
    let fixed = Fock::new(100, 3).unwrap().with_n_particles(50).unwrap();
    let pairs = (boson::create(0) * boson::create(1)).plus_hc();
    let error = pairs.definition(fixed.clone()).unwrap_err();
    assert!(matches!(error, Error::LeavesHilbert { .. }), "{error}");
    let hop = boson::create(0) * boson::create(1) * boson::destroy(2) * boson::destroy(2);
    assert!(!hop.definition(fixed).unwrap().is_hermitian());
}

#[test]
fn what_cancels_between_products_is_no_element() {
    let space = Fock::new(60, 3).unwrap();
    let two = |i, j| boson::create(i) * boson::destroy(i) * boson::create(j) * boson::destroy(j);
    let zero = two(0, 1) - boson::number(0) * boson::number(1);
    assert_eq!(zero.definition(space.clone()).unwrap().max_conn_size(), 0);
    // n b†b' in two orders differs by a hop.
    let hop = boson::create(0) * boson::destroy(1);
    let commutator = boson::number(0) * hop.clone() - hop.clone() * boson::number(0) - hop;
    let definition = commutator.definition(space).unwrap();
    let elements: usize = (0..50).map(|n| row(&definition, &[n, 50 - n, 3]).len()).sum();
    assert!(definition.terms().iter().all(|term| term.coefficient().factor().norm() > 1e-10));
    assert!(elements <= 50, "{elements}");
}

#[test]
fn products_of_operators_stay_sparse() {
    let chain = Graph::chain(6, Boundary::Open).unwrap();
    let bosons = BoseHubbard::new(Fock::new(63, 6).unwrap(), &chain, 2.0).unwrap().definition().unwrap();
    let square = bosons.pow(2).unwrap();
    assert!(square.is_hermitian());
    check(&square);
    assert!(bosons.commutator(&bosons).unwrap().terms().is_empty());
    let coupled = spin_boson(3, 40);
    check(&(&coupled * &coupled).unwrap());
}

#[test]
fn fermions_and_bosons_multiply_as_products() {
    let modes: HilbertSpace = SpinOrbitalFermions::new(20).unwrap().with_n_fermions(7).unwrap().into();
    let space = (modes * Fock::new(100, 3).unwrap()).unwrap();
    let hop = (fermion::create(0) * fermion::destroy(19)).plus_hc();
    let polaron = hop * boson::create(20).plus_hc() * boson::number(21) + boson::number(22);
    let definition = polaron.definition(space).unwrap();
    assert!(definition.is_hermitian());
    check(&definition);
}

#[test]
fn derivatives_of_products_are_products() {
    let mut terms = Terms::new(Fock::new(70, 3).unwrap());
    let j = terms.parameter("J", [0.3, 0.9]).unwrap();
    for bond in 0..2 {
        let hop = (boson::create(bond) * boson::destroy(bond + 1)).plus_hc();
        terms.expression(-j.at(bond).unwrap(), &hop).unwrap();
    }
    let definition = Definition::new("hops", terms).unwrap();
    check(&definition);
    let derivative = definition.derivative("J", 1).unwrap();
    assert_eq!(derivative.max_conn_size(), 2);
    let (pattern, forms, x) = (definition.pattern(), definition.forms(), [5, 6, 7]);
    let mut sum = 0.0;
    pattern.visit(&x, &mut Scratch::default(), |connected, _| {
        connected.for_each_slot(|slot, weight| {
            sum += forms.form(slot).filter(|(p, _)| *p == Some(1)).map(|(_, z)| weight * z.re).sum::<f64>();
        });
    });
    let elements: f64 = row(&derivative, &x).iter().map(|(_, mel)| mel.re).sum();
    let expected = -(48f64.sqrt() + 7.0);
    assert!((sum - expected).abs() < 1e-12 && (elements - expected).abs() < 1e-12, "{sum} and {elements}");
}

#[test]
fn bad_products_are_refused() {
    let mut terms = Terms::new(Fock::new(3, 2).unwrap());
    let of = |dim: usize| SiteMatrix::new(dim, [(0, 0, Complex64::ONE)]);
    let message = |result: operator_core::Result<&mut Terms>| result.map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        message(terms.product(1.0, &[(1, of(5))])),
        "matrix on sites [1] is 5 x 5; the local dimensions ask for 4 x 4"
    );
    assert!(message(terms.product(1.0, &[(2, of(4))])).contains("acts on site 2"));
    assert!(message(terms.product(1.0, &[(1, of(4)), (1, of(4))])).contains("lists site 1 twice"));
    let infinite = SiteMatrix::new(4, [(0, 0, f64::INFINITY.into())]);
    assert!(message(terms.product(1.0, &[(1, infinite)])).contains("coefficients must be finite"));
    assert!(
        message(terms.product(1.0, &[(1, SiteMatrix::new(4, [(9, 0, Complex64::ONE)]))]))
            .contains("is 10 x 4")
    );
    assert!(terms.pauli(1.0, &[(0, Pauli::X)]).is_err());
}
