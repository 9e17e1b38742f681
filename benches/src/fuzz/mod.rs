//! Hostile input for everything that reads files and text.
//!
//! Each [`Target`] is a reader with a corpus of good inputs. [`run`] changes these at random ([`mutate`]), and checks
//! that the reader neither panics nor takes long, and that what it accepts survives being written and read again. An
//! input depends on the seed and its number alone, so a failure comes back with the same arguments.

mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use operator_core::testing::SplitMix;

pub use mutate::{Inputs, mutate};
pub use targets::targets;

/// An input may take this long, on a busy machine without optimisation.
const LONGEST: Duration = Duration::from_secs(20);

/// Reads an input. `Err` says why something is wrong although nothing panicked; input that is refused is `Ok`.
pub type Reader = Box<dyn Fn(&[u8]) -> Result<Read, String>>;

/// A reader and good inputs for it.
pub struct Target {
    /// Name, as on the command line.
    pub name: &'static str,
    /// What inputs are made of.
    pub inputs: Inputs,
    /// The reader.
    pub read: Reader,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// It was read.
    Accepted,
    /// The reader returned an error.
    Refused,
}

/// How many inputs to try.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// For a time.
    Time(Duration),
    /// A number of inputs.
    Inputs(u64),
}

/// What a run on one target found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Number of inputs tried.
    pub inputs: u64,
    /// Number of those that were read.
    pub accepted: u64,
}

/// An input that ends badly.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its number.
    pub number: u64,
    /// The input.
    pub input: Vec<u8>,
    /// What went wrong.
    pub reason: String,
}

/// Tries inputs from number `first` on. `trace` is called before each.
///
/// # Errors
/// The first input that ends badly.
pub fn run(
    target: &Target,
    seed: u64,
    first: u64,
    limit: Limit,
    mut trace: impl FnMut(u64, &[u8]),
) -> Result<Summary, Box<Failure>> {
    let start = Instant::now();
    let mut summary = Summary::default();
    for number in first.. {
        let is_over = match limit {
            Limit::Time(time) => start.elapsed() >= time,
            Limit::Inputs(inputs) => summary.inputs >= inputs,
        };
        if is_over {
            break;
        }
        let input = input(target, seed, number);
        trace(number, &input);
        match read(target, &input) {
            Ok(read) => summary.accepted += u64::from(read == Read::Accepted),
            Err(reason) => return Err(Box::new(Failure { number, input, reason })),
        }
        summary.inputs += 1;
    }
    Ok(summary)
}

/// The input with a number. The first ones are the corpus itself.
fn input(target: &Target, seed: u64, number: u64) -> Vec<u8> {
    if let Some(good) = target.inputs.corpus.get(number as usize) {
        return good.clone();
    }
    // Far apart for neighbouring numbers.
    let seed = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) ^ 0x5851_f42d_4c95_7f2d;
    mutate(&mut SplitMix::new(seed), &target.inputs)
}

fn read(target: &Target, input: &[u8]) -> Result<Read, String> {
    let start = Instant::now();
    let read = catch_unwind(AssertUnwindSafe(|| (target.read)(input))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("panic: {}", text.unwrap_or("of another type than text"))
    })??;
    if start.elapsed() > LONGEST {
        return Err(format!("it took {:.1} s", start.elapsed().as_secs_f64()));
    }
    Ok(read)
}
