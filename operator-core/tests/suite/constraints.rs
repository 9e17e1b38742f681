//! Which operators a constrained space takes.

use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli, Terms, real_matrix};
use operator_core::{
    Boundary, Definition, Error, Graph, HilbertSpace, Ising, LocalOperator, Model, PauliStrings,
};

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

fn pauli_string(flips: [(usize, Pauli); 2], signs: std::ops::Range<usize>) -> Vec<(usize, Pauli)> {
    flips.into_iter().chain(signs.map(|site| (site, Pauli::Z))).collect()
}

/// Spaces on which an exchange between sites 0 and 8 is a mask, and where it is a table with signs.
fn nine_spins_and_more() -> [HilbertSpace; 2] {
    let spins = || HilbertSpace::from(Spin::half(9).unwrap().with_total_sz(0.5).unwrap());
    [(spins() * Qubit::new(1).unwrap()).unwrap(), (spins() * Fock::new(2, 1).unwrap()).unwrap()]
}

#[test]
fn signs_between_the_exchanged_spins_keep_the_magnetisation_of_their_factor() {
    for space in nine_spins_and_more() {
        let mut terms = Terms::new(space.clone());
        terms.pauli(0.5, &pauli_string([(0, Pauli::X), (8, Pauli::X)], 1..8)).unwrap();
        terms.pauli(0.5, &pauli_string([(0, Pauli::Y), (8, Pauli::Y)], 1..8)).unwrap();
        let exchange = Definition::new("exchange", terms).unwrap();
        assert!(exchange.is_hermitian() && exchange.is_real());
        assert_eq!(exchange.max_conn_size(), 1);
        let mut terms = Terms::new(space);
        terms.pauli(0.5, &pauli_string([(0, Pauli::X), (8, Pauli::X)], 1..8)).unwrap();
        terms.pauli(0.5, &pauli_string([(0, Pauli::Y), (8, Pauli::Y)], 1..7)).unwrap();
        refused(terms);
    }
}

#[test]
fn excitations_stay_in_a_factor_with_a_fixed_number() {
    let spins = HilbertSpace::from(Spin::half(2).unwrap());
    let fixed = Fock::new(1, 2).unwrap().with_n_particles(1).unwrap();
    let exchange =
        real_matrix([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]);
    for other in [Fock::new(1, 1).unwrap(), Fock::new(2, 1).unwrap()] {
        let space = HilbertSpace::tensor([spins.clone(), fixed.clone().into(), other.into()]).unwrap();
        let mut terms = Terms::new(space.clone());
        terms.local(1.0, &[0, 1], exchange.clone()).unwrap();
        terms.local(1.0, &[2, 3], exchange.clone()).unwrap();
        Definition::new("within factors", terms).unwrap();
        let mut terms = Terms::new(space);
        terms.local(1.0, &[0, 2], exchange.clone()).unwrap();
        assert!(refused(terms).contains("[0, 2]"));
    }
}

#[test]
fn hops_beside_bosons_keep_the_number_of_fermions_and_single_ladders_do_not() {
    let fermions = HilbertSpace::from(SpinOrbitalFermions::new(8).unwrap().with_n_fermions(3).unwrap());
    let space = (HilbertSpace::from(Fock::new(3, 2).unwrap()) * fermions).unwrap();
    let mut terms = Terms::new(space.clone());
    terms.fermion(1.0, &[Ladder::create(2), Ladder::destroy(9)]).unwrap();
    let hop = Definition::new("hop", terms).unwrap();
    assert!(!hop.is_hermitian());
    let mut terms = Terms::new(space);
    terms.fermion(1.0, &[Ladder::create(9)]).unwrap();
    assert!(refused(terms).contains("9^"));
}

/// XX and YY on a bond as strings and as matrices, each with a weight of its own.
fn apart(weights: [f64; 2]) -> [operator_core::Result<Definition>; 2] {
    let strings = PauliStrings::new(sz0(), ["XXII", "YYII"], weights).unwrap();
    let x =
        real_matrix([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]);
    let y = real_matrix([
        [0.0, 0.0, 0.0, -1.0],
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [-1.0, 0.0, 0.0, 0.0],
    ]);
    let matrices = LocalOperator::new(sz0()).with_weighted(weights[0], &[0, 1], x).unwrap();
    let matrices = matrices.with_weighted(weights[1], &[0, 1], y).unwrap();
    [strings.definition(), matrices.definition()]
}

