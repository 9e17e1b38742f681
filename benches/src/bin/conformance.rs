//! Checks operators against files of reference connected elements, on all backends, and prints the ground-state
//! energies of FCIDUMP files.

use std::path::PathBuf;
use std::process::ExitCode;

use benches::golden::{self, Outcome, Tally};
use clap::Parser;

/// Checks operators against reference connected elements, dense matrices and eigenvalues. Prints the ground-state
/// energies of molecules.
#[derive(Debug, Parser)]
struct Arguments {
    /// JSON files of reference data and FCIDUMP files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let files = match golden::files(&Arguments::parse().paths) {
        Ok(files) => files,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut tally = Tally::default();
    for file in files {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
        let outcome = golden::check_file(&file);
        match &outcome {
            Outcome::Passed(what) => println!("ok {name} {what}"),
            Outcome::Failed(reason) => println!("FAILED {name}: {reason}"),
        }
        tally.add(&outcome);
    }
    println!("{tally}");
    if tally.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
