//! Derivatives of operators in their parameters, against differences of Kronecker products.
#![cfg(feature = "testing")]

use std::collections::HashSet;

use crate::common::{Matrix, assert_close, random_terms, spaces};
use num_complex::Complex64;
use operator_core::hilbert::Spin;
use operator_core::testing::kronecker_dense;
use operator_core::{Boundary, Definition, Graph, HilbertSpace, Ising, Model};
use proptest::prelude::*;

fn space() -> impl Strategy<Value = HilbertSpace> {
    prop::sample::select(spaces())
}

/// The operator is linear in its parameters, so a difference over a step of 1 is the derivative.
fn difference(operator: &Definition, k: usize) -> Matrix {
    let mut values = operator.parameters().to_vec();
    let mut at = |step: f64| {
        values[k] += step;
        let parameters = operator.parameters().with_values(&values).unwrap();
        kronecker_dense(&operator.with_parameters(parameters).unwrap()).unwrap()
    };
    at(1.0) - at(-1.0)
}

/// All values, as name and index.
fn places(operator: &Definition) -> Vec<(String, usize)> {
    let values = operator.parameters().iter();
    values.flat_map(|(name, value)| (0..value.as_slice().len()).map(|k| (name.to_owned(), k))).collect()
}

/// The derivatives by all parameters from the slots of the pattern's elements.
fn from_slots(operator: &Definition) -> Vec<Matrix> {
    let (hilbert, pattern, forms) = (operator.hilbert(), operator.pattern(), operator.forms());
    let n_states = hilbert.n_states().unwrap();
    let mut out = vec![Matrix::zeros((n_states, n_states)); operator.parameters().n_values()];
    let mut scratch = Default::default();
    for (row, x) in hilbert.all_states().unwrap().rows().into_iter().enumerate() {
        let x = x.to_vec();
        pattern.visit(&x, &mut scratch, |connected, _| {
            let mut x_prime = x.clone();
            connected.write(&mut x_prime);
            let column = hilbert.index_of(&x_prime).unwrap();
            connected.for_each_slot(|slot, weight| {
                for (parameter, factor) in forms.form(slot) {
                    if let Some(k) = parameter {
                        out[k][[row, column]] += weight * factor;
                    }
                }
            });
        });
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn derivatives_are_differences_of_matrices(space in space(), seed: u64, vanish: bool) {
        let mut operator = Definition::new("test", random_terms(&space, seed, true)).unwrap();
        if vanish {
            let zeros = vec![0.0; operator.parameters().n_values()];
            operator = operator.with_parameters(operator.parameters().with_values(&zeros).unwrap()).unwrap();
        }
        let from_slots = from_slots(&operator);
        for (k, (name, index)) in places(&operator).into_iter().enumerate() {
            let expected = difference(&operator, k);
            assert_close(&kronecker_dense(&operator.derivative(&name, index).unwrap()).unwrap(), &expected);
            assert_close(&from_slots[k], &expected);
        }
    }

    /// An element of the operator at any values is one of the pattern.
    #[test]
    fn the_pattern_has_every_element_that_there_can_be(space in space(), seed: u64) {
        let operator = Definition::new("test", random_terms(&space, seed, true)).unwrap();
        let engine = operator.engine::<Complex64>().unwrap();
        let (pattern, mut scratch) = (operator.pattern(), Default::default());
        for x in space.all_states().unwrap().rows() {
            let x = x.to_vec();
            let mut places = HashSet::new();
            pattern.visit(&x, &mut Default::default(), |connected, mel| {
                let mut x_prime = x.clone();
                connected.write(&mut x_prime);
                assert!(mel != 0.0 && places.insert(x_prime));
            });
            engine.visit(&x, &mut scratch, |connected, _| {
                let mut x_prime = x.clone();
                connected.write(&mut x_prime);
                assert!(places.contains(&x_prime));
            });
            prop_assert!(places.len() <= operator.max_conn_size());
        }
    }
}

#[test]
fn values_that_are_not_there_are_refused() {
    let chain = Graph::chain(3, Boundary::Periodic).unwrap();
    let ising = Ising::new(Spin::half(3).unwrap(), &chain, 1.0, 1.0).unwrap().definition().unwrap();
    let message = |name, index| ising.derivative(name, index).unwrap_err().to_string();
    assert_eq!(message("U", 0), "no parameter \"U\"; this operator has h, J");
    assert_eq!(message("J", 1), "1 values of parameter \"J\"; expected more than 1");
}
