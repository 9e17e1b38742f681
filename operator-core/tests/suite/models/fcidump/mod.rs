//! FCIDUMP files, against energies of other programs and matrices made bit by bit.

mod files;
mod sizes;
mod spins;
mod symmetries;
mod text;
mod truth;

use std::path::{Path, PathBuf};

use operator_core::Fcidump;
use operator_core::hilbert::SpinOrbitalFermions;
use truth::Truth;

use super::matrix::{assert_close, dense, ground_energy};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fcidump").join(name)
}

fn read(name: &str) -> Fcidump {
    Fcidump::from_file(data(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn energy(dump: &Fcidump) -> f64 {
    ground_energy(&dump.molecular().unwrap())
}

/// Full CI energy of `h2.fcidump` with two electrons.
const H2: f64 = -1.1358861929199058;

#[test]
fn hydrogen_in_all_its_forms_has_its_energy() {
    for (name, expected) in [
        ("h2.fcidump", H2),
        ("h2_cr_only.fcidump", H2),
        ("h2_complex_zero_imaginary.fcidump", H2),
        ("h2_printed_precision.fcidump", H2),
        ("h2_byte_order_mark.fcidump", H2),
        ("h2_trailing_comment.fcidump", H2),
        ("h2_uhf.fcidump", -1.1258538500998294),
        ("h2_uhf_without_flag.fcidump", -1.1235996564860922),
        ("hubbard_ring4_momentum.fcidump", -2.1027484834620775),
    ] {
        let energy = energy(&read(name));
        assert!((energy - expected).abs() < 1e-12, "{name}: {energy}, not {expected}");
    }
}

fn electrons(n: usize) -> SpinOrbitalFermions {
    SpinOrbitalFermions::with_spin(n, 0.5).unwrap()
}

fn assert_is(dump: &Fcidump, hilbert: SpinOrbitalFermions, truth: &Truth) {
    let model = dump.molecular_on(hilbert.clone()).unwrap();
    assert_close(&dense(&model), &truth.matrix(&hilbert.into()));
}

/// Reads a text, writes it, and reads it again.
fn parse(text: &str) -> Fcidump {
    let dump = Fcidump::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(Fcidump::parse(&dump.to_string()).as_ref().ok(), Some(&dump), "{text}\n{dump}");
    dump
}
