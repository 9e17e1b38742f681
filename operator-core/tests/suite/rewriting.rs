//! One operator written in several ways: normal order, Pauli strings, local matrices, Jordan-Wigner.
#![cfg(feature = "testing")]

use crate::common::{adjoint, assert_close, dense, distance, random_terms, spaces, two_level_spaces};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli, TermKind, Terms, jordan_wigner, real_matrix};
use operator_core::testing::{SplitMix, kronecker_dense};
use operator_core::{Definition, Error, FermionOperator2nd, HilbertSpace, Model, PauliStrings};
use proptest::prelude::*;

fn fermions() -> HilbertSpace {
    SpinOrbitalFermions::new(5).unwrap().into()
}

fn random_fermions(seed: u64, n_strings: usize) -> Terms {
    let mut rng = SplitMix::new(seed);
    let mut terms = Terms::new(fermions());
    let h = terms.parameter("h", 0.5 + rng.number()).unwrap().at(0).unwrap();
    for k in 0..n_strings {
        let string: Vec<_> = (0..rng.below(7))
            .map(|_| {
                let mode = rng.below(5);
                if rng.below(2) == 0 { Ladder::create(mode) } else { Ladder::destroy(mode) }
            })
            .collect();
        let factor = Complex64::new(rng.number(), rng.number());
        match k % 2 {
            0 => terms.fermion(factor, &string).unwrap(),
            _ => terms.fermion(factor * h, &string).unwrap(),
        };
    }
    terms
}

