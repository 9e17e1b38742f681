//! Every public constructor with hostile input: sizes of 0 and beyond all memory, NaN, wrong lengths, another space.
//!
//! Each answers with a typed error. None panics, and none allocates what it was asked for.

use ndarray::{Array1, Array2, Array3, Array4, array};
use num_complex::Complex64;
use operator_core::expression::{Expression, boson, fermion, spin};
use operator_core::graph::{Lattice, PermutationGroup};
use operator_core::hilbert::{Fock, HilbertSpace, Qubit, Spin, SpinOrbitalFermions, TensorHilbert};
use operator_core::terms::{Ladder, Pauli, SiteMatrix, Terms};
use operator_core::{
    BoseHubbard, Boundary, ConnBatch, Definition, Error, Fcidump, FermiHubbard, FermionOperator2nd, Graph,
    Heisenberg, IntegralSymmetry, Ising, KitaevHoneycomb, LocalOperator, Model, Molecular,
    MolecularIntegrals, OrbitalKind, PaddedConn, ParameterValue, Parameters, PauliStrings, Result, Rydberg,
    SignRule, Ssh, TJ, Xyz, refused,
};

const NAN: f64 = f64::NAN;
const INFINITE: f64 = f64::INFINITY;
const ALL: usize = usize::MAX;
/// Sizes that no memory holds.
const HUGE: [usize; 4] = [1 << 32, 1 << 40, 1 << 63, usize::MAX];

fn spins(n: usize) -> Spin {
    Spin::half(n).unwrap()
}

fn chain(n: usize) -> Graph {
    Graph::chain(n, Boundary::Open).unwrap()
}

fn modes(n: usize) -> SpinOrbitalFermions {
    SpinOrbitalFermions::new(n).unwrap()
}

fn electrons(n: usize) -> SpinOrbitalFermions {
    SpinOrbitalFermions::with_spin(n, 0.5).unwrap()
}

fn bosons(n: usize) -> Fock {
    Fock::new(3, n).unwrap()
}

fn some_terms() -> Terms {
    let mut terms = Terms::new(spins(3));
    terms.pauli(1.0, &[(0, Pauli::X)]).unwrap().pauli(0.5, &[(1, Pauli::Z)]).unwrap();
    terms
}

fn ising() -> Definition {
    Ising::new(spins(3), &chain(3), 0.5, 1.0).unwrap().definition().unwrap()
}

#[test]
fn hilbert_spaces() {
    let none: [HilbertSpace; 0] = [];
    for s in [NAN, INFINITE, -INFINITE, -0.5, 0.0, 0.3, 64.0, 1e300] {
        refused! { Error::InvalidHilbert(_) => Spin::new(s, 3); }
        let fermions = SpinOrbitalFermions::with_spin(3, s);
        assert_eq!(fermions.is_ok(), s == 0.0, "{s}");
    }
    for n in HUGE {
        refused! {
            Error::InvalidHilbert(_) =>
                Spin::half(n), Spin::new(63.5, n), Qubit::new(n), Fock::new(127, n), SpinOrbitalFermions::new(n),
                SpinOrbitalFermions::with_spin(n, 63.5), Fock::new(n, 3), bosons(3).with_n_particles(n),
                modes(3).with_n_fermions(n), electrons(3).with_n_fermions_per_spin(&[1, n]), electrons(3).mode(n, 0),
                electrons(3).mode(0, n);
        }
    }
    refused! {
        Error::InvalidHilbert(_) =>
            Spin::half(0), Qubit::new(0), Fock::new(3, 0), Fock::new(0, 3), SpinOrbitalFermions::new(0),
            SpinOrbitalFermions::with_spin(0, 0.5), TensorHilbert::new(none.clone()), HilbertSpace::tensor(none),
            spins(3).with_total_sz(NAN), spins(3).with_total_sz(INFINITE), spins(3).with_total_sz(1.0),
            spins(3).with_total_sz(-2.5), spins(3).with_total_sz(1e300),
            electrons(3).with_n_fermions_per_spin(&[1]), electrons(3).with_n_fermions_per_spin(&[1; 3]),
            electrons(3).with_n_fermions_per_spin(&[]), TensorHilbert::new([spins(3)]).unwrap().sites(ALL),
            HilbertSpace::tensor([spins(1 << 30), spins(1 << 30), spins(1 << 30)]);
    }
}

