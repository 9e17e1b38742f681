//! Ground-state energies of molecules from FCIDUMP files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use backend_flat::Flat;
use num_complex::Complex64;
use operator_core::{Fcidump, Model};
use variational::exact;

use crate::golden::Outcome;

/// Spaces with more states are not diagonalised.
pub const MAX_STATES: usize = 100_000;

/// Whether a file is an FCIDUMP file, by its name or its first characters.
pub fn is_fcidump(path: &Path) -> bool {
    is_named_fcidump(path) || begins_with_namelist(path)
}

/// Whether a file is an FCIDUMP file by its name: `FCIDUMP`, `h2.fcidump`, `FCIDUMP.h2`.
pub fn is_named_fcidump(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.split('.').any(|part| part == "fcidump")
}

fn begins_with_namelist(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.split(['\n', '\r']).map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['!', '#']));
    read.is_ok() && first.is_some_and(|line| line.starts_with(['&', '$']))
}

/// Reads an FCIDUMP file and finds its lowest energy with its numbers of electrons: the full matrix is diagonalised
/// if it is small, by Lanczos' method otherwise.
pub fn ground_state(path: &Path) -> Outcome {
    energy(path).map_or_else(Outcome::Failed, Outcome::Passed)
}

fn energy(path: &Path) -> Result<String, String> {
    let dump = Fcidump::from_file(path).map_err(|error| error.to_string())?;
    let definition =
        dump.molecular().and_then(|molecule| molecule.definition()).map_err(|error| error.to_string())?;
    let n_states = definition.hilbert().n_states().map_err(|error| error.to_string())?;
    if n_states > MAX_STATES {
        return Err(format!(
            "{} has {n_states} states; energies are found for up to {MAX_STATES}",
            definition.hilbert()
        ));
    }
    let energy = if definition.is_real() {
        let operator = definition.lower_as::<Flat, f64>().map_err(|error| error.to_string())?;
        exact::ground_state_energy(&operator)
    } else {
        let operator = definition.lower_as::<Flat, Complex64>().map_err(|error| error.to_string())?;
        exact::ground_state_energy(&operator)
    };
    let energy = energy.map_err(|error| error.to_string())?;
    Ok(format!("ground-state energy {energy} ({}, {n_states} states)", definition.hilbert()))
}
