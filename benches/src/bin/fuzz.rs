//! Tries hostile input on everything that reads files and text.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use benches::fuzz::{self, Limit};
use clap::Parser;

/// Changes good inputs at random and checks that no reader panics, takes long, or reads back something else than it
/// wrote.
#[derive(Debug, Parser)]
struct Arguments {
    /// Readers to try; all of them by default.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Time for all readers together.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Number of inputs for each reader, instead of a time.
    #[arg(long)]
    inputs: Option<u64>,
    /// Seed of the changes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of the first input.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Prints each input before it is tried, to find one that ends the process.
    #[arg(long)]
    trace: bool,
    /// Folder for inputs that end badly.
    #[arg(long, default_value = "target/fuzz")]
    out: PathBuf,
}

fn main() -> ExitCode {
    // What is larger is refused, so that an input with a huge number takes no longer than others.
    operator_core::memory::set_limit(256 << 20);
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all inputs ended well.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let mut targets = fuzz::targets()?;
    let known: Vec<&str> = targets.iter().map(|target| target.name).collect();
    if let Some(unknown) = arguments.targets.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("no target {unknown}; there are {}", known.join(", ")));
    }
    targets.retain(|target| {
        arguments.targets.is_empty() || arguments.targets.iter().any(|name| name == target.name)
    });
    let share = Duration::from_secs(arguments.seconds) / targets.len() as u32;
    let limit = arguments.inputs.map_or(Limit::Time(share), Limit::Inputs);
    let trace = |number: u64, input: &[u8]| {
        if arguments.trace {
            println!("{number}: {}", input.escape_ascii());
        }
    };
    let mut all_well = true;
    for target in &targets {
        match fuzz::run(target, arguments.seed, arguments.first, limit, trace) {
            Ok(summary) => {
                println!("ok {}: {} inputs, {} of them read", target.name, summary.inputs, summary.accepted);
            }
            Err(failure) => {
                all_well = false;
                let path =
                    arguments.out.join(format!("{}-{}-{}", target.name, arguments.seed, failure.number));
                let written = std::fs::create_dir_all(&arguments.out)
                    .and_then(|()| std::fs::write(&path, &failure.input));
                let place = written.map_or_else(|error| error.to_string(), |()| path.display().to_string());
                println!(
                    "FAILED {}: input {} ({place}): {}\n  {}",
                    target.name,
                    failure.number,
                    failure.reason,
                    failure.input.escape_ascii()
                );
            }
        }
    }
    Ok(all_well)
}