#[test]
fn states_of_spaces() {
    let (free, fixed) =
        (HilbertSpace::from(spins(3)), HilbertSpace::from(bosons(3).with_n_particles(4).unwrap()));
    let large = HilbertSpace::from(spins(100));
    let mut rng = operator_core::testing::SplitMix::new(1);
    let _ = rng.number();
    refused! {
        Error::SampleWidth { .. } =>
            free.index_of(&[]), free.index_of(&[1; 4]), free.check_row(0, &[1; 2]), free.state_at(0, &mut [0; 2]),
            free.check(Array2::ones((2, 4)).view()), free.states_to_indices(Array2::ones((1, 0)).view());
        Error::NotALocalState { .. } =>
            free.index_of(&[0, 1, 1]), free.check_row(ALL, &[i8::MIN; 3]), fixed.index_of(&[4, 0, 0]),
            fixed.index_of(&[-1, 3, 2]), fixed.check(Array2::from_elem((1, 3), i8::MAX).view());
        Error::OutsideConstraint { .. } => fixed.index_of(&[1, 1, 1]), fixed.check_row(0, &[3; 3]);
        Error::IndexOutOfRange { .. } =>
            free.state_at(8, &mut [0; 3]), free.indices_to_states(&[0, ALL]), free.states_in(7..9),
            fixed.state_at(ALL, &mut [0; 3]), free.states_in(ALL - 1..ALL);
        Error::NotIndexable { .. } =>
            large.n_states(), large.all_states(), large.index_of(&[1; 100]), large.state_at(0, &mut [0; 100]);
        Error::TooLarge { .. } => free.states_in(0..ALL), HilbertSpace::from(spins(60)).all_states();
        Error::NoSuchSite { .. } => free.local_states(3), free.local_states(ALL);
        Error::HilbertMismatch { .. } => free.expect_same(&fixed), free.sites_of(&fixed, 0), free.sites_of(&free, ALL);
    }
    assert!(free.factor_of(ALL).is_none() && free.modes_with(ALL).is_none() && !free.is_fermion_mode(ALL));
}

#[test]
fn graphs() {
    use Boundary::{Open, Periodic};
    let square = [[1.0, 0.0], [0.0, 1.0]];
    for n in HUGE {
        for boundary in [Open, Periodic] {
            refused! {
                Error::TooLarge { .. } =>
                    Graph::chain(n, boundary), Graph::square(n, boundary), Graph::grid(&[2, n], boundary),
                    Graph::triangular([n, 2], boundary), Graph::honeycomb([n, n], boundary),
                    Graph::kagome([2, n], boundary), Graph::kitaev_honeycomb([n, n], boundary),
                    Graph::hypercube(n, 2, boundary), Graph::grid_with(&[(n, boundary), (n, Open)]);
                Error::Lattice(_) => Graph::hypercube(2, n, boundary);
            }
        }
        refused! {
            Error::TooLarge { .. } =>
                Graph::complete(n), Graph::from_edges(n, []), Lattice::square([n, 2]).positions(),
                Lattice::kagome([n, n]).translations(), Lattice::chain(n).neighbors(2).build();
            Error::Lattice(_) => Lattice::square([3, 3]).neighbors(n).build();
            Error::EdgeOutOfRange { .. } => Graph::from_edges(3, [[0, n]]);
            Error::EdgeColor { .. } => Graph::from_colored_edges(3, [([0, 1], n)]), chain(2).with_colors([n]);
            Error::Count { .. } => chain(2).with_n_colors(n), Lattice::chain(3).translations().unwrap().quotient(0, n);
        }
    }
    refused! {
        Error::Lattice(_) =>
            Graph::chain(0, Open), Graph::chain(1, Periodic), Graph::square(0, Open), Graph::grid(&[], Open),
            Graph::grid(&[2, 0], Open), Graph::grid_with(&[]), Graph::hypercube(0, 2, Open),
            Graph::hypercube(2, 0, Open), Graph::triangular([0, 2], Open), Graph::honeycomb([2, 0], Periodic),
            Graph::kagome([0, 0], Open), Graph::kitaev_honeycomb([0, 1], Open), Lattice::chain(3).neighbors(0).build(),
            Lattice::new([[NAN, 0.0], [0.0, 1.0]], [2, 2]).build(), Lattice::new([[0.0]], [2]).build(),
            Lattice::new([[1.0]], [2, 2]).build(), Lattice::new(square, [3, 3]).site_offsets([[INFINITE, 0.0]]).build(),
            Lattice::new(square, [3, 3]).site_offsets([[0.0]]).positions(),
            Lattice::square([3, 3]).boundaries([Open]).build(), Lattice::chain(0).translations();
        Error::EdgeOutOfRange { .. } => Graph::from_edges(0, [[0, 0]]), Graph::from_edges(2, [[0, 2]]);
        Error::SelfLoop { .. } => Graph::from_edges(2, [[1, 1]]);
        Error::DuplicateEdge { .. } => Graph::from_edges(2, [[0, 1], [1, 0]]);
        Error::ColorCount { .. } => chain(3).with_colors([0]), chain(3).with_colors(vec![0; 3]);
        Error::Count { .. } => chain(3).with_n_colors(0);
        Error::Parse { .. } => "Open".parse::<Boundary>(), "".parse::<Boundary>();
        Error::PermutationGroup { .. } =>
            PermutationGroup::new([[0; 0]; 0]), PermutationGroup::new([[0, ALL]]), PermutationGroup::new([[1, 1]]),
            PermutationGroup::new([vec![0, 1], vec![0]]), PermutationGroup::new([[1, 2, 0]]);
    }
    assert!(chain(3).neighbors(ALL).is_empty() && chain(3).edges_of_color(ALL).count() == 0);
}

