//! Operators from and to JSON.
#![cfg(feature = "serde")]

use ndarray::Array2;
use num_complex::Complex64;
use operator_core::expression::boson;
use operator_core::graph::Lattice;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::spec::{hilbert_from_json, hilbert_to_json};
use operator_core::terms::{Pauli, Terms};
use operator_core::{
    BoseHubbard, Boundary, Definition, Error, Fcidump, FermionOperator2nd, Graph, Heisenberg, HilbertSpace,
    IntegralSymmetry, Ising, KitaevHoneycomb, LocalOperator, Model, Molecular, MolecularIntegrals,
    OrbitalKind, PauliStrings, Rydberg, SignRule, Ssh, TJ, Xyz,
};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

fn round_trip(definition: &Definition) {
    let spec = definition.to_spec();
    assert_eq!(&Definition::from_spec(&spec).unwrap(), definition, "{spec}");
    let read = Definition::from_json(&definition.to_json()).unwrap();
    assert_eq!(&read, definition, "{spec}");
    let changed = definition.parameters().to_vec().iter().map(|v| 0.5 - v).collect::<Vec<_>>();
    let changed = definition.with_parameters(definition.parameters().with_values(&changed).unwrap()).unwrap();
    assert_eq!(Definition::from_spec(&changed.to_spec()).unwrap(), changed);
}

/// A number with no special digits.
fn number() -> impl Strategy<Value = f64> {
    -10.0..10.0f64
}

fn colored_graph(n_sites: usize) -> impl Strategy<Value = Graph> {
    let pairs: Vec<[usize; 2]> = (0..n_sites).flat_map(|a| (0..a).map(move |b| [a, b])).collect();
    let n_pairs = pairs.len();
    proptest::sample::subsequence(pairs, 0..=n_pairs)
        .prop_flat_map(|edges| {
            let n = edges.len();
            (Just(edges), proptest::collection::vec(0..3usize, n))
        })
        .prop_map(move |(edges, colors)| {
            Graph::from_colored_edges(n_sites, edges.into_iter().zip(colors)).unwrap()
        })
}

proptest! {
    #[test]
    fn ising_survives(
        graph in colored_graph(5), h in number(), hs in proptest::collection::vec(number(), 5),
        j in number(), scalar in any::<bool>(),
    ) {
        prop_assume!(scalar || graph.n_edges() != graph.n_colors());
        let js = vec![j; graph.n_edges()];
        let space = Qubit::new(5).unwrap();
        let model = if scalar { Ising::new(space, &graph, h, j) } else { Ising::new(space, &graph, hs, js) };
        round_trip(&model.unwrap().definition().unwrap());
    }

    #[test]
    fn heisenberg_survives(
        graph in colored_graph(5), js in proptest::collection::vec(number(), 3),
        rules in proptest::collection::vec(any::<bool>(), 3), scalar in any::<bool>(), fixed in any::<bool>(),
    ) {
        // One value a colour and one a bond are not to be told apart there.
        prop_assume!(graph.n_edges() != graph.n_colors());
        let n_colors = graph.n_colors();
        let space = Spin::half(5).unwrap();
        let space = if fixed { space.with_total_sz(-0.5).unwrap() } else { space };
        let model = match scalar && n_colors == 1 {
            true => Heisenberg::new(space, &graph, js[0]).unwrap(),
            false => Heisenberg::new(space, &graph, &js[..n_colors]).unwrap(),
        };
        round_trip(&model.definition().unwrap());
        let rules: Vec<SignRule> =
            rules[..n_colors].iter().map(|&on| if on { SignRule::Marshall } else { SignRule::Plain }).collect();
        round_trip(&model.with_sign_rules(rules).unwrap().definition().unwrap());
    }

    #[test]
    fn pauli_strings_survive(
        strings in proptest::collection::vec("[IXYZ]{4}", 0..8),
        weights in proptest::collection::vec((number(), number()), 8), complex in any::<bool>(),
    ) {
        let weights = weights.iter().take(strings.len());
        let weights = weights.map(|&(re, im)| Complex64::new(re, if complex { im } else { 0.0 }));
        round_trip(&PauliStrings::new(Qubit::new(4).unwrap(), &strings, weights).unwrap().definition().unwrap());
    }

    #[test]
    fn local_operators_survive(
        values in proptest::collection::vec(number(), 2 * 81), weights in proptest::collection::vec(number(), 3),
    ) {
        let matrix = |dim: usize| {
            Array2::from_shape_fn((dim, dim), |(r, c)| Complex64::new(values[r * dim + c], values[81 + r * dim + c]))
        };
        let model = LocalOperator::new(Fock::new(2, 4).unwrap())
            .with_weighted(weights[0], &[2, 0], matrix(9)).unwrap()
            .with_weighted(weights[1], &[3], matrix(3)).unwrap()
            .with_weighted(weights[2], &[], matrix(1)).unwrap();
        round_trip(&model.definition().unwrap());
    }

    #[test]
    fn damaged_specs_are_errors_rather_than_panics(at in 0usize..400, junk in 0usize..9) {
        let junk = [
            json!(null), json!(-1), json!(0.5), json!(1e300), json!(u64::MAX), json!("text"), json!([]),
            json!([[[1]]]), json!({}),
        ][junk].clone();
        for spec in specs() {
            let mut spec = spec;
            let n_nodes = count(&spec);
            replace(&mut spec, &mut (at % n_nodes), &junk);
            if let Ok(definition) = Definition::from_spec(&spec) {
                // What is taken is an operator.
                definition.to_spec();
            }
        }
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Replaces the `at`-th node in depth-first order.
fn replace(value: &mut Value, at: &mut usize, junk: &Value) -> bool {
    if *at == 0 {
        *value = junk.clone();
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, at, junk)),
        Value::Object(entries) => entries.values_mut().any(|item| replace(item, at, junk)),
        _ => false,
    }
}

