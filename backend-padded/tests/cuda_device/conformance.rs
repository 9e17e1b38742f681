//! The conformance suite on the device.

use backend_padded::{Padded, device};
use operator_core::testing::{check_backend_on, check_single_precision_on};

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn the_catalogue() {
    check_backend_on::<Padded>(&device("cuda").unwrap()).unwrap();
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn the_catalogue_in_single_precision() {
    check_single_precision_on::<Padded>(&device("cuda").unwrap()).unwrap();
}