/// What is wrong for every model on a graph: another number of sites, NaN, arrays of another length.
#[test]
fn models_on_graphs() {
    let values = |n: usize| ParameterValue::from(vec![1.0; n]);
    refused! {
        Error::Count { .. } =>
            Ising::new(spins(3), &chain(4), 1.0, 1.0), Heisenberg::new(spins(3), &chain(2), 1.0),
            Xyz::new(spins(3), &chain(2), 1.0, 1.0, 1.0), Xyz::xxz(spins(3), &chain(4), 1.0, 1.0),
            Xyz::uniaxial(spins(3), &chain(4), 1.0, 1.0), BoseHubbard::new(bosons(3), &chain(4), 1.0),
            FermiHubbard::new(electrons(3), &chain(6), 1.0, 1.0), TJ::new(electrons(3), &chain(2), 1.0, 1.0),
            KitaevHoneycomb::new(spins(3), &chain(2), 1.0, 1.0, 1.0),
            Heisenberg::new(spins(3), &chain(3), 1.0).unwrap().with_sign_rules([]),
            Heisenberg::new(spins(3), &chain(3), 1.0).unwrap().with_sign_rules([SignRule::Plain; 2]);
        Error::WrongHilbert { .. } =>
            Ising::new(bosons(3), &chain(3), 1.0, 1.0), Ising::new(modes(3), &chain(3), 1.0, 1.0),
            Heisenberg::new(Spin::new(1.0, 3).unwrap(), &chain(3), 1.0), Heisenberg::new(modes(3), &chain(3), 1.0),
            Xyz::new(bosons(3), &chain(3), 1.0, 1.0, 1.0), Xyz::xxz(modes(3), &chain(3), 1.0, 1.0),
            Xyz::uniaxial(bosons(3), &chain(3), 1.0, 1.0), BoseHubbard::new(spins(3), &chain(3), 1.0),
            FermiHubbard::new(modes(3), &chain(3), 1.0, 1.0), TJ::new(bosons(3), &chain(3), 1.0, 1.0),
            KitaevHoneycomb::new(electrons(2), &chain(4), 1.0, 1.0, 1.0),
            Ssh::new(spins(4), Boundary::Open, 1.0, 1.0), Ssh::new(bosons(4), Boundary::Open, 1.0, 1.0);
        Error::NotFinite { .. } =>
            Ising::new(spins(3), &chain(3), NAN, 1.0).and_then(|model| model.definition()),
            Ising::new(spins(3), &chain(3), 1.0, INFINITE).and_then(|model| model.definition()),
            Heisenberg::new(spins(3), &chain(3), [1.0, NAN]).and_then(|model| model.definition()),
            Xyz::new(spins(3), &chain(3), 1.0, NAN, 1.0).and_then(|model| model.definition()),
            Xyz::xxz(spins(3), &chain(3), 1.0, NAN).and_then(|model| model.definition()),
            Xyz::uniaxial(spins(3), &chain(3), INFINITE, 1.0).and_then(|model| model.definition()),
            Xyz::xxz(spins(3), &chain(3), 1.0, 1.0).and_then(|model| model.with_field(NAN).definition()),
            BoseHubbard::new(bosons(3), &chain(3), NAN).and_then(|model| model.definition()),
            BoseHubbard::new(bosons(3), &chain(3), 1.0).and_then(|model| model.with_j(NAN).definition()),
            BoseHubbard::new(bosons(3), &chain(3), 1.0).and_then(|model| model.with_v(NAN).definition()),
            BoseHubbard::new(bosons(3), &chain(3), 1.0).and_then(|model| model.with_mu(NAN).definition()),
            BoseHubbard::new(bosons(3), &chain(3), f64::MAX).and_then(|model| model.definition()),
            FermiHubbard::new(electrons(3), &chain(3), 1.0, NAN).and_then(|model| model.definition()),
            TJ::new(electrons(3), &chain(3), NAN, 1.0).and_then(|model| model.definition()),
            TJ::new(electrons(3), &chain(3), 1.0, 1.0).and_then(|model| model.with_penalty(NAN).definition()),
            Ssh::new(modes(4), Boundary::Open, NAN, 1.0).and_then(|model| model.definition());
        Error::ParameterLength { .. } =>
            Ising::new(spins(3), &chain(3), values(0), 1.0).and_then(|model| model.definition()),
            Ising::new(spins(3), &chain(3), 1.0, values(5)).and_then(|model| model.definition()),
            Heisenberg::new(spins(3), &chain(3), values(0)).and_then(|model| model.definition()),
            Xyz::new(spins(3), &chain(3), 1.0, 1.0, values(7)).and_then(|model| model.definition()),
            BoseHubbard::new(bosons(3), &chain(3), values(2)).and_then(|model| model.definition()),
            FermiHubbard::new(electrons(3), &chain(3), values(0), 1.0).and_then(|model| model.definition()),
            TJ::new(electrons(3), &chain(3), 1.0, values(9)).and_then(|model| model.definition()),
            Ssh::new(modes(4), Boundary::Open, 1.0, values(2)).and_then(|model| model.definition());
    }
}

