//! The conformance suite on the device.

use backend_padded::{Padded, device};
use operator_core::testing::check_backend_on;

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn the_catalogue() {
    check_backend_on::<Padded>(&device("cuda").unwrap()).unwrap();
}
