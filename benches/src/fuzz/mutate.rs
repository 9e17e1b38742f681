//! Random changes of inputs.

use operator_core::testing::SplitMix;

/// Inputs do not grow beyond this.
const LONGEST: usize = 1 << 16;

/// Good inputs and what is mixed into them.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Good inputs.
    pub corpus: Vec<Vec<u8>>,
    /// Words of the format.
    pub words: Vec<&'static str>,
    /// Whether inputs are safetensors files, whose first eight bytes count those of the header.
    pub has_header: bool,
}

/// Numbers that programs stumble over.
const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "64",
    "127",
    "128",
    "255",
    "1000",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "-9223372036854775808",
    "1e308",
    "-1e-320",
    "1e400",
    "NaN",
    "inf",
    "0.1",
];

/// A changed copy of an input of the corpus.
pub fn mutate(rng: &mut SplitMix, inputs: &Inputs) -> Vec<u8> {
    let mut bytes = pick(rng, &inputs.corpus).clone();
    for _ in 0..=rng.below(4) {
        if inputs.has_header && rng.below(4) > 0 {
            change_header(rng, inputs, &mut bytes);
        } else {
            change(rng, inputs, &mut bytes);
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

fn pick<'a, T>(rng: &mut SplitMix, items: &'a [T]) -> &'a T {
    &items[rng.below(items.len())]
}

/// Changes the header of a safetensors file and corrects its length.
fn change_header(rng: &mut SplitMix, inputs: &Inputs, bytes: &mut Vec<u8>) {
    let Some(length) = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length)) else { return };
    let Some(end) = usize::try_from(length).ok().and_then(|length| length.checked_add(8)) else { return };
    if end > bytes.len() {
        return;
    }
    let data = bytes.split_off(end);
    let mut header = bytes.split_off(8);
    change(rng, inputs, &mut header);
    *bytes = [&(header.len() as u64).to_le_bytes(), header.as_slice(), &data].concat();
}

fn change(rng: &mut SplitMix, inputs: &Inputs, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len() + 1);
    let some = at..(at + 1 + rng.below(16)).min(bytes.len());
    match rng.below(9) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
        1 => bytes.insert(at, rng.below(256) as u8),
        2 => drop(bytes.drain(some.start.min(some.end)..some.end)),
        3 => {
            let copy = bytes.get(some).unwrap_or_default().to_vec();
            bytes.splice(at..at, copy);
        }
        4 => insert(bytes, at, word(rng, inputs)),
        5 | 6 => {
            let (start, end) = token(bytes, at);
            bytes.splice(start..end, word(rng, inputs).bytes());
        }
        7 => {
            let other = pick(rng, &inputs.corpus);
            let from = rng.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => {
            let mut lines: Vec<&[u8]> =
                bytes.split_inclusive(|&byte| byte == b'\n' || byte == b',').collect();
            let (one, other) = (rng.below(lines.len().max(1)), rng.below(lines.len().max(1)));
            if let Some(&line) = lines.get(one) {
                match rng.below(3) {
                    0 => lines.swap(one, other),
                    1 => lines.insert(other, line),
                    _ => drop(lines.remove(one)),
                }
            }
            *bytes = lines.concat();
        }
    }
}

fn word(rng: &mut SplitMix, inputs: &Inputs) -> &'static str {
    let n = rng.below(NUMBERS.len() + inputs.words.len());
    NUMBERS.iter().chain(&inputs.words).nth(n).copied().unwrap_or_default()
}

fn insert(bytes: &mut Vec<u8>, at: usize, word: &str) {
    bytes.splice(at..at, word.bytes());
}

/// The word or number at a place.
fn token(bytes: &[u8], at: usize) -> (usize, usize) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
    let start = bytes[..at].iter().rev().take_while(|byte| is_part(byte)).count();
    let end = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
    (at - start, at + end)
}