#[test]
fn rydberg_atoms() {
    let at = |positions: Vec<Vec<f64>>| Rydberg::new(Qubit::new(2).unwrap(), positions, 1.0, 1.0, 1.0);
    let pair = || at(vec![vec![0.0], vec![1.0]]).unwrap();
    refused! {
        Error::Lattice(_) =>
            at(vec![vec![NAN], vec![1.0]]), at(vec![vec![0.0], vec![0.0]]), at(vec![vec![], vec![]]),
            at(vec![vec![0.0], vec![1.0, 2.0]]), pair().with_cutoff(NAN), pair().with_cutoff(-1.0);
        Error::Count { .. } => at(vec![]), at(vec![vec![0.0]; 3]);
        Error::WrongHilbert { .. } => Rydberg::new(bosons(1), [[0.0]], 1.0, 1.0, 1.0);
        Error::NotFinite { .. } =>
            at(vec![vec![0.0], vec![1e-300]]).and_then(|model| model.definition()),
            Rydberg::new(Qubit::new(1).unwrap(), [[0.0]], NAN, 1.0, 1.0).and_then(|model| model.definition());
    }
}

/// Pairs of atoms grow with the square of the atoms, and are counted before they are listed.
#[test]
fn atoms_have_no_more_pairs_than_fit() {
    let n = 100_000;
    let positions = (0..n).map(|site| [site as f64]);
    let atoms = Rydberg::new(Qubit::new(n).unwrap(), positions, 1.0, 1.0, 1.0).unwrap();
    refused! { Error::TooLarge { .. } => atoms.pairs(), atoms.definition(); }
    let near = atoms.with_cutoff(2.0).unwrap();
    assert_eq!(near.pairs().unwrap().len(), 2 * n - 3);
}