fn specs() -> Vec<Value> {
    let spins = json!({ "kind": "spin", "s": 0.5, "n": 4, "total_sz": null });
    vec![
        json!({ "model": "ising", "hilbert": spins, "edges": [[0, 1], [2, 3]], "h": 0.5, "J": [1, 2] }),
        json!({
            "model": "heisenberg", "hilbert": { "kind": "spin", "s": 0.5, "n": 4, "total_sz": 0 },
            "edges": [[0, 1], [2, 3]], "edge_colors": [0, 1], "J": [1, 2], "sign_rule": [true, false],
        }),
        json!({
            "model": "local", "hilbert": { "kind": "fock", "n_max": 1, "n": 3, "n_particles": null },
            "terms": [{ "sites": [2], "re": [[0, 1], [1, 0]], "im": [[0, 1], [-1, 0]] }], "weights": [2],
        }),
        json!({
            "model": "pauli_strings", "hilbert": { "kind": "qubit", "n": 3 },
            "strings": ["XYZ", "IIZ"], "weights": [1, 2], "weights_im": [0, 0],
        }),
        json!({
            "model": "fermion_operator_2nd", "hilbert": { "kind": "spin_orbital_fermions", "n_orbitals": 4 },
            "terms": ["0^ 3^ 2 1", "I", "3^ 3"], "weights": [1, 2, 0.5], "weights_im": [0, 0, 1],
        }),
        json!({
            "model": "xyz", "hilbert": { "kind": "spin", "s": 1, "n": 3 }, "edges": [[0, 1], [1, 2]],
            "Jx": 1, "Jy": [0.5, 2], "Jz": -1, "h": [1, 2, 3],
        }),
        json!({
            "model": "xyz", "hilbert": { "kind": "spin", "s": 0.5, "n": 4, "total_sz": 0 },
            "edges": [[0, 1], [1, 2]], "Jxy": [0.5, 2], "Jz": -1,
        }),
        json!({
            "model": "kitaev_honeycomb", "hilbert": { "kind": "qubit", "n": 4 },
            "edges": [[0, 1], [1, 2], [2, 3]], "edge_colors": [0, 1, 0], "Jx": [1, 2], "Jy": 0.5, "Jz": 1,
        }),
        json!({
            "model": "rydberg", "hilbert": { "kind": "qubit", "n": 3 },
            "positions": [[0, 0], [1, 0.5], [3, 0]], "cutoff": 2.5, "Omega": 1, "delta": [1, 2, 3], "C6": 0.5,
        }),
        json!({
            "model": "bose_hubbard", "hilbert": { "kind": "fock", "n_max": 2, "n": 3, "n_particles": 2 },
            "edges": [[0, 1], [2, 1]], "J": [1, 2], "U": [1, 2, 3], "V": 0.5, "mu": 1,
        }),
        json!({
            "model": "fermi_hubbard",
            "hilbert": { "kind": "spin_orbital_fermions", "n_orbitals": 3, "s": 0.5, "n_fermions_per_spin": [1, 2] },
            "edges": [[0, 1], [2, 1]], "t": [1, 2], "U": [1, 2, 3],
        }),
        json!({
            "model": "tj",
            "hilbert": { "kind": "spin_orbital_fermions", "n_orbitals": 3, "s": 0.5, "n_fermions": 2 },
            "edges": [[0, 1], [2, 1]], "t": [1, 2], "J": 0.4, "penalty": 9,
        }),
        json!({
            "model": "ssh", "hilbert": { "kind": "spin_orbital_fermions", "n_orbitals": 4, "n_fermions": 2 },
            "boundary": "periodic", "t1": [1, 2], "t2": 0.5,
        }),
        json!({
            "model": "molecular", "hilbert": { "kind": "spin_orbital_fermions", "n_orbitals": 2, "s": 0.5 },
            "core": 0.7, "one_body": [-1.25, 0], "one_body_indices": [[0, 0], [1, 1]],
            "two_body": [0.67, 0.18], "two_body_indices": [[0, 0, 0, 0], [1, 0, 1, 0]],
        }),
        json!({
            "model": "molecular", "hilbert": { "kind": "spin_orbital_fermions", "n_orbitals": 4, "n_fermions": 2 },
            "orbitals": "spin", "symmetry": "hermitian",
            "one_body": [-1.25, 0.1], "one_body_im": [0, 0.2], "one_body_indices": [[0, 0], [3, 1]],
            "two_body": [0.67, 0.18], "two_body_im": [0, 0], "two_body_indices": [[0, 0, 1, 1], [2, 1, 3, 0]],
        }),
        json!({
            "model": "local",
            "hilbert": { "kind": "tensor", "factors": [spins, { "kind": "fock", "n_max": 1, "n": 1 }] },
            "terms": [{ "sites": [4], "re": [[0, 1], [1, 0]] }],
        }),
        json!({
            "model": "terms", "hilbert": { "kind": "qubit", "n": 3 }, "name": "by hand",
            "parameters": [{ "name": "h", "value": 0.5 }, { "name": "J", "value": [1, 2] }],
            "matrices": [{ "re": [[0, 1], [1, 0]], "im": [[0, 2], [-2, 0]] }],
            "terms": [
                { "factor": [1, 0.5], "parameter": 2, "paulis": [[0, "X"], [2, "Y"]] },
                { "factor": 2, "sites": [1], "matrix": 0 },
                { "factor": -1, "parameter": 0, "paulis": [] },
            ],
        }),
    ]
}

