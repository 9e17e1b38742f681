//! Which operators a constrained space takes.

use operator_core::hilbert::{Fock, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli, Terms, real_matrix};
use operator_core::{Boundary, Definition, Error, Graph, HilbertSpace, Ising, Model};

fn sz0() -> HilbertSpace {
    Spin::half(4).unwrap().with_total_sz(0.0).unwrap().into()
}

/// The name of the term that leaves the space.
fn refused(terms: Terms) -> String {
    match Definition::new("test", terms) {
        Err(Error::LeavesHilbert { term, .. }) => term,
        other => panic!("it should leave the space: {other:?}"),
    }
}

#[test]
fn xx_alone_changes_the_magnetisation_and_is_named() {
    let mut terms = Terms::new(sz0());
    terms.pauli(1.0, &[(0, Pauli::Z), (1, Pauli::Z)]).unwrap();
    terms.pauli(1.0, &[(0, Pauli::X), (2, Pauli::X)]).unwrap();
    assert!(refused(terms).contains("X0 X2"));
}

#[test]
fn xx_and_yy_together_keep_the_magnetisation() {
    let mut terms = Terms::new(sz0());
    let j = terms.parameter("J", 0.7).unwrap().at(0).unwrap();
    terms.pauli(j, &[(0, Pauli::X), (2, Pauli::X)]).unwrap();
    terms.pauli(j, &[(0, Pauli::Y), (2, Pauli::Y)]).unwrap();
    let exchange = Definition::new("exchange", terms).unwrap();
    assert!(exchange.is_real() && exchange.is_hermitian());
    assert_eq!(exchange.max_conn_size(), 1);
}

#[test]
fn xx_and_yy_with_parameters_of_their_own_do_not() {
    // They keep the magnetisation only while the two parameters happen to be equal.
    let mut terms = Terms::new(sz0());
    let j = terms.parameter("J", [0.7, 0.7]).unwrap();
    terms.pauli(j.at(0).unwrap(), &[(0, Pauli::X), (2, Pauli::X)]).unwrap();
    terms.pauli(j.at(1).unwrap(), &[(0, Pauli::Y), (2, Pauli::Y)]).unwrap();
    refused(terms);
}

#[test]
fn a_transverse_field_does_not_fit_a_fixed_magnetisation() {
    let chain = Graph::chain(4, Boundary::Periodic).unwrap();
    let error = Ising::new(sz0(), &chain, 1.0, 1.0).unwrap().definition().unwrap_err();
    let message = error.to_string();
    assert!(message.contains("X0") && message.contains("leaves Spin(1/2"), "{message}");
}

#[test]
fn creating_a_boson_does_not_fit_a_fixed_number() {
    let create = real_matrix([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2f64.sqrt(), 0.0]]);
    let fixed: HilbertSpace = Fock::new(2, 3).unwrap().with_n_particles(3).unwrap().into();
    let mut terms = Terms::new(fixed);
    terms.local(1.0, &[1], create.clone()).unwrap();
    assert!(refused(terms).contains("[1]"));
    let mut terms = Terms::new(Fock::new(2, 3).unwrap());
    terms.local(1.0, &[1], create).unwrap();
    assert!(!Definition::new("create", terms).unwrap().is_hermitian());
}

#[test]
fn spin_flips_do_not_fit_fixed_numbers_of_each_spin() {
    let space = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    let flip = [Ladder::create(0), Ladder::destroy(2)];
    let mut terms = Terms::new(space.with_n_fermions_per_spin(&[1, 1]).unwrap());
    terms.fermion(1.0, &flip).unwrap();
    assert!(refused(terms).contains("0^ 2"));
    let mut terms = Terms::new(space.with_n_fermions(2).unwrap());
    terms.fermion(1.0, &flip).unwrap();
    Definition::new("flip", terms).unwrap();
    let mut terms = Terms::new(space.with_n_fermions(2).unwrap());
    terms.fermion(1.0, &[Ladder::create(0), Ladder::create(1)]).unwrap();
    refused(terms);
}

#[test]
fn terms_that_leave_only_from_states_outside_the_space_are_taken() {
    // With as many spins up as down on two sites, X X only exchanges them.
    let mut terms = Terms::new(Spin::half(2).unwrap().with_total_sz(0.0).unwrap());
    terms.pauli(1.0, &[(0, Pauli::X), (1, Pauli::X)]).unwrap();
    assert_eq!(Definition::new("XX", terms).unwrap().max_conn_size(), 1);
}