fn is_normal_ordered(ladders: &[Ladder]) -> bool {
    ladders.windows(2).all(|pair| (pair[0].creates(), pair[0].mode()) > (pair[1].creates(), pair[1].mode()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn normal_ordering_keeps_the_matrix(seed: u64) {
        let terms = random_fermions(seed, 6);
        let ordered = terms.normal_ordered().unwrap();
        assert_close(&dense(&ordered), &dense(&terms));
        for term in ordered.iter() {
            let TermKind::Fermion(string) = term.kind() else { panic!("{} is no fermion string", term.kind()) };
            prop_assert!(is_normal_ordered(string.ladders()), "{string}");
        }
        prop_assert_eq!(ordered.normal_ordered().unwrap(), ordered);
    }

    #[test]
    fn jordan_wigner_has_the_matrix_of_the_fermions(seed: u64) {
        let terms = random_fermions(seed, 5);
        let qubits = jordan_wigner(&terms).unwrap();
        prop_assert_eq!(qubits.hilbert(), &HilbertSpace::from(Qubit::new(5).unwrap()));
        prop_assert_eq!(qubits.parameters(), terms.parameters());
        assert_close(&dense(&qubits), &dense(&terms));
    }

    #[test]
    fn pauli_strings_have_the_same_matrix(space in prop::sample::select(two_level_spaces()), seed: u64) {
        let terms = random_terms(&space, seed, true);
        let strings = terms.to_pauli_strings().unwrap();
        prop_assert!(strings.iter().all(|term| matches!(term.kind(), TermKind::Pauli(_))));
        assert_close(&dense(&strings), &dense(&terms));
    }

    #[test]
    fn local_matrices_have_the_same_matrix(space in prop::sample::select(spaces()), seed: u64) {
        let terms = random_terms(&space, seed, true);
        let local = terms.to_local().unwrap();
        let sorted = local.iter().all(|term| match term.kind() {
            TermKind::Local(local) => local.sites().is_sorted(),
            _ => false,
        });
        prop_assert!(sorted);
        assert_close(&dense(&local), &dense(&terms));
    }

    #[test]
    fn equality_does_not_depend_on_how_an_operator_is_written(
        space in prop::sample::select(spaces()), seed: u64,
    ) {
        let terms = random_terms(&space, seed, true);
        let mut reversed = Terms::new(space.clone());
        for term in terms.frozen().unwrap().iter().rev() {
            match term.kind() {
                TermKind::Local(local) => {
                    let z = term.coefficient().factor();
                    reversed.local(1.0, local.sites(), local.matrix().mapv(|m| z * m)).unwrap()
                }
                TermKind::Product(product) => {
                    reversed.product(term.coefficient(), product.factors()).unwrap()
                }
                TermKind::Pauli(string) => {
                    reversed.pauli_on_occupations(term.coefficient(), &string.paulis()).unwrap()
                }
                TermKind::Fermion(string) => reversed.fermion(term.coefficient(), string.ladders()).unwrap(),
                other => panic!("{other} is of no family that this test knows"),
            };
        }
        prop_assert!(terms.equivalent(&reversed).unwrap());
        prop_assert!(terms.equivalent(&terms.to_local().unwrap()).unwrap());
        prop_assert!(terms.to_local().unwrap().equivalent(&terms).unwrap());
        if space.is_two_level() {
            prop_assert!(terms.equivalent(&terms.to_pauli_strings().unwrap()).unwrap());
        }
        let other = random_terms(&space, !seed, false);
        let equal = distance(&dense(&terms), &dense(&other)) < 1e-11;
        prop_assert_eq!(terms.equivalent(&other).unwrap(), equal);
    }

    #[test]
    fn hermiticity_is_decided_alike_by_terms_kernels_and_matrices(
        space in prop::sample::select(spaces()), seed: u64, symmetric: bool,
    ) {
        let terms = random_terms(&space, seed, false);
        let terms = if symmetric { (&terms + terms.adjoint()).unwrap() } else { terms };
        let matrix = dense(&terms);
        let expected = distance(&matrix, &adjoint(&matrix)) < 1e-11;
        prop_assert!(expected || !symmetric);
        prop_assert_eq!(terms.is_hermitian().unwrap(), expected);
        prop_assert_eq!(Definition::new("test", terms).unwrap().is_hermitian(), expected);
    }

    #[test]
    fn fermion_hermiticity_does_not_depend_on_the_order(seed: u64, symmetric: bool) {
        let terms = random_fermions(seed, 3);
        let adjoint = terms.adjoint().normal_ordered().unwrap();
        let terms = if symmetric { (&terms + adjoint).unwrap() } else { terms };
        let kernel = Definition::new("test", terms.clone()).unwrap().is_hermitian();
        prop_assert_eq!(terms.is_hermitian().unwrap(), kernel);
        prop_assert!(kernel || !symmetric);
    }

    #[test]
    fn openfermion_text_gives_back_its_strings(seed: u64) {
        let mut rng = SplitMix::new(seed);
        let (mut text, mut expected) = (Vec::new(), Terms::new(Qubit::new(6).unwrap()));
        for _ in 0..1 + rng.below(6) {
            let z = Complex64::new(rng.number(), rng.number());
            let n = 1 + rng.below(4);
            let string: Vec<(usize, Pauli)> = rng
                .distinct(n, 6)
                .into_iter()
                .map(|site| (site, [Pauli::X, Pauli::Y, Pauli::Z][rng.below(3)]))
                .collect();
            let letters: Vec<String> = string.iter().map(|(site, pauli)| format!("{pauli:?}{site}")).collect();
            text.push(format!("({}{:+}j) [{}]", z.re, z.im, letters.join(" ")));
            expected.pauli(z, &string).unwrap();
        }
        let read = PauliStrings::from_openfermion(&text.join(" +\n"), Some(6)).unwrap();
        prop_assert!(read.definition().unwrap().to_terms().equivalent(&expected).unwrap());
    }

    #[test]
    fn no_openfermion_text_panics(text in "[-+ 0-9.ejXYZI^\\[\\]()é\n]{0,40}") {
        if let Ok(strings) = PauliStrings::from_openfermion(&text, Some(8)) {
            let _ = strings.definition();
        }
        if let Ok(strings) = FermionOperator2nd::from_openfermion(&text, Some(8)) {
            let _ = strings.definition();
        }
    }
}

#[test]
fn definitions_keep_their_parameters_when_rewritten() {
    let terms = random_fermions(5, 4);
    let definition = Definition::new("fermions", terms).unwrap();
    let other = definition.parameters().with_values(&[-1.7]).unwrap();
    let expected = kronecker_dense(&definition.with_parameters(other.clone()).unwrap()).unwrap();
    for rewritten in [
        definition.to_local_operator().unwrap(),
        definition.to_pauli_strings().unwrap(),
        definition.jordan_wigner().unwrap(),
    ] {
        let changed = rewritten.with_parameters(other.clone()).unwrap();
        assert_close(&kronecker_dense(&changed).unwrap(), &expected);
    }
}

#[test]
fn known_normal_orders() {
    let ordered = |string: &[Ladder]| {
        let mut terms = Terms::new(fermions());
        terms.fermion(1.0, string).unwrap();
        let ordered = terms.normal_ordered().unwrap();
        let mut out: Vec<_> = ordered
            .iter()
            .map(|term| format!("{} {}", term.coefficient().factor().re, term.kind()))
            .collect();
        out.sort();
        out
    };
    let (up, down) = (Ladder::create, Ladder::destroy);
    // As OpenFermion's normal_ordered has them.
    assert_eq!(ordered(&[up(0), up(3)]), ["-1 3^ 0^"]);
    assert_eq!(ordered(&[down(0), up(1)]), ["-1 1^ 0"]);
    assert_eq!(ordered(&[down(2), up(2)]), ["-1 2^ 2", "1 I"]);
    assert_eq!(ordered(&[up(1), down(1), up(2), down(2)]), ["-1 2^ 1^ 2 1"]);
    assert_eq!(ordered(&[up(1), up(1)]), [""; 0]);
    assert_eq!(ordered(&[up(1), down(1), up(1), down(1)]), ["1 1^ 1"]);
}

#[test]
fn jordan_wigner_keeps_a_sector_and_needs_fermions() {
    let space = SpinOrbitalFermions::new(4).unwrap().with_n_fermions(2).unwrap();
    let mut terms = Terms::new(space.clone());
    terms.fermion(1.0, &[Ladder::create(3), Ladder::destroy(0)]).unwrap();
    let (sector, full) = (dense(&terms), dense(&jordan_wigner(&terms).unwrap()));
    let space: HilbertSpace = space.into();
    let qubits: HilbertSpace = Qubit::new(4).unwrap().into();
    let places = qubits.states_to_indices(space.all_states().unwrap().view()).unwrap();
    for (r, &row) in places.iter().enumerate() {
        for (c, &column) in places.iter().enumerate() {
            assert_eq!(sector[[r, c]], full[[row, column]]);
        }
    }
    assert_eq!(
        jordan_wigner(&Terms::new(qubits)).unwrap_err().to_string(),
        "the Jordan-Wigner map does not act on Qubit(4): its sites are not fermion modes"
    );
}

#[test]
fn conversions_that_cannot_be_are_refused() {
    let mut bosons = Terms::new(Fock::new(2, 2).unwrap());
    bosons.local(1.0, &[0], real_matrix([[1.0; 3]; 3])).unwrap();
    assert_eq!(
        bosons.to_pauli_strings().unwrap_err().to_string(),
        "Pauli strings of the matrix on sites [0] does not act on Fock(n_max = 2, 2 sites): Pauli matrices \
         need two local states a site"
    );
    let mut long = Terms::new(Spin::half(20).unwrap());
    long.pauli(1.0, &(0..20).map(|site| (site, Pauli::Z)).collect::<Vec<_>>()).unwrap();
    assert!(matches!(long.to_local(), Err(Error::TooLarge { .. })));
    let mut long = Terms::new(SpinOrbitalFermions::new(64).unwrap());
    long.fermion(1.0, &(0..64).map(Ladder::create).collect::<Vec<_>>()).unwrap();
    assert!(matches!(jordan_wigner(&long), Err(Error::TooLarge { .. })));
    assert!(matches!(long.to_local(), Err(Error::TooLarge { .. })));
    assert!(long.equivalent(&long.normal_ordered().unwrap()).unwrap());
}

#[test]
fn openfermion_text_is_read_in_its_usual_forms() {
    let read = |text: &str, n: Option<usize>| PauliStrings::from_openfermion(text, n)?.definition();
    let mut expected = Terms::new(Qubit::new(4).unwrap());
    expected.pauli(0.5, &[(0, Pauli::X), (1, Pauli::Y)]).unwrap();
    expected.pauli(Complex64::new(0.3, 0.1), &[(3, Pauli::Z)]).unwrap();
    expected.pauli(1.0, &[]).unwrap();
    expected.pauli(-2e-3, &[(2, Pauli::X)]).unwrap();
    expected.pauli(Complex64::new(0.0, -1.0), &[(1, Pauli::X)]).unwrap();
    for text in [
        "0.5 [X0 Y1] + (0.3+0.1j) [Z3] + 1.0 [] + -0.002 [X2] + -1j [X1]",
        "0.5 [X0 Y1] +\n(0.3+0.1j) [Z3] +\n1.0 [] +\n-2e-03 [X2] +\n(-0-1j) [X1]",
        "[] + 0.5[Y1 X0] - 0.002 [X2] - 1j [X1] + (0.3+0.1j) [ Z3 ]",
    ] {
        let got = read(text, None).unwrap().to_terms();
        assert!(got.equivalent(&expected).unwrap(), "{text}");
    }
    assert_eq!(read("1 [Z0]", Some(3)).unwrap().hilbert().n_sites(), 3);
    let message = |text: &str, n| read(text, n).unwrap_err().to_string();
    assert_eq!(message("", None), "cannot read \"\": expected a string in [ ]");
    assert_eq!(message("1.0 [X0", None), "cannot read \"1.0 [X0\": a [ has no ]");
    assert_eq!(message("1.0 [A0]", None), "cannot read \"A0\": expected X, Y or Z and the number of a qubit");
    assert_eq!(
        message("1.0 [X-1]", None),
        "cannot read \"X-1\": expected the number of a qubit after the letter"
    );
    assert!(message("1.0 [X99999999999999999999]", None).contains("the number is too large"));
    assert_eq!(message("1.0 [X0] 2 [Z0]", None), "cannot read \"2 \": expected + or - between terms");
    assert_eq!(
        message("one [X0]", None),
        "cannot read \"one \": expected a number like 0.5, 2j or (0.3+0.1j)"
    );
    assert!(message("1 [X0] +", None).contains("expected a string in [ ]"));
    assert!(message("1 [X5]", Some(3)).contains("acts on site 5"));
    assert!(message("nan [X0]", None).contains("must be finite"));
}

#[test]
fn openfermion_text_of_fermions_is_read_in_its_usual_forms() {
    let mut expected = Terms::new(SpinOrbitalFermions::new(4).unwrap());
    expected.fermion(1.0, &[Ladder::create(0), Ladder::destroy(1)]).unwrap();
    expected.fermion(Complex64::new(0.5, 0.5), &[Ladder::create(1), Ladder::destroy(0)]).unwrap();
    expected
        .fermion(-0.25, &[Ladder::create(3), Ladder::create(2), Ladder::destroy(1), Ladder::destroy(0)])
        .unwrap();
    expected.fermion(Complex64::new(0.0, 2.0), &[]).unwrap();
    let read = |text: &str, n| FermionOperator2nd::from_openfermion(text, n)?.definition();
    for text in [
        "1.0 [0^ 1] + (0.5+0.5j) [1^ 0] + -0.25 [3^ 2^ 1 0] + 2j []",
        "1.0 [0^ 1] +\n(0.5+0.5j) [1^ 0] +\n-0.25 [3^ 2^ 1 0] +\n2j []",
        "[0^ 1] + (0.5+0.5j)[1^ 0] - 0.25 [3^  2^ 1 0 ] + 0.0 [2^ 2] + 0.7 [0^ 0^ 1 1] + (0+2j) []",
    ] {
        assert!(read(text, None).unwrap().to_terms().equivalent(&expected).unwrap(), "{text}");
        let on = FermionOperator2nd::from_openfermion_on(SpinOrbitalFermions::new(4).unwrap(), text).unwrap();
        assert!(on.definition().unwrap().to_terms().equivalent(&expected).unwrap(), "{text}");
    }
    assert_eq!(read("1 [0^ 0]", Some(3)).unwrap().hilbert().n_sites(), 3);
    // A repeated mode is not an error here: it vanishes, or not.
    let number = read("1.0 [0 0^]", Some(1)).unwrap().to_terms().normal_ordered().unwrap();
    assert_eq!(number.len(), 2);
    let message = |text: &str, n| read(text, n).unwrap_err().to_string();
    for (text, expected) in [
        ("", "expected a string in [ ]"),
        ("0.5", "expected a string in [ ]"),
        ("1 [0^ 1", "a [ has no ]"),
        ("1 [0^ x]", "cannot read \"x\": expected a mode such as 3, or 3^ where it is created"),
        ("1 [-1]", "expected a mode such as 3"),
        (
            "1 [99999999999999999999^]",
            "cannot read \"99999999999999999999^\": the number is too large; expected one below 2^64",
        ),
        ("1 [0^^]", "expected a mode such as 3"),
        ("1 [X0 Y1]", "it is a QubitOperator; PauliStrings::from_openfermion reads these"),
        ("1 [q0 p1]", "it is a QuadOperator, which acts on bosons"),
        ("1.0 (0, 1) +\n0.5 ()", "it is a MajoranaOperator; expected a FermionOperator"),
        ("x [0]", "expected a number like 0.5, 2j or (0.3+0.1j)"),
        ("1 [0] 2 [1]", "expected + or - between terms"),
        ("1e999 [0^ 0]", "must be finite"),
    ] {
        let message = message(text, None);
        assert!(message.contains(expected), "{message}");
    }
    assert!(message("1 [5^ 5]", Some(3)).contains("acts on site 5"));
    assert!(message("1 [18446744073709551615]", None).contains("at most 2^31"));
    let qubits = FermionOperator2nd::from_openfermion_on(Qubit::new(2).unwrap(), "1 [0^ 0]");
    assert!(matches!(qubits, Err(Error::WrongHilbert { .. })));
}

#[test]
fn matrices_of_one_qubit_are_multiplied() {
    let read = |text: &str| PauliStrings::from_openfermion(text, Some(2)).unwrap().definition().unwrap();
    let i = Complex64::I;
    for (text, weight, string) in [
        ("[X0 X0]", Complex64::ONE, vec![]),
        ("[X0 Y0]", i, vec![(0, Pauli::Z)]),
        ("[Y0 X0]", -i, vec![(0, Pauli::Z)]),
        ("[Y0 Z0]", i, vec![(0, Pauli::X)]),
        ("[Z0 Y0]", -i, vec![(0, Pauli::X)]),
        ("[Z0 X0]", i, vec![(0, Pauli::Y)]),
        ("[X0 Z0]", -i, vec![(0, Pauli::Y)]),
        ("2 [X0 Y1 Y0 Z0 Y1 Z1]", 2.0 * i * i * i * -i, vec![(1, Pauli::Z)]),
    ] {
        // Single matrices, multiplied as operators.
        let mut product = Terms::new(Qubit::new(2).unwrap());
        product.pauli(if text.starts_with('2') { 2.0 } else { 1.0 }, &[]).unwrap();
        let factors = text.split_once('[').unwrap().1.trim_end_matches(']');
        for factor in factors.split(' ') {
            let pauli = match &factor[..1] {
                "X" => Pauli::X,
                "Y" => Pauli::Y,
                _ => Pauli::Z,
            };
            let mut one = Terms::new(Qubit::new(2).unwrap());
            one.pauli(1.0, &[(factor[1..].parse().unwrap(), pauli)]).unwrap();
            product = (product * one).unwrap();
        }
        let got = read(text).to_terms();
        assert!(got.equivalent(&product).unwrap(), "{text}");
        if text != "2 [X0 Y1 Y0 Z0 Y1 Z1]" {
            let mut expected = Terms::new(Qubit::new(2).unwrap());
            expected.pauli(weight, &string).unwrap();
            assert!(got.equivalent(&expected).unwrap(), "{text}");
        }
    }
}

#[test]
fn the_zero_operator_has_no_terms() {
    for text in ["0", " 0\n", "0.0", "-0", "0j", "(0+0j)"] {
        let qubits = PauliStrings::from_openfermion(text, None).unwrap().definition().unwrap();
        let fermions = FermionOperator2nd::from_openfermion(text, Some(3)).unwrap().definition().unwrap();
        assert!(qubits.terms().is_empty() && fermions.terms().is_empty(), "{text}");
        assert_eq!((qubits.max_conn_size(), fermions.hilbert().n_sites()), (0, 3));
    }
}

#[test]
fn text_of_other_operators_than_qubits_is_named() {
    let message = |text: &str, n| PauliStrings::from_openfermion(text, n).unwrap_err().to_string();
    assert!(message("1.0 [0^ 1]", None).contains("it is a FermionOperator or a BosonOperator"));
    assert!(message("1.0 [q0 p0]", None).contains("it is a QuadOperator"));
    assert!(
        message("(1+0j) (0, 3) +\n1j (2,)", None)
            .contains("it is a MajoranaOperator; expected a QubitOperator")
    );
    assert!(message("1.0 ()", None).contains("it is a MajoranaOperator"));
    assert!(message("1 [X1000000000000]", None).contains("more than the limit of"));
    assert!(message("1 [X18446744073709551615]", None).contains("more than the limit of"));
    let spins = PauliStrings::from_openfermion_on(Spin::half(3).unwrap(), "[X0 X2]").unwrap();
    assert_eq!(spins.definition().unwrap().hilbert(), &Spin::half(3).unwrap().into());
}

#[test]
fn pairs_are_strings_and_their_weights() {
    let space = Qubit::new(3).unwrap();
    let pairs = std::collections::BTreeMap::from([("XXI", 0.5), ("IZZ", -1.0)]);
    let (strings, weights): (Vec<_>, Vec<_>) = pairs.clone().into_iter().unzip();
    let expected = PauliStrings::new(space.clone(), strings, weights).unwrap().definition().unwrap();
    assert_eq!(PauliStrings::from_pairs(space.clone(), pairs).unwrap().definition().unwrap(), expected);
    assert!(matches!(PauliStrings::from_pairs(space, [("XX", 1.0)]), Err(Error::Parse { .. })));
}
