//! Compares the public items of each published crate with the committed lists, so that a change of the API is seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// The libraries whose API is tracked.
const LIBRARIES: [&str; 6] =
    ["operator_core", "backend_flat", "backend_padded", "sum_operator", "sampler", "variational"];

/// Compares the public API with the lists in the repository.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder with rustdoc's JSON, such as `target/doc`.
    json: PathBuf,
    /// Folder with the lists, one file for each library.
    #[arg(default_value = "benches/data/public-api")]
    lists: PathBuf,
    /// Write the lists instead of comparing.
    #[arg(long)]
    write: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut same = true;
    for library in LIBRARIES {
        match check(&arguments, library) {
            Ok(changes) if changes.is_empty() => println!("ok {library}"),
            Ok(changes) => {
                println!("CHANGED {library}\n{}", changes.join("\n"));
                same = false;
            }
            Err(reason) => {
                println!("FAILED {library}: {reason}");
                same = false;
            }
        }
    }
    if same {
        return ExitCode::SUCCESS;
    }
    println!("if the change is meant, write the lists again with --write");
    ExitCode::FAILURE
}

/// The items that only one of the lists has, each with a sign; none after writing.
fn check(arguments: &Arguments, library: &str) -> Result<Vec<String>, String> {
    let items = items(&arguments.json.join(format!("{library}.json")))?;
    let path = arguments.lists.join(format!("{library}.txt"));
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    if arguments.write {
        let text = items.iter().map(|item| format!("{item}\n")).collect::<String>();
        fs::create_dir_all(&arguments.lists).and_then(|()| fs::write(&path, text)).map_err(named)?;
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).map_err(named)?;
    let known: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let removed = known.difference(&items).map(|item| format!("- {item}"));
    let added = items.difference(&known).map(|item| format!("+ {item}"));
    Ok(removed.chain(added).collect())
}

/// The public items, without implementations that every type has.
fn items(json: &Path) -> Result<BTreeSet<String>, String> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .map_err(|error| format!("{}: {error}", json.display()))?;
    Ok(api.items().map(ToString::to_string).collect())
}
