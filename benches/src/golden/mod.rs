//! Conformance with reference connected elements, one JSON file for each case.
//!
//! A file holds an operator's spec and samples with their connected elements. For small spaces it also holds
//! all states, the dense matrix and its eigenvalues. `data/golden/README.md` describes the format.

mod check;
mod file;

use std::fs;
use std::path::{Path, PathBuf};

use num_complex::Complex64;
use operator_core::{Backend, Definition, Lower};

pub use file::Golden;

use crate::molecule;

/// The outcome of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything agrees; says what was compared.
    Passed(String),
    /// Something does not agree or cannot be read; says what.
    Failed(String),
}

/// Numbers of files that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files that agree.
    pub passed: usize,
    /// Files that do not agree or cannot be read.
    pub failed: usize,
}

impl Tally {
    /// Counts an outcome.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Passed(_) => self.passed += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The files named by these paths: files as given, and the JSON and FCIDUMP files of folders, sorted by name.
///
/// # Errors
/// A path that cannot be read, or no files.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.append(&mut files_of(path)?);
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() { Err("no JSON or FCIDUMP files found".into()) } else { Ok(files) }
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") || molecule::is_named_fcidump(&path)
        {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: no JSON or FCIDUMP files in this folder", folder.display()));
    }
    Ok(files)
}

/// Checks one JSON file on all backends, or finds the energy of an FCIDUMP file.
pub fn check_file(path: &Path) -> Outcome {
    if molecule::is_fcidump(path) {
        return molecule::ground_state(path);
    }
    check(path).unwrap_or_else(Outcome::Failed)
}

fn check(path: &Path) -> Result<Outcome, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let golden: Golden = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let definition = Definition::from_spec(&golden.operator()).map_err(|error| error.to_string())?;
    golden.check_shapes()?;
    check::check_definition(&definition, &golden)?;
    let backends = [
        on_backend::<backend_flat::Flat>(&definition, &golden)?,
        on_backend::<backend_padded::Padded>(&definition, &golden)?,
    ];
    let mut what = golden.summary();
    if check::is_reversed(&golden, definition.hilbert()) {
        what += ", its states in reverse order";
    }
    Ok(Outcome::Passed(format!("({}): {what}", backends.join(", "))))
}

/// Checks an operator on one backend, with real elements if it is real. Returns the backend's name.
fn on_backend<B: Lower<f64> + Lower<Complex64>>(
    definition: &Definition,
    golden: &Golden,
) -> Result<&'static str, String> {
    let name = <B as Backend>::NAME;
    let result = if definition.is_real() {
        definition
            .lower_as::<B, f64>()
            .map_err(|error| error.to_string())
            .and_then(|operator| check::check_operator(&operator, golden))
    } else {
        definition
            .lower_as::<B, Complex64>()
            .map_err(|error| error.to_string())
            .and_then(|operator| check::check_operator(&operator, golden))
    };
    result.map(|()| name).map_err(|error| format!("({name}): {error}"))
}
