//! Elements of batches, which are found many samples at a time, against those of single samples.

use backend_flat::{Emitter, Flat, FlatKernel, FlatOperator, VisitConn};
use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Pauli, Terms};
use operator_core::testing::{SplitMix, catalogue, test_samples};
use operator_core::{
    ConnBatch, Definition, DiscreteOperator, Error, HilbertSpace, Model, PackedConn, PauliStrings,
};
use proptest::prelude::*;

/// Sample by sample, element by element: the flattened, packed and streaming forms against a visit of each
/// sample by itself.
fn check(definition: &Definition, x: ArrayView2<'_, i8>) {
    let name = definition.to_string();
    let operator = definition.lower_as::<Flat, Complex64>().unwrap();
    let mut expected = Vec::new();
    let mut visitor = operator.visitor();
    for (sample, x) in x.rows().into_iter().enumerate() {
        let x = x.to_vec();
        let push = |connected: operator_core::kernel::Connected<'_>, mel: Complex64| {
            let mut state = x.clone();
            connected.write(&mut state);
            let mut slots = Vec::new();
            connected.for_each_slot(|slot, negative| slots.push((slot, negative)));
            expected.push((sample, state, slots, mel));
        };
        visitor.visit(&x, push).unwrap();
    }
    let conn = operator.get_conn_flattened(x).unwrap();
    let samples = conn.offsets().windows(2).enumerate();
    let samples: Vec<usize> = samples.flat_map(|(b, ends)| vec![b; ends[1] - ends[0]]).collect();
    assert_eq!(samples, expected.iter().map(|(sample, ..)| *sample).collect::<Vec<_>>(), "{name}");
    let n_conn = operator.n_conn(x).unwrap().to_vec();
    assert_eq!(n_conn, conn.offsets().windows(2).map(|ends| ends[1] - ends[0]).collect::<Vec<_>>(), "{name}");
    for (k, (_, state, _, mel)) in expected.iter().enumerate() {
        assert_eq!(conn.states().row(k).to_vec(), *state, "{name}");
        assert_eq!(conn.mels()[k], *mel, "{name}");
    }
    let mut visited = Vec::new();
    let streamed = operator.visit_conn_batch(x, |sample, connected, mel| {
        let mut state = x.row(sample).to_vec();
        connected.write(&mut state);
        let mut slots = Vec::new();
        connected.for_each_slot(|slot, negative| slots.push((slot, negative)));
        visited.push((sample, state, slots, mel));
    });
    streamed.unwrap();
    assert_eq!(visited, expected, "{name}");
    match operator.get_conn_packed(x) {
        Ok(packed) => {
            assert_eq!((packed.offsets(), packed.mels()), (conn.offsets(), conn.mels()), "{name}");
            assert_eq!(packed.states(), pack(operator.hilbert(), conn.states()), "{name}");
        }
        Err(Error::NotTwoLevel { .. }) => assert!(!operator.hilbert().is_two_level(), "{name}"),
        Err(error) => panic!("{name}: {error}"),
    }
}

fn pack(hilbert: &HilbertSpace, states: ArrayView2<'_, i8>) -> Array2<u64> {
    let mut words = Array2::zeros((states.nrows(), hilbert.n_sites().div_ceil(64)));
    for ((k, site), &q) in states.indexed_iter() {
        let index = hilbert.local(site).index(q).unwrap();
        words[[k, site / 64]] |= (index as u64) << (site % 64);
    }
    words
}

#[test]
fn batches_have_the_elements_of_their_samples() {
    for entry in catalogue().unwrap() {
        check(&entry.definition, test_samples(entry.definition.hilbert()).unwrap().view());
    }
}

#[test]
fn batches_of_any_size_have_the_elements_of_their_samples() {
    let entries = catalogue().unwrap();
    let some = entries.iter().step_by(5);
    for entry in some {
        for n_samples in [0, 1, 63, 64, 65, 200] {
            let x = entry
                .definition
                .hilbert()
                .random_states(n_samples, &mut SplitMix::new(n_samples as u64))
                .unwrap();
            check(&entry.definition, x.view());
        }
    }
}

