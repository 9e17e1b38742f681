//! Both backends side by side.

use backend_flat::Flat;
use backend_padded::Padded;
use num_complex::Complex64;
use operator_core::DiscreteOperator;
use operator_core::testing::{catalogue, check_agree};

#[test]
fn the_backends_agree_element_by_element() {
    for entry in catalogue().unwrap() {
        let flat = entry.definition.lower_as::<Flat, Complex64>().unwrap();
        let padded = entry.definition.lower_as::<Padded, Complex64>().unwrap();
        check_agree(&flat, &padded).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        let moved = flat.to_backend::<Padded>().unwrap();
        check_agree(&moved, &padded).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    }
}