#[test]
fn strings_and_matrices() {
    let unit = array![[1.0, 0.0], [0.0, 1.0]];
    let local = || LocalOperator::new(spins(3));
    let one = Complex64::ONE;
    let strings = |text: &str| PauliStrings::new(spins(2), [text], [1.0]);
    refused! {
        Error::Parse { .. } =>
            strings(""), strings("X"), strings("XXX"), strings("xX"), strings("X é"),
            FermionOperator2nd::new(modes(2), ["0^^"], [1.0]), FermionOperator2nd::new(modes(2), ["-1"], [1.0]),
            PauliStrings::from_pairs(spins(2), [("Q", 1.0)]), PauliStrings::from_openfermion("", None),
            PauliStrings::from_openfermion("1.0 [X0", None), PauliStrings::from_openfermion_on(spins(2), "1.0 [0^]"),
            FermionOperator2nd::from_openfermion("x [0^]", None),
            FermionOperator2nd::from_openfermion_on(modes(2), "1.0 [X0]");
        Error::Count { .. } =>
            PauliStrings::new(spins(2), ["XX"], [1.0; 0]), FermionOperator2nd::new(modes(2), ["0"], [1.0; 2]),
            PauliStrings::from_factors(spins(2), [vec![(0, Pauli::X)]], [1.0; 0]),
            FermionOperator2nd::from_ladders(modes(2), [[Ladder::create(0)]], [1.0; 3]);
        Error::SiteOutOfRange { .. } =>
            PauliStrings::from_factors(spins(2), [vec![(ALL, Pauli::X)]], [1.0]),
            FermionOperator2nd::from_ladders(modes(2), [[Ladder::create(ALL)]], [1.0]),
            FermionOperator2nd::new(modes(2), ["2^"], [1.0]), PauliStrings::from_openfermion("[X5]", Some(2)),
            FermionOperator2nd::from_openfermion("[5]", Some(2)), local().with(&[ALL], unit.clone()),
            PauliStrings::from_openfermion_on(spins(2), "[Z2]"),
            FermionOperator2nd::from_openfermion_on(modes(2), "[2]");
        Error::RepeatedSite { .. } =>
            local().with(&[1, 1], Array2::<f64>::eye(4)),
            PauliStrings::from_factors(spins(2), [vec![(0, Pauli::X), (0, Pauli::X)]], [1.0]);
        Error::WrongHilbert { .. } =>
            PauliStrings::new(bosons(2), ["XX"], [1.0]), PauliStrings::new(modes(2), ["XX"], [1.0]),
            FermionOperator2nd::new(spins(2), ["0^"], [1.0]),
            PauliStrings::from_openfermion_on(bosons(2), "[X0]"),
            FermionOperator2nd::from_openfermion_on(spins(2), "[0]");
        Error::MatrixShape { .. } =>
            local().with(&[0], Array2::<f64>::zeros((0, 0))), local().with(&[0, 1], unit.clone()),
            local().with(&[0], Array2::<f64>::zeros((2, 3))), local().with(&[], unit.clone());
        Error::NotFinite { .. } =>
            local().with(&[0], &unit * NAN), local().with_weighted(NAN, &[0], unit.clone()).unwrap().definition(),
            PauliStrings::new(spins(1), ["X"], [NAN]).unwrap().definition(),
            FermionOperator2nd::new(modes(1), ["I"], [INFINITE]).unwrap().definition(),
            FermionOperator2nd::new(modes(1), ["I"], [1.0]).unwrap().with_constant(NAN).unwrap().definition();
        Error::InvalidHilbert(_) =>
            PauliStrings::from_openfermion("[X0]", Some(0)), FermionOperator2nd::from_openfermion("[]", Some(0)),
            FermionOperator2nd::from_openfermion("[18446744073709551615]", None);
        Error::TooLarge { .. } =>
            PauliStrings::from_openfermion("[X18446744073709551615]", None),
            FermionOperator2nd::from_openfermion(&"[2147483646] + ".repeat(3)[..43], None),
            SiteMatrix::new(ALL, []).to_dense(), SiteMatrix::new(2, [(ALL, 0, one)]).to_dense();
    }
}