#[test]
fn terms_given_apart_keep_the_magnetisation_together() {
    for definition in apart([0.3, 0.3]) {
        let definition = definition.unwrap();
        assert_eq!(definition.max_conn_size(), 1);
        let engine = definition.engine::<f64>().unwrap();
        let mut elements = Vec::new();
        engine.visit(&[1, -1, 1, -1], &mut Default::default(), |to, mel| {
            elements.push((to.sites().to_vec(), mel))
        });
        assert_eq!(elements, [(vec![0, 1], 0.6)]);
        // Later values keep it while they are equal.
        let with = |weights: [f64; 2]| {
            let mut parameters = definition.parameters().clone();
            parameters.set("weights", weights)?;
            definition.with_parameters(parameters)
        };
        assert!(with([2.0, 2.0]).is_ok());
        let message = with([2.0, 1.0]).unwrap_err().to_string();
        assert!(message.contains("leaves Spin(1/2"), "{message}");
        // So do the results of the algebra.
        assert!((2.0 * &definition).unwrap().adjoint().unwrap().is_hermitian());
    }
    for refused in apart([0.3, 0.2]) {
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(" and ") || message.contains("[0, 1]"), "names both: {message}");
    }
}

#[test]
fn rounding_off_the_block_of_a_swap_is_dropped() {
    let mut swap =
        real_matrix([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]);
    swap[[0, 3]] = 1e-17.into();
    swap[[1, 0]] = (-3e-16).into();
    let mut terms = Terms::new(sz0());
    terms.local(1.0, &[0, 1], swap.clone()).unwrap();
    let by_hand = Definition::new("swap", terms.clone()).unwrap();
    let model = LocalOperator::new(sz0()).with(&[0, 1], swap).unwrap().definition().unwrap();
    for definition in [by_hand, model] {
        assert_eq!((definition.dropped().count, definition.dropped().largest), (2, 3e-16));
        assert!(format!("{definition:?}").contains("count: 2"));
        assert!(definition.is_hermitian());
        assert!(matches!(definition.with_cutoff(0.0), Err(Error::LeavesHilbert { .. })));
    }
    assert!(Definition::new_with_cutoff("swap", terms.clone(), 1e-16).is_err());
    for cutoff in [-1.0, 1.0, f64::NAN] {
        assert!(matches!(
            Definition::new_with_cutoff("swap", terms.clone(), cutoff),
            Err(Error::Cutoff { .. })
        ));
    }
}

#[test]
fn small_couplings_stay_and_rounding_goes() {
    let mut terms = Terms::new(Qubit::new(3).unwrap());
    let h = terms.parameter("h", 1.0).unwrap().at(0).unwrap();
    // A large shift of the energy does not make couplings small, and parameters are no constants.
    terms.pauli(1e9, &[]).unwrap().pauli(1.0, &[(0, Pauli::Z)]).unwrap();
    terms.pauli(1e-10, &[(0, Pauli::X)]).unwrap().pauli(2e-13, &[(1, Pauli::X)]).unwrap();
    terms.pauli(1e-20 * h, &[(2, Pauli::X)]).unwrap();
    let definition = Definition::new("small", terms).unwrap();
    assert_eq!((definition.max_conn_size(), definition.dropped().count), (4, 0));
    let weights = [0.1, 0.2, -0.3, 1.0];
    let strings = PauliStrings::new(Qubit::new(2).unwrap(), ["XI", "XI", "XI", "IZ"], weights).unwrap();
    let engine = strings.definition().unwrap().engine::<f64>().unwrap();
    let mut n = 0;
    engine.visit(&[0, 0], &mut Default::default(), |to, _| n += usize::from(!to.is_diagonal()));
    assert_eq!(n, 0, "0.1 + 0.2 - 0.3 is no element");
}

#[test]
fn models_of_pauli_matrices_are_not_for_products_with_fermions() {
    let pair = Graph::chain(2, Boundary::Open).unwrap();
    let of = |space: HilbertSpace| Ising::new(space, &pair, 1.0, 1.0).map(|model| model.definition());
    let spin = || HilbertSpace::from(Spin::half(1).unwrap());
    of((spin() * Qubit::new(1).unwrap()).unwrap()).unwrap().unwrap();
    let error = of((spin() * SpinOrbitalFermions::new(1).unwrap()).unwrap()).unwrap_err();
    assert!(matches!(error, Error::WrongHilbert { .. }), "{error}");
}