/// Strings over the sites of a space that flip, sign and count few of them, several to a flip mask.
fn random_terms(hilbert: &HilbertSpace, n_strings: usize, seed: u64) -> Definition {
    let mut rng = SplitMix::new(seed);
    let mut terms = Terms::new(hilbert.clone());
    let n_sites = hilbert.n_sites();
    let values = [0.5, -0.5, 0.3, 1.7];
    for _ in 0..n_strings {
        let weight = 1 + rng.below(5);
        // Few sites, so that flip masks coincide.
        let sites = rng.distinct(weight, n_sites.min(7));
        let value = values[rng.below(4)];
        if hilbert.is_fermionic() {
            let ladders: Vec<Ladder> = sites[..weight.min(3)]
                .iter()
                .flat_map(|&mode| match rng.below(3) {
                    0 => vec![Ladder::create(mode), Ladder::destroy(mode)],
                    1 => vec![Ladder::create(mode), Ladder::destroy(n_sites - 1 - mode)],
                    _ => vec![Ladder::destroy(mode)],
                })
                .collect();
            terms.fermion(value, &ladders).unwrap();
        } else {
            let pauli = |k: usize| [Pauli::X, Pauli::Y, Pauli::Z][k];
            let string: Vec<_> = sites.iter().map(|&site| (site, pauli(rng.below(3)))).collect();
            terms.pauli(value, &string).unwrap();
        }
    }
    Definition::new("random", terms).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_operators_in_batches(seed: u64, space in 0usize..5, n_strings in 1usize..60) {
        let hilbert: HilbertSpace = match space {
            0 => Spin::half(9).unwrap().into(),
            1 => Qubit::new(70).unwrap().into(),
            2 => SpinOrbitalFermions::new(12).unwrap().into(),
            3 => Qubit::new(150).unwrap().into(),
            _ => (HilbertSpace::from(Qubit::new(7).unwrap()) * Fock::new(2, 2).unwrap()).unwrap(),
        };
        let definition = random_terms(&hilbert, n_strings, seed);
        check(&definition, hilbert.random_states(70, &mut SplitMix::new(seed)).unwrap().view());
    }
}

#[test]
fn buffers_are_reused_across_operators() {
    let mut conn = ConnBatch::new();
    let mut packed = PackedConn::new();
    for entry in catalogue().unwrap() {
        let operator = entry.definition.lower_as::<Flat, Complex64>().unwrap();
        let x = test_samples(operator.hilbert()).unwrap();
        operator.get_conn_flattened_into(x.view(), &mut conn).unwrap();
        let fresh = operator.get_conn_flattened(x.view()).unwrap();
        assert_eq!((conn.states(), conn.mels()), (fresh.states(), fresh.mels()), "{}", entry.name);
        if operator.hilbert().is_two_level() {
            operator.get_conn_packed_into(x.view(), &mut packed).unwrap();
            assert_eq!(packed.states(), pack(operator.hilbert(), conn.states()), "{}", entry.name);
        }
    }
}

#[test]
fn packed_states_need_two_local_states_and_terms() {
    let bosons = HilbertSpace::from(Fock::new(2, 2).unwrap());
    let mut terms = Terms::new(bosons.clone());
    terms.local(1.0, &[0], ndarray::Array2::<f64>::eye(3)).unwrap();
    let operator = Definition::new("one", terms).unwrap().lower::<Flat>().unwrap();
    let x = bosons.all_states().unwrap();
    let error = operator.get_conn_packed(x.view()).unwrap_err().to_string();
    assert!(error.starts_with("Fock(n_max = 2, 2 sites) has sites of more than two states"), "{error}");

    #[derive(Debug)]
    struct Nothing(HilbertSpace);
    impl FlatKernel<f64> for Nothing {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }
        fn connect(&self, _: &[i8], _: &mut Emitter<'_, f64>) {}
    }
    let custom = FlatOperator::custom(Nothing(Qubit::new(1).unwrap().into())).unwrap();
    let x = ndarray::aview2(&[[0i8]]);
    assert!(matches!(custom.get_conn_packed(x), Err(Error::NoDefinition { .. })));
    assert!(matches!(custom.visit_conn_batch(x, |_, _, _| ()), Err(Error::NoDefinition { .. })));

    let z = PauliStrings::new(Qubit::new(2).unwrap(), ["ZZ"], [1.0]).unwrap().lower::<Flat>().unwrap();
    assert!(matches!(z.get_conn_packed(ndarray::aview2(&[[0i8, 2]])), Err(Error::NotALocalState { .. })));
}