#[test]
fn terms() {
    let site = |dim, elements: Vec<(usize, usize, Complex64)>| SiteMatrix::new(dim, elements);
    let one = Complex64::ONE;
    let mut foreign = Terms::new(spins(3));
    let id = foreign.parameter("h", 1.0).unwrap().at(0).unwrap();
    type Change = Box<dyn FnMut(&mut Terms) -> Result<()>>;
    let on = |mut f: Change| f(&mut some_terms());
    macro_rules! on { ($method:ident($($argument:expr),*)) => {
        on(Box::new(|terms| terms.$method($($argument),*).map(|_| ())))
    } }
    refused! {
        Error::NotFinite { .. } =>
            on!(pauli(NAN, &[(0, Pauli::X)])), on!(product(INFINITE, &[])), on!(parameter("a", NAN)),
            on!(product(1.0, &[(0, SiteMatrix::new(2, [(0, 0, Complex64::new(0.0, NAN))]))])),
            on!(local(1.0, &[0], array![[NAN, 0.0], [0.0, 0.0]])), some_terms().scaled(NAN),
            on!(add_scaled(INFINITE, &some_terms())), on!(expression(NAN, &spin::sigmax(0)));
        Error::SiteOutOfRange { .. } =>
            on!(pauli(1.0, &[(ALL, Pauli::X)])), on!(local(1.0, &[3], Array2::<f64>::eye(2))),
            on!(product(1.0, &[(ALL, SiteMatrix::new(2, []))])), on!(expression(1.0, &spin::sigmax(ALL)));
        Error::RepeatedSite { .. } =>
            on!(pauli(1.0, &[(0, Pauli::X), (0, Pauli::Y)])), on!(local(1.0, &[0, 0], Array2::<f64>::eye(4)));
        Error::WrongHilbert { .. } =>
            on!(fermion(1.0, &[Ladder::create(0)])), on!(expression(1.0, &boson::create(0))),
            Terms::new(bosons(2)).pauli(1.0, &[(0, Pauli::X)]), Terms::new(modes(2)).pauli(1.0, &[(0, Pauli::X)]),
            Terms::new(bosons(2)).pauli_on_occupations(1.0, &[(0, Pauli::X)]),
            operator_core::terms::jordan_wigner(&some_terms());
        Error::MatrixShape { .. } =>
            on!(local(1.0, &[0], Array2::<f64>::eye(3))), on!(product(1.0, &[(0, SiteMatrix::new(0, []))])),
            Terms::new(spins(3)).product(1.0, &[(0, site(2, vec![(2, 0, one)]))]),
            Terms::new(spins(3)).product(1.0, &[(0, site(ALL, vec![]))]);
        Error::ForeignParameter { .. } =>
            Terms::new(spins(3)).pauli(id, &[(0, Pauli::X)]), some_terms().local(2.0 * id, &[], array![[1.0]]);
        Error::HilbertMismatch { .. } =>
            some_terms().add_scaled(1.0, &Terms::new(spins(4))), some_terms().commutator(&Terms::new(bosons(3))),
            some_terms().anticommutator(&Terms::new(spins(4))), &some_terms() * &Terms::new(spins(4)),
            &some_terms() + &Terms::new(Qubit::new(3).unwrap()), some_terms().equivalent(&Terms::new(spins(2))),
            Terms::sum([&some_terms(), &Terms::new(spins(4))]), some_terms().embedded(&spins(4).into(), 0),
            some_terms().embedded(&spins(3).into(), ALL);
        Error::Count { .. } =>
            Terms::sum([]), foreign.parameter("g", [1.0, 2.0]).unwrap().at(2),
            foreign.bond_parameter("J", 1.0, &chain(3)).unwrap().at(ALL),
            foreign.bond_parameter("K", [1.0, 2.0], &chain(3)).unwrap().at(2);
        Error::ParameterLength { .. } =>
            foreign.item_parameter("U", [1.0; 2], "site", 3), foreign.bond_parameter("T", [1.0; 7], &chain(3));
        Error::Parse { .. } => foreign.parameter("h", 1.0);
    }
}

/// Powers grow without bound; that of a single string does not.
#[test]
fn powers() {
    let string = spin::sigmax(0).on(spins(3)).unwrap();
    assert_eq!(string.pow(u32::MAX).unwrap().len(), 1);
    assert_eq!(some_terms().pow(0).unwrap().len(), 1);
    let large = Terms::new(bosons(2));
    assert!(large.pow(u32::MAX).unwrap().is_empty());
    let number = fermion::number(1).on(modes(3)).unwrap();
    assert_eq!(number.pow(u32::MAX).unwrap(), number);
    refused! {
        Error::NotFinite { .. } => some_terms().scaled(1e100).unwrap().pow(u32::MAX), ising().pow(u32::MAX);
    }
}

