//! Couplings are one number, one a colour, or one a bond, in every model on a graph.

use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::{
    BoseHubbard, Boundary, Definition, Error, FermiHubbard, Graph, Heisenberg, Ising, Model, ParameterValue,
    Result, Rydberg, SignRule, TJ, Xyz,
};

use super::matrix::{assert_close, dense_of as dense, eigenvalues};

/// A ring of four whose bonds have two colours, not in the order of the bonds.
fn ring() -> Graph {
    Graph::from_colored_edges(4, [([0, 1], 1), ([1, 2], 0), ([2, 3], 1), ([3, 0], 0)]).unwrap()
}

type Build = fn(ParameterValue) -> Result<Definition>;

/// Every coupling of every model on a graph.
fn couplings() -> Vec<(&'static str, Build)> {
    fn electrons() -> SpinOrbitalFermions {
        SpinOrbitalFermions::with_spin(4, 0.5).unwrap().with_n_fermions(3).unwrap()
    }
    fn bosons() -> BoseHubbard {
        BoseHubbard::new(Fock::new(2, 4).unwrap(), &ring(), 2.0).unwrap()
    }
    fn spins() -> Spin {
        Spin::half(4).unwrap()
    }
    vec![
        ("Ising J", |j| Ising::new(spins(), &ring(), 0.3, j)?.definition()),
        ("Heisenberg J", |j| {
            Heisenberg::new(spins(), &ring(), j)?.with_sign_rule(SignRule::Plain).definition()
        }),
        ("Xyz Jx", |j| Xyz::new(spins(), &ring(), j, 0.5, 1.0)?.definition()),
        ("Xyz Jy", |j| Xyz::new(spins(), &ring(), 0.5, j, 1.0)?.definition()),
        ("Xyz Jz", |j| Xyz::new(spins(), &ring(), 0.5, 1.0, j)?.definition()),
        ("Xyz Jxy", |j| Xyz::uniaxial(Qubit::new(4)?, &ring(), j, 0.7)?.definition()),
        ("Xyz xxz", |j| Xyz::xxz(spins(), &ring(), j, 0.7)?.definition()),
        ("BoseHubbard J", |j| bosons().with_j(j).definition()),
        ("BoseHubbard V", |v| bosons().with_v(v).definition()),
        ("FermiHubbard t", |t| FermiHubbard::new(electrons(), &ring(), t, 4.0)?.definition()),
        ("TJ t", |t| TJ::new(electrons(), &ring(), t, 0.4)?.definition()),
        ("TJ J", |j| TJ::new(electrons(), &ring(), 1.0, j)?.definition()),
    ]
}

#[test]
fn one_number_one_a_colour_and_one_a_bond_give_the_same_operator() {
    for (name, build) in couplings() {
        let [scalar, colors, bonds] =
            [0.25.into(), [0.25; 2].into(), [0.25; 4].into()].map(|value| dense(&build(value).unwrap()));
        assert_close(&scalar, &colors);
        assert_close(&scalar, &bonds);
        let colors = build([0.25, -1.5].into()).unwrap();
        let bonds = build([-1.5, 0.25, -1.5, 0.25].into()).unwrap();
        assert_close(&dense(&colors), &dense(&bonds));
        let difference = dense(&colors) - &scalar;
        assert!(difference.iter().any(|z| z.norm() > 0.1), "{name}");
        assert!(
            bonds.parameters().iter().any(|(_, value)| value.as_slice() == [-1.5, 0.25, -1.5, 0.25]),
            "{name}"
        );
    }
}

#[test]
fn other_numbers_are_refused_with_the_three_that_are_not() {
    for (name, build) in couplings() {
        for n in [0, 1, 3, 5] {
            let error = build(vec![1.0; n].into()).unwrap_err();
            assert!(matches!(error, Error::ParameterLength { .. }), "{name}: {error}");
            let expected = format!("has {n} values; expected one number, one a colour (2) or one a bond (4)");
            assert!(error.to_string().ends_with(&expected), "{name}: {error}");
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn files_take_the_three_forms_and_the_colours() {
    for (name, build) in couplings() {
        for value in [0.25.into(), [0.25, -1.5].into(), [0.5, 1.0, 1.5, 2.0].into()] {
            let definition = build(value).unwrap();
            let spec = definition.to_spec();
            assert_eq!(spec["edge_colors"], serde_json::json!([1, 0, 1, 0]), "{name}");
            assert_eq!(Definition::from_spec(&spec).unwrap(), definition, "{name}");
        }
    }
}

#[test]
fn penalties_and_atoms_may_differ_from_place_to_place() {
    let space = SpinOrbitalFermions::with_spin(2, 0.5).unwrap().with_n_fermions_per_spin(&[1, 1]).unwrap();
    let pair = Graph::chain(2, Boundary::Open).unwrap();
    let model =
        |penalty: ParameterValue| TJ::new(space.clone(), &pair, 0.0, 0.0).unwrap().with_penalty(penalty);
    let diagonal = dense(&model([3.0, 5.0].into()).definition().unwrap()).diag().mapv(|z| z.re).to_vec();
    // Both on site 1, one on each, both on site 0: the first sites are the most significant.
    assert_eq!(diagonal.iter().sum::<f64>(), 8.0);
    assert!(diagonal.contains(&3.0) && diagonal.contains(&5.0));
    assert!(model([1.0; 3].into()).definition().is_err());

    let atoms = |c6: ParameterValue| {
        Rydberg::new(Qubit::new(3).unwrap(), [[0.0], [1.0], [2.0]], 1.0, 0.0, c6).unwrap().definition()
    };
    let different = atoms([1.0, 64.0, 3.0].into()).unwrap();
    // Pairs (0, 1), (0, 2) and (1, 2), whose distances are 1, 2 and 1.
    let full = dense(&different)[[7, 7]].re;
    assert!((full - (1.0 + 1.0 + 3.0)).abs() < 1e-14);
    assert_eq!(
        atoms([1.0; 2].into()).unwrap_err().to_string(),
        "parameter \"C6\" has 2 values; expected one number, or one a pair of atoms (3)"
    );
}

/// Marshall's rule is a change of basis on a bipartite graph, whatever the couplings.
#[test]
fn sign_rules_keep_the_spectrum_on_bipartite_graphs() {
    let energies = |model: &Heisenberg| eigenvalues(&dense(&model.definition().unwrap()));
    let model = Heisenberg::new(Spin::half(4).unwrap(), &ring(), [1.0, 0.3]).unwrap();
    let plain = energies(&model.clone().with_sign_rule(SignRule::Plain));
    let marshall = energies(&model.clone().with_sign_rules([SignRule::Marshall; 2]).unwrap());
    for (a, b) in plain.iter().zip(&marshall) {
        assert!((a - b).abs() < 1e-12);
    }
    // By default it is on where J does not tell the bonds apart.
    let scalar = Heisenberg::new(Spin::half(4).unwrap(), &ring(), 1.0).unwrap();
    assert_eq!(scalar, scalar.clone().with_sign_rule(SignRule::Marshall));
    assert_eq!(model, model.clone().with_sign_rule(SignRule::Plain));
    assert_eq!(
        model.with_sign_rules([SignRule::Plain]).unwrap_err().to_string(),
        "1 sign rules; expected 2, one an edge colour"
    );
}
