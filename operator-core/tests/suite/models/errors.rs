//! What the models refuse, and what they say.

use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Pauli, Terms};
use operator_core::{
    BoseHubbard, Boundary, Error, FermiHubbard, FermionOperator2nd, Graph, HilbertSpace, KitaevHoneycomb,
    Model, PauliStrings, Rydberg, Ssh, TJ, Xyz,
};

fn message<T>(result: Result<T, Error>) -> String {
    result.err().expect("an error").to_string()
}

fn chain(n: usize) -> Graph {
    Graph::chain(n, Boundary::Open).unwrap()
}

fn electrons(n: usize) -> SpinOrbitalFermions {
    SpinOrbitalFermions::with_spin(n, 0.5).unwrap()
}

#[test]
fn models_refuse_spaces_of_another_kind() {
    let (qubits, bosons, spinless) =
        (Qubit::new(3).unwrap(), Fock::new(2, 3).unwrap(), SpinOrbitalFermions::new(3).unwrap());
    assert_eq!(
        message(BoseHubbard::new(qubits.clone(), &chain(3), 1.0)),
        "BoseHubbard does not act on Qubit(3): its sites hold bosons, so it needs a Fock space"
    );
    assert_eq!(
        message(FermiHubbard::new(spinless.clone(), &chain(3), 1.0, 1.0)),
        "FermiHubbard does not act on SpinOrbitalFermions(3 orbitals): its fermions need spin 1/2, \
         as SpinOrbitalFermions::with_spin(n_orbitals, 0.5) has"
    );
    assert_eq!(
        message(TJ::new(bosons.clone(), &chain(3), 1.0, 1.0)),
        "TJ does not act on Fock(n_max = 2, 3 sites): its sites are not fermion modes"
    );
    assert_eq!(
        message(Xyz::new(bosons.clone(), &chain(3), 1.0, 1.0, 1.0)),
        "Xyz does not act on Fock(n_max = 2, 3 sites): it is written in spin operators, for spins or qubits"
    );
    let others = [
        message(Ssh::new(qubits.clone(), Boundary::Open, 1.0, 1.0)),
        message(FermionOperator2nd::new(qubits, ["0^ 1"], [1.0])),
        message(KitaevHoneycomb::new(spinless.clone(), &chain(3), 1.0, 1.0, 1.0)),
        message(Rydberg::new(Spin::new(1.0, 3).unwrap(), [[0.0], [1.0], [2.0]], 1.0, 1.0, 1.0)),
        message(Xyz::xxz(spinless, &chain(3), 1.0, 1.0)),
        message(TJ::new(SpinOrbitalFermions::with_spin(3, 1.0).unwrap(), &chain(3), 1.0, 1.0)),
    ];
    assert!(others.iter().all(|message| message.contains("does not act on")), "{others:?}");
}

#[test]
fn graphs_have_the_sites_or_the_orbitals_of_the_space() {
    assert_eq!(
        message(FermiHubbard::new(electrons(3), &chain(6), 1.0, 1.0)),
        "6 sites of the graph; expected 3 as SpinOrbitalFermions(3 orbitals, s = 1/2) has orbitals"
    );
    assert_eq!(
        message(BoseHubbard::new(Fock::new(2, 3).unwrap(), &chain(4), 1.0)),
        "4 sites of the graph; expected 3 as Fock(n_max = 2, 3 sites) has"
    );
    assert_eq!(
        message(Rydberg::new(Qubit::new(3).unwrap(), [[0.0], [1.0]], 1.0, 1.0, 1.0)),
        "2 positions; expected 3 as Qubit(3) has sites"
    );
    assert_eq!(
        message(Ssh::new(SpinOrbitalFermions::new(5).unwrap(), Boundary::Periodic, 1.0, 1.0)),
        "5 orbitals in a periodic chain; expected an even number, since its bonds alternate"
    );
}