#[test]
fn the_specs_of_these_tests_are_operators() {
    for spec in specs() {
        round_trip(&Definition::from_spec(&spec).unwrap());
    }
}

#[test]
fn every_known_model_is_among_them() {
    let text = Definition::from_spec(&json!({ "model": "icing" })).unwrap_err().to_string();
    let (_, known) = text.split_once("known models: ").unwrap();
    let mut names: Vec<String> =
        specs().iter().map(|spec| spec["model"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    let mut known: Vec<&str> = known.split(", ").collect();
    known.sort_unstable();
    assert_eq!(names, known);
}

#[test]
fn models_read_what_they_were_built_from() {
    let chain = Graph::chain(4, Boundary::Open).unwrap();
    let fields = Xyz::xxz(Spin::half(4).unwrap(), &chain, [1.0, 2.0, 3.0], 0.5).unwrap().with_field(0.1);
    round_trip(&fields.definition().unwrap());
    let honeycomb = Graph::kitaev_honeycomb([2, 3], Boundary::Periodic).unwrap();
    let kitaev = KitaevHoneycomb::new(Spin::half(12).unwrap(), &honeycomb, 1.0, [0.5; 6], -1.0).unwrap();
    round_trip(&kitaev.definition().unwrap());
    let atoms =
        Rydberg::new(Spin::half(3).unwrap(), [[0.0], [1.0], [2.5]], [1.0, 2.0, 3.0], 0.0, 3.0).unwrap();
    round_trip(&atoms.definition().unwrap());
    round_trip(&atoms.with_cutoff(1.5).unwrap().definition().unwrap());
    let bosons = BoseHubbard::new(Fock::new(2, 4).unwrap(), &chain, 2.0).unwrap();
    round_trip(&bosons.definition().unwrap());
    let electrons = SpinOrbitalFermions::with_spin(4, 0.5).unwrap();
    round_trip(&TJ::new(electrons.clone(), &chain, 1.0, 0.3).unwrap().definition().unwrap());
    round_trip(&Ssh::new(electrons.clone(), Boundary::Open, 1.0, [0.3]).unwrap().definition().unwrap());
    let weights = [Complex64::new(1.0, 0.5), Complex64::new(0.0, -2.0)];
    let strings = FermionOperator2nd::new(electrons, ["7^ 0 1^ 2", ""], weights).unwrap();
    round_trip(&strings.definition().unwrap());
    let dump = "&FCI NORB=3,NELEC=3,MS2=1 &END\n0.1 1 2 3 3\n0.2 3 1 2 1\n-0.3 2 1 0 0\n0.4 0 0 0 0";
    round_trip(&Fcidump::parse(dump).unwrap().molecular().unwrap().definition().unwrap());
    let one = [([0, 2], Complex64::new(0.3, -0.4)), ([1, 1], Complex64::ONE)];
    let two = [([0, 2, 1, 1], Complex64::new(0.1, 0.2)), ([3, 3, 2, 2], Complex64::new(0.7, 0.0))];
    for (orbitals, modes) in [(OrbitalKind::Spatial, 8), (OrbitalKind::Spin, 4)] {
        let space = SpinOrbitalFermions::with_spin(modes / 2, 0.5).unwrap();
        for symmetry in [IntegralSymmetry::Hermitian, IntegralSymmetry::Exchange] {
            let integrals = MolecularIntegrals::new(orbitals, symmetry, 0.5, one, two).unwrap();
            let model = Molecular::with_integrals(space.clone(), integrals).unwrap();
            let definition = model.definition().unwrap();
            round_trip(&definition);
            // Parameters that become 0 stay parameters.
            let (mut parameters, structure) = definition.unpack();
            parameters.set("one_body_im", vec![0.0; 2]).unwrap();
            round_trip(&structure.pack(parameters).unwrap());
        }
    }
}

#[test]
fn a_cutoff_goes_with_its_operator() {
    let matrix = Array2::from_shape_vec((2, 2), vec![0.2, 1.0, 1.0, 0.2]).unwrap();
    let local = LocalOperator::new(Spin::half(3).unwrap()).with(&[1], matrix).unwrap().definition().unwrap();
    let cut = local.with_cutoff(0.3).unwrap();
    assert_eq!((local.max_conn_size(), cut.max_conn_size()), (2, 1));
    round_trip(&cut);
    let mut terms = Terms::new(Spin::half(2).unwrap());
    terms.pauli(1.0, &[(0, Pauli::X)]).unwrap().pauli(0.3, &[(1, Pauli::X)]).unwrap();
    round_trip(&Definition::new_with_cutoff("c", terms, 0.3).unwrap());
    let text = local.to_json();
    assert!(!text.contains("rounding_cutoff"), "{text}");
    let bad = text.replacen('{', r#"{"rounding_cutoff": 2, "#, 1);
    assert!(matches!(Definition::from_json(&bad), Err(Error::Cutoff { .. })));
}

#[test]
fn parameters_with_defaults_may_be_left_out() {
    let chain = Graph::chain(3, Boundary::Open).unwrap();
    let model = BoseHubbard::new(Fock::new(2, 3).unwrap(), &chain, 2.0).unwrap().definition().unwrap();
    let mut spec = model.to_spec();
    for key in ["J", "V", "mu"] {
        spec.as_object_mut().unwrap().remove(key).unwrap();
    }
    assert_eq!(Definition::from_spec(&spec).unwrap(), model);
}

#[test]
fn a_constant_is_one_more_string() {
    let mut spec = specs().swap_remove(4);
    (spec["weights"], spec["weights_im"]) = (json!([1, [2, 1], 0.5]), json!(null));
    spec["constant"] = json!([0.25, -1]);
    let weights = [1.0.into(), Complex64::new(2.0, 1.0), 0.5.into()];
    let space = SpinOrbitalFermions::new(4).unwrap();
    let model = FermionOperator2nd::new(space, ["0^ 3^ 2 1", "", "3^ 3"], weights).unwrap();
    let model = model.with_constant(Complex64::new(0.25, -1.0)).unwrap();
    assert_eq!(Definition::from_spec(&spec).unwrap(), model.definition().unwrap());
}

#[test]
fn all_spaces_survive() {
    let fermions = SpinOrbitalFermions::with_spin(3, 0.5).unwrap();
    let spaces: [HilbertSpace; 13] = [
        Spin::new(1.5, 3).unwrap().into(),
        Spin::half(3).unwrap().with_total_sz(-1.5).unwrap().into(),
        Qubit::new(7).unwrap().into(),
        Fock::new(4, 3).unwrap().into(),
        Fock::new(4, 3).unwrap().with_n_particles(0).unwrap().into(),
        SpinOrbitalFermions::new(5).unwrap().into(),
        SpinOrbitalFermions::new(5).unwrap().with_n_fermions(2).unwrap().into(),
        fermions.clone().into(),
        fermions.with_n_fermions(4).unwrap().into(),
        fermions.with_n_fermions_per_spin(&[3, 0]).unwrap().into(),
        (HilbertSpace::from(Qubit::new(2).unwrap()) * Fock::new(1, 2).unwrap()).unwrap(),
        HilbertSpace::tensor([
            Spin::half(3).unwrap().with_total_sz(0.5).unwrap().into(),
            HilbertSpace::from(fermions.with_n_fermions_per_spin(&[1, 2]).unwrap()),
            Fock::new(4, 3).unwrap().with_n_particles(2).unwrap().into(),
        ])
        .unwrap(),
        HilbertSpace::tensor([Qubit::new(7).unwrap()]).unwrap(),
    ];
    for space in spaces {
        assert_eq!(hilbert_from_json(&hilbert_to_json(&space)).unwrap(), space);
    }
}

#[test]
fn a_product_is_a_list_of_factors_and_its_errors_name_the_factor() {
    let mut product = json!({ "kind": "tensor", "factors": [
        { "kind": "qubit", "n": 2 }, { "kind": "tensor", "factors": [{ "kind": "fock", "n_max": 2, "n": 1 }] },
    ] });
    let expected = (HilbertSpace::from(Qubit::new(2).unwrap()) * Fock::new(2, 1).unwrap()).unwrap();
    assert_eq!(hilbert_from_json(&product).unwrap(), expected);
    product["factors"][1]["factors"][0]["n"] = json!("one");
    assert_eq!(
        hilbert_from_json(&product).unwrap_err().to_string(),
        "not an operator: hilbert.factors[1].factors[0].n is \"one\"; expected a whole number, 0 or more"
    );
    let empty = hilbert_from_json(&json!({ "kind": "tensor", "factors": [] })).unwrap_err();
    assert!(matches!(empty, Error::InvalidHilbert(_)), "{empty}");
}

#[test]
fn weights_may_be_complex_pairs() {
    let mut spec = specs().remove(3);
    spec["weights"] = json!([[1, -0.5], 2]);
    spec["weights_im"] = json!(null);
    let definition = Definition::from_spec(&spec).unwrap();
    let expected = [Complex64::new(1.0, -0.5), 2.0.into()];
    let model = PauliStrings::new(Qubit::new(3).unwrap(), ["XYZ", "IIZ"], expected).unwrap();
    assert_eq!(definition, model.definition().unwrap());
}

#[test]
fn the_sign_rule_has_a_default_and_may_be_one_for_all_colours() {
    let chain = Graph::chain(4, Boundary::Periodic).unwrap();
    let default = Heisenberg::new(Spin::half(4).unwrap(), &chain, 1.0).unwrap().definition().unwrap();
    let mut spec = default.to_spec();
    spec.as_object_mut().unwrap().remove("sign_rule").unwrap();
    assert_eq!(Definition::from_spec(&spec).unwrap(), default);
    let mut spec = specs().remove(1);
    spec["sign_rule"] = json!(true);
    let one = Definition::from_spec(&spec).unwrap();
    spec["sign_rule"] = json!([true, true]);
    assert_eq!(one, Definition::from_spec(&spec).unwrap());
}

#[test]
fn imaginary_weights_that_are_zero_stay_parameters() {
    let definition = Definition::from_spec(&specs()[3]).unwrap();
    assert_eq!(definition.parameters().get("weights_im").unwrap(), [0.0, 0.0]);
}

/// The number of the first spec of a model.
fn number_of(model: &str) -> usize {
    specs().iter().position(|spec| spec["model"] == model).unwrap()
}

fn error(which: usize, damage: impl FnOnce(&mut Value)) -> String {
    let mut spec = specs().swap_remove(which);
    damage(&mut spec);
    Definition::from_spec(&spec).expect_err("a damaged spec").to_string()
}

#[test]
fn errors_name_the_key() {
    let remove = |key: &'static str| move |spec: &mut Value| drop(spec.as_object_mut().unwrap().remove(key));
    assert_eq!(error(0, remove("h")), "not an operator: spec.h is missing");
    assert_eq!(error(0, remove("hilbert")), "not an operator: spec.hilbert is missing");
    assert_eq!(
        error(0, |spec| spec["edges"][1][0] = json!(-1)),
        "not an operator: spec.edges[1][0] is -1; expected a whole number, 0 or more"
    );
    assert_eq!(
        error(0, |spec| spec["edges"][1] = json!([1])),
        "not an operator: spec.edges[1] is [1]; expected a pair of sites"
    );
    assert_eq!(
        error(0, |spec| spec["J"] = json!("strong")),
        "not an operator: spec.J is \"strong\"; expected a number or an array of numbers"
    );
    assert_eq!(
        error(0, |spec| spec["J"] = json!([1, 2, 3])),
        "parameter \"J\" has 3 values; expected one number, one a colour (1) or one a bond (2)"
    );
    assert_eq!(
        error(1, |spec| spec["sign_rule"] = json!([true])),
        "not an operator: spec.sign_rule has 1 items; expected 2, one an edge colour"
    );
    assert_eq!(
        error(1, |spec| spec["sign_rule"] = json!(1)),
        "not an operator: spec.sign_rule is 1; expected true or false"
    );
    assert_eq!(
        error(1, |spec| spec["hilbert"]["total_Sz"] = json!(0)),
        "not an operator: spec.hilbert.total_Sz is not known to model heisenberg; the keys there are kind, s, n, total_sz"
    );
    assert_eq!(
        error(2, |spec| spec["terms"][0]["re"][1] = json!([1])),
        "not an operator: spec.terms[0].re[1] has 1 elements; row 0 has 2"
    );
    assert!(error(2, |spec| spec["terms"][0]["im"] = json!([[1]])).contains("spec.terms[0].im is [[1]]"));
    assert!(error(2, |spec| spec["terms"][0]["sites"] = json!([3])).contains("sites 0 to 2"));
    assert!(error(2, |spec| spec["weights"] = json!([1, 2])).contains("has 2 items; expected 1, one a term"));
    assert!(error(3, |spec| spec["weights"] = json!([1])).contains("expected 2, one a string"));
    assert!(error(3, |spec| spec["weights"][0] = json!([1, 2])).contains("weights_im is given"));
    assert!(error(3, |spec| spec["strings"][0] = json!("XA")).contains("XA"));
    assert!(error(3, |spec| spec["strings"][0] = json!(1)).contains("spec.strings[0] is 1"));
    assert!(error(3, |spec| spec["hilbert"]["kind"] = json!("qutrit")).contains("spin, qubit, fock"));
    assert_eq!(error(0, |spec| *spec = json!([])), "not an operator: spec is []; expected an object");
    assert!(error(4, |spec| spec["terms"][0] = json!("0^ x")).contains("factor \"x\""));
    assert!(error(4, |spec| spec["weights"] = json!([1])).contains("expected 3, one a string"));
    assert_eq!(error(5, remove("Jx")), "not an operator: spec.Jx is missing");
    assert!(error(7, |spec| spec["edge_colors"] = json!([0, 0, 1])).contains("two edges of colour 0"));
    assert!(error(8, |spec| spec["cutoff"] = json!(-1)).contains("cutoff -1"));
    assert!(error(10, |spec| spec["edges"][0] = json!([0, 3])).contains("edge (0, 3)"));
    assert_eq!(
        error(12, |spec| spec["boundary"] = json!("closed")),
        "not an operator: spec.boundary is \"closed\"; expected open or periodic"
    );
    assert_eq!(
        error(13, |spec| spec["two_body"] = json!([0.5])),
        "not an operator: spec.two_body has 1 items; expected 2, one an integral"
    );
    assert_eq!(
        error(13, |spec| spec["one_body_indices"][1] = json!([1])),
        "not an operator: spec.one_body_indices[1] is [1]; expected two orbitals"
    );
}

/// Calls `visit` with each object inside a value, and the names on the way to it.
fn each_object(value: &mut Value, path: String, visit: &mut dyn FnMut(&mut Value, &str)) {
    match value {
        Value::Array(items) => {
            items
                .iter_mut()
                .enumerate()
                .for_each(|(k, item)| each_object(item, format!("{path}[{k}]"), visit));
        }
        Value::Object(entries) => {
            entries.iter_mut().for_each(|(key, item)| each_object(item, format!("{path}.{key}"), visit));
            visit(value, &path);
        }
        _ => {}
    }
}

#[test]
fn a_key_that_nothing_reads_is_refused_wherever_it_stands() {
    for spec in specs() {
        let mut paths = Vec::new();
        each_object(&mut spec.clone(), "spec".into(), &mut |_, path| paths.push(path.to_owned()));
        assert!(paths.len() >= 2, "the operator and its space");
        for path in paths {
            for junk in [json!(1), json!(null), json!({ "re": 1 }), json!([{}])] {
                let mut spec = spec.clone();
                each_object(&mut spec, "spec".into(), &mut |object, own| {
                    if own == path {
                        object["remark"] = junk.clone();
                    }
                });
                let error = Definition::from_spec(&spec).unwrap_err();
                let Error::UnknownKey { path: found, .. } = &error else { panic!("{path}: {error}") };
                assert_eq!(*found, format!("{path}.remark"));
            }
        }
    }
}

#[test]
fn a_misspelt_key_is_named_with_the_model_and_its_keys() {
    let changed = |which: usize, key: &'static str, value: Value| error(which, move |spec| spec[key] = value);
    assert_eq!(
        changed(9, "j", json!(2)),
        "not an operator: spec.j is not known to model bose_hubbard; the keys there are model, hilbert, edges, \
         edge_colors, n_colors, U, J, V, mu, rounding_cutoff"
    );
    assert!(changed(9, "Mu", json!(0.3)).contains("spec.Mu is not known to model bose_hubbard"));
    assert!(changed(1, "colors", json!([0, 1])).contains("spec.colors is not known to model heisenberg"));
    assert!(changed(1, "signrule", json!(true)).contains("spec.signrule is not known to model heisenberg"));
    let message = error(2, |spec| spec["terms"][0]["imag"] = json!([[0, 0], [0, 0]]));
    assert_eq!(
        message,
        "not an operator: spec.terms[0].imag is not known to model local; the keys there are sites, re, im"
    );
    // Two forms at once: only one of them would be read.
    assert!(changed(6, "Jx", json!(1)).contains("spec.Jx is not known to model xyz"));
    let both = error(number_of("terms"), |spec| spec["terms"][0]["ladders"] = json!([]));
    assert!(both.contains("spec.terms[0].ladders is not known to model terms"), "{both}");
    let space = json!({ "kind": "qubit", "n": 2, "s": 0.5 });
    assert_eq!(
        hilbert_from_json(&space).unwrap_err().to_string(),
        "not an operator: hilbert.s is not known to the space; the keys there are kind, n"
    );
}

#[test]
fn a_key_that_stands_twice_is_refused_wherever_it_stands() {
    for spec in specs() {
        let text = spec.to_string();
        Definition::from_json(&text).unwrap();
        for (place, _) in text.match_indices('{') {
            // Repeats the first key of the object, with another value before it.
            let rest = &text[place + 1..];
            let key = &rest[..rest.find(':').unwrap()];
            let twice = format!("{}{key}:null,{rest}", &text[..=place]);
            let error = Definition::from_json(&twice).unwrap_err().to_string();
            assert!(error.contains(&format!("key {key} stands twice in one object at line 1")), "{error}");
        }
    }
}

/// Any double, of any size that a sum of a thousand bears.
fn any_double(rng: &mut impl Rng) -> f64 {
    loop {
        let number = f64::from_bits(rng.next_u64());
        if number.is_finite() && number.abs() < 1e300 {
            return number;
        }
    }
}

#[test]
fn numbers_come_back_to_the_bit() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(41);
    for round in 0..20 {
        let mut weights: Vec<f64> = (0..1000).map(|_| any_double(&mut rng)).collect();
        if round == 0 {
            weights[..5].copy_from_slice(&[0.9878832829473488, 5e-324, f64::MIN_POSITIVE, 0.1, 1.0 / 3.0]);
        }
        let strings = PauliStrings::new(Qubit::new(1).unwrap(), vec!["Z"; 1000], weights.clone()).unwrap();
        let text = strings.definition().unwrap().to_json();
        let read = Definition::from_json(&text).unwrap();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(read.parameters().get("weights").unwrap()), bits(&weights));
    }
}

#[test]
fn pauli_strings_on_fermion_modes_are_refused_and_their_images_survive() {
    let space = json!({ "kind": "spin_orbital_fermions", "n_orbitals": 2 });
    let strings = json!({ "model": "pauli_strings", "hilbert": space, "strings": ["XX"], "weights": [1] });
    let terms =
        json!({ "model": "terms", "hilbert": space, "terms": [{ "factor": 1, "paulis": [[0, "Z"]] }] });
    for spec in [strings, terms] {
        let error = Definition::from_spec(&spec).unwrap_err();
        assert!(matches!(error, Error::WrongHilbert { .. }), "{error}");
        assert!(error.to_string().contains("jordan_wigner"), "{error}");
    }
    let hop =
        FermionOperator2nd::new(SpinOrbitalFermions::new(3).unwrap(), ["0^ 2", "2^ 0"], [1.0, 1.0]).unwrap();
    let image = hop.definition().unwrap().to_pauli_strings().unwrap();
    assert!(image.to_json().contains("paulis_on_occupations"));
    round_trip(&image);
}

#[test]
fn colors_without_edges_survive() {
    let row = Lattice::square([1, 4]).boundary(Boundary::Open).neighbors(2).build().unwrap();
    let model = Heisenberg::new(Spin::half(4).unwrap(), &row, [1.0, 0.5]).unwrap().definition().unwrap();
    assert_eq!(model.to_spec()["n_colors"], json!(2));
    round_trip(&model);
    // Images of one pair of sites in both orders.
    let ring = Lattice::chain(3).neighbors(2).build().unwrap();
    round_trip(&Heisenberg::new(Spin::half(3).unwrap(), &ring, [1.0, 0.5]).unwrap().definition().unwrap());
    let twice = error(0, |spec| spec["edges"] = json!([[0, 1], [1, 0]]));
    assert!(twice.contains("edge (0, 1) is listed more than once in colour 0"), "{twice}");
}

#[test]
fn unknown_models_are_named() {
    let mut spec = specs().remove(0);
    spec["model"] = json!("icing");
    assert!(matches!(Definition::from_spec(&spec), Err(Error::UnknownModel { name, .. }) if name == "icing"));
    assert!(matches!(Definition::from_json("{"), Err(Error::Spec(_))));
}

#[test]
fn a_model_of_another_crate_is_read_back_term_by_term() {
    /// Bosons in a trap, `Σ_i i n_i + b_i + b†_i`.
    #[derive(Debug)]
    struct Trap;

    impl Model for Trap {
        fn hilbert(&self) -> Result<HilbertSpace, Error> {
            Ok(Fock::new(2, 3)?.into())
        }

        fn terms(&self, terms: &mut Terms) -> Result<(), Error> {
            let depth = terms.parameter("depth", [0.0, 1.0, 2.0])?;
            for site in 0..3 {
                terms.expression(depth.at(site)?, &boson::number(site))?;
                terms.expression(1.0, &boson::destroy(site).plus_hc())?;
            }
            Ok(())
        }
    }

    let trap = Trap.definition().unwrap();
    let again = Definition::from_spec(&trap.to_spec()).unwrap();
    assert_eq!(again, trap);
    assert_eq!((again.name(), again.parameters()), ("Trap", trap.parameters()));
}
