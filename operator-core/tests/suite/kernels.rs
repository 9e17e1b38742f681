//! What kernels say about the elements they visit.
#![cfg(feature = "testing")]

use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, SpinOrbitalFermions};
use operator_core::kernel::Scratch;
use operator_core::terms::{Ladder, Pauli, Terms};
use operator_core::testing::{SplitMix, catalogue, test_samples};
use operator_core::{Definition, HilbertSpace};
use proptest::prelude::*;

#[test]
fn the_slots_of_an_element_add_up_to_it() {
    let mut n_negative = 0;
    for entry in catalogue().unwrap() {
        let engine = entry.definition.engine::<Complex64>().unwrap();
        let samples = test_samples(entry.definition.hilbert()).unwrap();
        let mut scratch = Scratch::default();
        for x in samples.rows() {
            engine.visit(&x.to_vec(), &mut scratch, |connected, mel| {
                let mut sum = Complex64::ZERO;
                connected.for_each_slot(|slot, factor| {
                    n_negative += usize::from(factor == -1.0);
                    sum += factor * engine.values()[slot];
                });
                assert!((sum - mel).norm() < 1e-12, "{}: {sum} and {mel}", entry.name);
            });
        }
    }
    assert!(n_negative > 0);
}

#[test]
fn changes_are_where_the_written_state_differs() {
    for entry in catalogue().unwrap() {
        let engine = entry.definition.engine::<Complex64>().unwrap();
        let mut scratch = Scratch::default();
        for x in test_samples(entry.definition.hilbert()).unwrap().rows() {
            let x = x.to_vec();
            engine.visit(&x, &mut scratch, |connected, _| {
                let mut to = x.clone();
                connected.write(&mut to);
                let mut changes: Vec<(usize, i8)> = connected.changes(&x).collect();
                changes.sort_unstable();
                let expected = to.iter().copied().enumerate().filter(|&(site, q)| x[site] != q);
                assert_eq!(changes, expected.collect::<Vec<_>>(), "{}", entry.name);
            });
        }
    }
}

#[test]
fn strings_that_flip_the_same_site_are_one_element_whatever_their_signs() {
    let space = (HilbertSpace::from(Qubit::new(30).unwrap()) * Fock::new(2, 1).unwrap()).unwrap();
    let mut terms = Terms::new(space);
    for signs in [1..15, 15..30, 1..30] {
        let signs = signs.map(|site| (site, Pauli::Z));
        terms.pauli(1.0, &[(0, Pauli::X)].into_iter().chain(signs).collect::<Vec<_>>()).unwrap();
    }
    assert_eq!(Definition::new("X with signs", terms).unwrap().max_conn_size(), 1);
}

/// A string of fermion operators or of Pauli matrices.
#[derive(Clone)]
enum Factor {
    Fermion(Vec<Ladder>),
    Pauli(Vec<(usize, Pauli)>),
}

impl Factor {
    fn random(rng: &mut SplitMix) -> Self {
        // Six bosons come first, then modes 6 to 19 and qubits 20 to 29.
        match rng.below(2) {
            0 => {
                let ladder = |rng: &mut SplitMix| {
                    let mode = 6 + rng.below(14);
                    if rng.below(2) == 0 { Ladder::create(mode) } else { Ladder::destroy(mode) }
                };
                Factor::Fermion((0..1 + rng.below(4)).map(|_| ladder(rng)).collect())
            }
            _ => {
                // Few flips, so that many strings have the same ones, and many signs.
                let mut string: Vec<_> = (20 + rng.below(2)..22).map(|site| (site, Pauli::X)).collect();
                let n_signs = rng.below(18);
                let others = [(6..20).collect::<Vec<_>>(), (22..30).collect()].concat();
                let signs = rng.distinct(n_signs, others.len());
                string.extend(signs.into_iter().map(|k| (others[k], Pauli::Z)));
                Factor::Pauli(string)
            }
        }
    }

    fn add(&self, coefficient: Complex64, terms: &mut Terms) {
        match self {
            Factor::Fermion(string) => terms.fermion(coefficient, string).unwrap(),
            Factor::Pauli(string) => terms.pauli_on_occupations(coefficient, string).unwrap(),
        };
    }

    fn adjoint(&self) -> Self {
        match self {
            Factor::Fermion(string) => {
                let adjoint = |ladder: &Ladder| ladder.adjoint();
                Factor::Fermion(string.iter().rev().map(adjoint).collect())
            }
            pauli => pauli.clone(),
        }
    }
}

proptest! {
    /// On a space far too large for its matrix: an operator plus its adjoint is Hermitian, and i times that
    /// is not.
    #[test]
    fn sums_with_the_adjoint_are_hermitian_on_large_products(seed in any::<u64>()) {
        let space = HilbertSpace::from(Fock::new(2, 6).unwrap());
        let space = (space * SpinOrbitalFermions::new(14).unwrap()).unwrap();
        let space = (space * Qubit::new(10).unwrap()).unwrap();
        let mut rng = SplitMix::new(seed);
        let strings: Vec<(Factor, Complex64)> = (0..20)
            .map(|_| (Factor::random(&mut rng), Complex64::new(0.1 + rng.number().abs(), rng.number())))
            .collect();
        let of = |phase: Complex64| {
            let mut terms = Terms::new(space.clone());
            for (string, coefficient) in &strings {
                string.add(phase * coefficient, &mut terms);
                string.adjoint().add(phase * coefficient.conj(), &mut terms);
            }
            Definition::new("A + A^", terms).unwrap()
        };
        prop_assert!(of(Complex64::ONE).is_hermitian());
        prop_assume!(of(Complex64::ONE).forms().n_slots() > 1);
        prop_assert!(!of(Complex64::I).is_hermitian());
        let mut terms = Terms::new(space.clone());
        for (string, coefficient) in &strings {
            string.add(*coefficient, &mut terms);
            string.adjoint().add(coefficient.conj(), &mut terms);
        }
        // One more string, alone: long signs, and a phase that makes it anti-Hermitian.
        terms.pauli_on_occupations(Complex64::I * 0.3, &(6..28).map(|site| (site, Pauli::Z)).collect::<Vec<_>>()).unwrap();
        prop_assert!(!Definition::new("A + A^ + i Z", terms).unwrap().is_hermitian());
    }
}