#[test]
fn definitions() {
    let leaves = || {
        let mut terms = Terms::new(spins(2).with_total_sz(0.0).unwrap());
        terms.pauli(1.0, &[(0, Pauli::X)]).unwrap();
        terms
    };
    let overflows = || {
        let mut terms = Terms::new(spins(2));
        let h = terms.parameter("h", f64::MAX).unwrap().at(0).unwrap();
        terms.pauli(10.0 * h, &[(0, Pauli::X)]).unwrap();
        terms
    };
    let (parameters, structure) = ising().unpack();
    let other = Definition::new("other", Terms::new(spins(4))).unwrap();
    let none: [(f64, Definition); 0] = [];
    refused! {
        Error::LeavesHilbert { .. } => Definition::new("", leaves());
        Error::NotFinite { .. } =>
            Definition::new("", overflows()), ising().scaled(NAN), &ising() * INFINITE,
            Definition::linear_combination([(NAN, ising())]), parameters.with_values(&[NAN, 1.0]);
        Error::Cutoff { .. } =>
            Definition::new_with_cutoff("", some_terms(), NAN), ising().with_cutoff(-1.0), ising().with_cutoff(1.0);
        Error::Count { .. } =>
            structure.pack(Parameters::new()), Definition::linear_combination(none), parameters.with_values(&[1.0]),
            Definition::sum([] as [Definition; 0]), ising().derivative("J", ALL);
        Error::UnknownParameter { .. } =>
            ising().derivative("K", 0), parameters.get("K"), parameters.range(""), parameters.clone().set("K", 1.0);
        Error::ParameterLength { .. } => parameters.clone().set("J", [1.0; 4]);
        Error::HilbertMismatch { .. } =>
            &ising() + &other, &ising() * &other, ising().commutator(&other), ising().anticommutator(&other),
            Definition::sum([ising(), other.clone()]), ising().embedded(&spins(4).into(), 0),
            ising().embedded(&spins(3).into(), ALL);
    }
}

#[test]
fn formulas() {
    let on = |formula: Expression, hilbert: HilbertSpace| formula.definition(hilbert);
    refused! {
        Error::SiteOutOfRange { .. } =>
            on(spin::sigmax(ALL), spins(2).into()), on(boson::create(2), bosons(2).into()),
            on(fermion::number(ALL), modes(2).into()), on(spin::sigmap(2) * spin::sigmam(0), spins(2).into());
        Error::WrongHilbert { .. } =>
            on(spin::sigmay(0), bosons(2).into()), on(boson::number(0), spins(2).into()),
            on(fermion::destroy(0), spins(2).into()), on(spin::sigmaz(0), modes(2).into());
        Error::NotFinite { .. } =>
            on(NAN * spin::sigmax(0), spins(2).into()), on(Expression::from(INFINITE), spins(2).into()),
            on((1e200 * spin::sigmax(0)).pow(2), spins(2).into());
    }
    // Sums that stand in each other without end.
    let sum: Expression = (0..65).map(spin::sigmax).sum();
    let nested = |depth| (0..depth).fold(sum.clone(), |inner, _| (inner + 1.0) * &sum * &sum);
    refused! {
        Error::Count { .. } =>
            nested(300).on(spins(2)), (-nested(300).plus_hc() + 1.0).on(spins(2)), nested(300).pow(u32::MAX).on(spins(2)),
            Terms::new(spins(2)).expression(1.0, &nested(300));
        Error::SiteOutOfRange { .. } => nested(200).on(spins(2));
    }
}

/// Bounds of the norm do not overflow before the norm does.
#[test]
fn norms_of_large_matrices() {
    let large = LocalOperator::new(Qubit::new(1).unwrap()).with(&[0], array![[1e200, 0.0], [0.0, -1e200]]);
    assert_eq!(large.unwrap().definition().unwrap().norm_bound(), 1e200);
}

/// Strings of text are read in a time that grows with their length.
#[test]
fn long_strings() {
    let qubits: String = (0..100_000).map(|k| format!("X{k} ")).collect();
    let modes: String = (0..5_000).map(|k| format!("{k}^ ")).collect();
    let paulis = PauliStrings::from_openfermion(&format!("1.0 [{qubits}]"), None).unwrap();
    assert_eq!(paulis.definition().unwrap().max_conn_size(), 1);
    let fermions = FermionOperator2nd::from_openfermion(&format!("1.0 [{modes}]"), None).unwrap();
    assert_eq!(fermions.definition().unwrap().max_conn_size(), 1);
    let again = FermionOperator2nd::from_openfermion(&format!("1.0 [{modes} 7^]"), None).unwrap();
    assert_eq!(again.definition().unwrap().max_conn_size(), 0);
}