#[test]
fn parameters_have_one_value_an_item() {
    let bosons = || BoseHubbard::new(Fock::new(2, 3).unwrap(), &chain(3), 1.0).unwrap();
    let spins = || Spin::half(3).unwrap();
    let hexagon = Graph::kitaev_honeycomb([2, 2], Boundary::Periodic).unwrap();
    let kitaev = KitaevHoneycomb::new(Spin::half(8).unwrap(), &hexagon, 1.0, [1.0; 3], 1.0).unwrap();
    for (result, expected) in [
        (
            bosons().with_j([1.0; 3]).definition(),
            "parameter \"J\" has 3 values; expected one number, one a colour (1) or one a bond (2)",
        ),
        (
            bosons().with_mu([1.0; 2]).definition(),
            "parameter \"mu\" has 2 values; expected one number, or one a site (3)",
        ),
        (
            FermiHubbard::new(electrons(3), &chain(3), 1.0, [1.0]).unwrap().definition(),
            "parameter \"U\" has 1 values; expected one number, or one an orbital (3)",
        ),
        (
            Xyz::new(spins(), &chain(3), 1.0, 1.0, 1.0).unwrap().with_field([0.5]).definition(),
            "parameter \"h\" has 1 values; expected one number, or one a site (3)",
        ),
        (
            kitaev.definition(),
            "parameter \"Jy\" has 3 values; expected one number, or one an edge of colour 1 (4)",
        ),
        (
            Ssh::new(SpinOrbitalFermions::new(5).unwrap(), Boundary::Open, 1.0, [1.0; 3])
                .unwrap()
                .definition(),
            "parameter \"t2\" has 3 values; expected one number, or one a bond between cells (2)",
        ),
        (
            Xyz::xxz(spins(), &chain(3), f64::NAN, 1.0).unwrap().definition(),
            "parameter \"Jxy\" is NaN+0i; coefficients must be finite",
        ),
    ] {
        assert_eq!(message(result), expected);
    }
}

#[test]
fn fermion_strings_that_cannot_be_read_are_shown() {
    let space = SpinOrbitalFermions::new(4).unwrap();
    let read = |string: &str| message(FermionOperator2nd::new(space.clone(), [string], [1.0]));
    assert_eq!(
        read("0^ x"),
        "cannot read \"0^ x\": factor \"x\"; expected a mode such as 3, or 3^ where it is created"
    );
    for string in ["^", "0^^", "+1", "-1", "1.0", "I 0", "0 ^", "99999999999999999999"] {
        assert!(read(string).contains("expected a mode such as 3"), "{string}");
    }
    assert_eq!(
        read("0^ 4"),
        "fermion string 0^ 4 acts on site 4; SpinOrbitalFermions(4 orbitals) has sites 0 to 3"
    );
    assert_eq!(
        message(FermionOperator2nd::new(space, ["0^ 1", "1^ 0"], [1.0])),
        "1 weights; expected 2, one a string"
    );
}

#[test]
fn exchange_that_differs_between_x_and_y_leaves_a_fixed_magnetisation() {
    let space = Spin::half(4).unwrap().with_total_sz(0.0).unwrap();
    let error = Xyz::new(space, &chain(4), 1.0, 1.0, 1.0).unwrap().definition().unwrap_err();
    assert!(matches!(error, Error::LeavesHilbert { .. }), "{error}");
}

#[test]
fn honeycomb_edges_without_directions_are_refused() {
    let plain = Graph::honeycomb([2, 2], Boundary::Periodic).unwrap();
    let four = chain(8).with_colors([0, 1, 2, 3, 0, 1, 2]).unwrap();
    let kitaev = |graph: &Graph| message(KitaevHoneycomb::new(Spin::half(8).unwrap(), graph, 1.0, 1.0, 1.0));
    assert_eq!(
        kitaev(&plain),
        "lattice: site 0 has two edges of colour 0; colour the edges by direction, as Graph::kitaev_honeycomb does"
    );
    assert_eq!(
        kitaev(&four),
        "lattice: 4 edge colours; expected at most 3: colour the edges by direction, as Graph::kitaev_honeycomb does"
    );
}

