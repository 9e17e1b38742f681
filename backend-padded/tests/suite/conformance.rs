//! The conformance suite on the padded backend.
//!
//! It runs on the CPU, or on the device that the environment variable `PADDED_DEVICE` names, such as `cuda`.

use backend_padded::{Padded, device};
use candle_core::Device;
use operator_core::testing::{check_backend_on, check_single_precision_on};

fn chosen() -> Device {
    let name = std::env::var("PADDED_DEVICE").unwrap_or_else(|_| "cpu".into());
    device(&name).unwrap()
}

#[test]
fn the_catalogue() {
    check_backend_on::<Padded>(&chosen()).unwrap();
}

#[test]
fn the_catalogue_in_single_precision() {
    check_single_precision_on::<Padded>(&chosen()).unwrap();
}