#[test]
fn molecules() {
    use IntegralSymmetry::{Hermitian, Real};
    use OrbitalKind::{Spatial, Spin as SpinOrbitals};
    let (h, v) = (Array2::<f64>::zeros((2, 2)), Array4::<f64>::zeros((2, 2, 2, 2)));
    let narrow = Array4::<f64>::zeros((2, 2, 2, 1));
    let none = || Vec::<([usize; 4], f64)>::new();
    let integrals = |kind, symmetry, one: Vec<([usize; 2], Complex64)>| {
        MolecularIntegrals::new(kind, symmetry, 0.0, one, none())
    };
    let far = || integrals(Spatial, Real, vec![([ALL, ALL], Complex64::ONE)]).unwrap();
    let dump = || Fcidump::parse("&FCI NORB=2,NELEC=9 &END\n1.0 1 1 0 0").unwrap();
    refused! {
        Error::WrongHilbert { .. } =>
            Molecular::new(modes(2), 0.0, &h, &v), Molecular::new(spins(2), 0.0, &h, &v),
            Molecular::from_integrals(bosons(2), 0.0, [], []), Molecular::with_integrals(modes(2), far()),
            dump().molecular_on(modes(2));
        Error::Integrals(_) =>
            Molecular::new(electrons(3), 0.0, &h, &v), Molecular::new(electrons(2), 0.0, &h, &narrow),
            Molecular::from_integrals(electrons(2), 0.0, [([0, 2], 1.0)], []),
            Molecular::from_integrals(electrons(2), 0.0, [([0, 1], 1.0), ([1, 0], 2.0)], []),
            Molecular::with_integrals(electrons(2), far()),
            MolecularIntegrals::from_arrays(Spatial, Real, 0.0, &Array2::<f64>::zeros((2, 3)), &v),
            MolecularIntegrals::from_arrays(SpinOrbitals, Real, 0.0, &h, &narrow),
            MolecularIntegrals::by_spin(Real, 0.0, [&h, &Array2::zeros((3, 3))], [&v, &v, &v]),
            MolecularIntegrals::by_spin(Real, 0.0, [&h, &h], [&v, &narrow, &v]),
            integrals(SpinOrbitals, Real, vec![([0, 1], Complex64::I)]),
            integrals(SpinOrbitals, Hermitian, vec![([1, 1], Complex64::I)]),
            dump().molecular_on(electrons(3)),
            Fcidump::parse(&format!("&FCI NORB={ALL},NELEC=2 &END"));
        Error::NotFinite { .. } =>
            Molecular::new(electrons(2), NAN, &h, &v).unwrap().definition(),
            Molecular::from_integrals(electrons(2), 0.0, [([0, 0], NAN)], []).unwrap().definition();
        Error::InvalidHilbert(_) => dump().molecular(), dump().hilbert(), dump().n_electrons_per_spin();
        Error::Parse { .. } =>
            Fcidump::parse(""), Fcidump::parse("&FCI"), Fcidump::parse_as("&FCI NELEC=2 &END", Real),
            Fcidump::from_file("no such file");
        Error::ParseLine { .. } =>
            Fcidump::parse("&FCI NORB=-1 &END"), Fcidump::parse("&FCI NORB=2 &END\n1.0 1 1 3 3"),
            Fcidump::parse("&FCI NORB=2 &END\nNaN 1 1 0 0"), Fcidump::parse("&FCI NORB=2 &END\n1.0 -1 1 0 0");
    }
}

#[test]
fn batches() {
    let mut conn = ConnBatch::<f64>::new();
    let is_whole = |conn: &ConnBatch<f64>| {
        conn.samples().count() == conn.n_samples() && conn.states().nrows() == conn.total()
    };
    for (width, counts) in
        [(1, vec![ALL]), (ALL, vec![1, 1]), (8, vec![ALL, ALL]), (0, vec![ALL, 2]), (ALL, vec![ALL; 3])]
    {
        refused! { Error::TooLarge { .. } => conn.reset(width, &counts); }
        assert!(is_whole(&conn), "the buffer is as it was");
    }
    conn.reset(2, &[1, 0]).unwrap();
    refused! {
        Error::Count { .. } =>
            conn.to_padded(Array2::zeros((3, 2)).view(), 1), conn.to_padded(Array2::zeros((2, 1)).view(), 1),
            conn.to_padded(Array2::zeros((2, 2)).view(), 0),
            PaddedConn::new(Array3::zeros((2, 2, 1)), Array2::<f64>::zeros((2, 1)));
        Error::TooLarge { .. } => conn.to_padded(Array2::zeros((2, 2)).view(), ALL);
    }
    assert!(conn.sample(2).is_none() && conn.sample(ALL).is_none());
    let _ = Array1::<f64>::zeros(0);
}
