//! Moves that are followed agree with those that are visited from scratch.
#![cfg(feature = "testing")]

use operator_core::hilbert::{Qubit, Spin};
use operator_core::kernel::{Connected, Engine, Moves, Scratch};
use operator_core::terms::{Pauli, Terms};
use operator_core::testing::{SplitMix, catalogue};
use operator_core::{Boundary, Definition, Element, Graph, HilbertSpace, Model, Xyz};
use proptest::prelude::*;

const STEPS: usize = 24;

type Changes = Vec<(usize, i8)>;

fn random_state(hilbert: &HilbertSpace, rng: &mut SplitMix) -> Vec<i8> {
    hilbert.random_states(1, rng).unwrap().iter().copied().collect()
}

/// What each element off the diagonal changes.
fn visited<T: Element>(engine: &Engine<T>, x: &[i8]) -> Vec<Changes> {
    let mut all = Vec::new();
    engine.visit(x, &mut Scratch::default(), |connected, _| {
        if !connected.is_diagonal() {
            all.push(connected.changes(x).collect());
        }
    });
    all
}

fn slots(connected: &Connected<'_>) -> Vec<(usize, bool)> {
    let mut slots = Vec::new();
    connected.for_each_slot(|slot, negative| slots.push((slot, negative)));
    slots
}

fn check_here<T: Element>(engine: &Engine<T>, moves: &mut Moves<T>, x: &[i8], name: &str) {
    let expected = visited(engine, x);
    assert_eq!((moves.len(), moves.is_empty()), (expected.len(), expected.is_empty()), "{name}: {x:?}");
    for (number, expected) in expected.iter().enumerate() {
        let connected = moves.get(number).unwrap();
        assert_eq!(&connected.changes(x).collect::<Changes>(), expected, "{name}: {x:?}, {number}");
    }
    assert!(moves.get(expected.len()).is_none());
}

/// Follows moves of the operator and changes to random states, of which half are taken, and now and then goes
/// somewhere else, as where another chain comes.
fn check_walk<T: Element>(definition: &Definition, name: &str, seed: u64) {
    let (hilbert, engine) = (definition.hilbert(), definition.engine::<T>().unwrap());
    let (mut moves, mut rng) = (engine.moves(), SplitMix::new(seed));
    assert_eq!((moves.len(), moves.propose(&[(0, 1)])), (0, 0), "it stands nowhere yet");
    let mut x = random_state(hilbert, &mut rng);
    for step in 0..STEPS {
        if rng.below(8) == 0 {
            x = random_state(hilbert, &mut rng);
        }
        moves.go_to(&x);
        check_here(&engine, &mut moves, &x, name);
        let mut to = x.clone();
        let n = moves.len();
        match moves.get(rng.below(n.max(1))) {
            Some(connected) if rng.below(4) > 0 => connected.write(&mut to),
            _ => to = random_state(hilbert, &mut rng),
        }
        let changes: Changes = to.iter().copied().enumerate().filter(|&(k, q)| x[k] != q).collect();
        let n_there = moves.propose(&changes);
        assert_eq!(n_there, visited(&engine, &to).len(), "{name}: step {step}, {x:?} to {to:?}");
        assert_eq!(moves.len(), n, "{name}: a proposal moves nothing");
        if rng.below(2) == 0 {
            x = to;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn followed_moves_are_those_that_are_visited(seed in any::<u64>()) {
        for entry in catalogue().unwrap() {
            check_walk::<num_complex::Complex64>(&entry.definition, entry.name, seed);
            if entry.definition.is_real() {
                check_walk::<f64>(&entry.definition, entry.name, seed);
            }
        }
    }

    /// Several strings flip the same sites, so that whether they cancel depends on signs at other sites.
    #[test]
    fn strings_that_cancel_at_a_distance_are_followed(n_sites in 3usize..140, seed in any::<u64>()) {
        let mut rng = SplitMix::new(seed);
        let mut terms = Terms::new(Qubit::new(n_sites).unwrap());
        for _ in 0..n_sites {
            let flipped = rng.below(n_sites);
            for _ in 0..2 {
                let sites = rng.distinct(3, n_sites).into_iter().filter(|&site| site != flipped);
                let signs = sites.map(|site| (site, Pauli::Z));
                let string: Vec<_> = signs.chain([(flipped, Pauli::X)]).collect();
                terms.pauli(1.0, &string).unwrap();
            }
        }
        check_walk::<f64>(&Definition::new("strings", terms).unwrap(), "strings", seed);
    }

    /// Where the couplings of a bond are equal, elements vanish that are there otherwise.
    #[test]
    fn present_parameters_decide_which_moves_there_are(x in 0u8..3, y in 0u8..3, seed in any::<u64>()) {
        let ring = Graph::chain(70, Boundary::Periodic).unwrap();
        let [x, y] = [x, y].map(|j| f64::from(j) - 1.0);
        let model = Xyz::new(Spin::half(70).unwrap(), &ring, x, y, 0.7).unwrap();
        check_walk::<f64>(&model.definition().unwrap(), "XYZ", seed);
    }
}

#[test]
fn moves_name_the_slots_of_their_elements() {
    for entry in catalogue().unwrap() {
        let engine = entry.definition.engine::<num_complex::Complex64>().unwrap();
        let mut moves = engine.moves();
        let x = random_state(entry.definition.hilbert(), &mut SplitMix::new(3));
        moves.go_to(&x);
        let mut number = 0;
        engine.visit(&x, &mut Scratch::default(), |connected, _| {
            if !connected.is_diagonal() {
                assert_eq!(slots(&moves.get(number).unwrap()), slots(&connected), "{}", entry.name);
                number += 1;
            }
        });
    }
}