#[test]
fn atoms_need_places_of_their_own() {
    let atoms =
        |positions: [Vec<f64>; 2]| message(Rydberg::new(Qubit::new(2).unwrap(), positions, 1.0, 1.0, 1.0));
    assert_eq!(
        atoms([vec![0.5, 1.0], vec![0.5, 1.0]]),
        "lattice: atoms 0 and 1 are both at [0.5, 1.0]; give each atom a place of its own"
    );
    assert_eq!(atoms([vec![0.5], vec![0.5, 1.0]]), "lattice: position 1 has 2 components; position 0 has 1");
    assert_eq!(
        atoms([vec![0.5], vec![f64::NAN]]),
        "lattice: position 1 has the component NaN; components must be finite"
    );
    let atoms = Rydberg::new(Qubit::new(2).unwrap(), [[0.0], [1e-60]], 1.0, 1.0, 1.0).unwrap();
    assert!(matches!(atoms.definition(), Err(Error::NotFinite { .. })));
    assert_eq!(message(atoms.with_cutoff(0.0)), "lattice: cutoff 0; give a positive length");
}

#[test]
fn long_spins_and_many_bosons_are_no_larger_than_their_elements() {
    let bosons = BoseHubbard::new(Fock::new(127, 2).unwrap(), &chain(2), 1.0).unwrap().definition().unwrap();
    let spins = Xyz::xxz(Spin::new(63.5, 2).unwrap(), &chain(2), 1.0, 1.0).unwrap().definition().unwrap();
    for definition in [bosons, spins] {
        assert!(definition.is_hermitian());
        assert_eq!(definition.max_conn_size(), 3);
    }
}

#[test]
fn pauli_strings_name_sites_of_the_space_once() {
    let strings = |string: Vec<(usize, Pauli)>| {
        message(PauliStrings::from_factors(Qubit::new(3).unwrap(), [string], [1.0]))
    };
    assert_eq!(strings(vec![(3, Pauli::X)]), "Pauli string X3 acts on site 3; Qubit(3) has sites 0 to 2");
    assert!(strings(vec![(0, Pauli::X), (usize::MAX, Pauli::Z)]).contains("has sites 0 to 2"));
    assert!(strings(vec![(1, Pauli::X), (1, Pauli::Z)]).contains("lists site 1 twice"));
}

#[test]
fn pauli_matrices_do_not_act_on_fermion_modes() {
    let modes = SpinOrbitalFermions::new(2).unwrap();
    let reason = "does not act on SpinOrbitalFermions(2 orbitals): Pauli matrices act on spins and qubits; write \
                  fermions in ladder operators, which jordan_wigner maps to Pauli strings on qubits";
    assert_eq!(
        message(PauliStrings::new(modes.clone(), ["XZ"], [1.0])),
        format!("Pauli string X0 Z1 {reason}")
    );
    assert!(message(PauliStrings::from_pairs(modes.clone(), [("IY", 1.0)])).ends_with(reason));
    assert!(
        message(PauliStrings::from_factors(modes.clone(), [vec![(1, Pauli::Z)]], [1.0])).ends_with(reason)
    );
    let mut terms = Terms::new(modes.clone());
    assert!(message(terms.pauli(1.0, &[(0, Pauli::X)]).map(|_| ())).ends_with(reason));
    terms.pauli(1.0, &[]).unwrap();
    // In a product, only the modes are closed to them; where that is meant, the occupations take them.
    let mut terms = Terms::new((Spin::half(1).unwrap() * modes).unwrap());
    terms.pauli(1.0, &[(0, Pauli::X)]).unwrap();
    assert!(terms.pauli(1.0, &[(0, Pauli::X), (2, Pauli::Z)]).is_err());
    terms.pauli_on_occupations(1.0, &[(0, Pauli::X), (2, Pauli::Z)]).unwrap();
    assert_eq!(terms.len(), 2);
}

#[test]
fn sites_beyond_the_last_have_no_local_states() {
    let space = HilbertSpace::from(Spin::half(2).unwrap());
    let product = (Spin::half(1).unwrap() * Fock::new(2, 1).unwrap()).unwrap();
    for space in [space, product] {
        assert_eq!(space.local_states(0).unwrap().dim(), 2);
        let error = message(space.local_states(2));
        assert_eq!(error, format!("site 2 is beyond the last one; {space} has sites 0 to 1"));
        assert!(space.local_states(usize::MAX).is_err());
    }
}
