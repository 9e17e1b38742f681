//! The text of OpenFermion's operators: `0.5 [X0 Y1] + (0.3+0.1j) [Z3] + 1.0 []` (a `QubitOperator`) and
//! `1.0 [0^ 1] + 0.5j [1^ 0]` (a `FermionOperator`).

use std::collections::BTreeMap;

use num_complex::Complex64;

use crate::error::{Error, Result};
use crate::terms::{Ladder, Pauli};

/// A Pauli string, by site, and its weight.
pub(super) type WeightedPaulis = (Vec<(usize, Pauli)>, Complex64);

/// Pauli strings with their weights, in the order of the text. Matrices of one qubit are multiplied.
pub(super) fn qubit_operator(text: &str) -> Result<Vec<WeightedPaulis>> {
    let terms = terms(text, "a QubitOperator")?.into_iter();
    terms.map(|(string, weight)| pauli_string(string, weight)).collect()
}

/// Fermion strings with their weights, in the order of the text.
pub(super) fn fermion_operator(text: &str) -> Result<Vec<(Vec<Ladder>, Complex64)>> {
    let terms = terms(text, "a FermionOperator")?.into_iter();
    terms
        .map(|(string, weight)| {
            Ok((string.split_whitespace().map(parse_ladder).collect::<Result<_>>()?, weight))
        })
        .collect()
}

/// What stands between brackets, and the weight before it; 1 if it is left out.
fn terms<'a>(text: &'a str, expected: &str) -> Result<Vec<(&'a str, Complex64)>> {
    let mut terms = Vec::new();
    // Editors may put a byte order mark before the first character.
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    // The zero operator prints as a number.
    if parse_complex(rest) == Some(Complex64::ZERO) {
        return Ok(terms);
    }
    while !rest.is_empty() || terms.is_empty() {
        let Some((head, tail)) = rest.split_once('[') else {
            if is_majorana_operator(rest) {
                return Err(fail(rest, &format!("it is a MajoranaOperator; expected {expected}")));
            }
            return Err(fail(rest, "expected a string in [ ]"));
        };
        let (string, tail) = tail.split_once(']').ok_or_else(|| fail(rest, "a [ has no ]"))?;
        terms.push((string, parse_weight(head, terms.is_empty())?));
        rest = tail.trim();
    }
    Ok(terms)
}

fn fail(text: &str, reason: &str) -> Error {
    const LONGEST: usize = 60;
    let text = text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end]);
    Error::Parse { text: text.to_owned(), reason: reason.to_owned() }
}

/// `0.5 (0, 1) + …`: operators stand in tuples of their numbers.
fn is_majorana_operator(text: &str) -> bool {
    text.split('(').skip(1).any(|rest| {
        let inner = rest.split_once(')').map(|(inner, _)| inner);
        inner.is_some_and(|inner| inner.chars().all(|c| c.is_ascii_digit() || c == ',' || c.is_whitespace()))
    })
}

fn pauli_string(text: &str, mut weight: Complex64) -> Result<WeightedPaulis> {
    // By qubit, since strings may be long.
    let mut string: BTreeMap<usize, Pauli> = BTreeMap::new();
    for factor in text.split_whitespace() {
        let (qubit, pauli) = parse_pauli(factor)?;
        match string.remove(&qubit).map(|left| product(left, pauli)) {
            None => drop(string.insert(qubit, pauli)),
            Some(None) => {}
            Some(Some((phase, pauli))) => {
                string.insert(qubit, pauli);
                weight *= phase;
            }
        }
    }
    Ok((string.into_iter().collect(), weight))
}

/// The product of two Pauli matrices on one qubit, a phase and a matrix; `None` is the identity.
fn product(left: Pauli, right: Pauli) -> Option<(Complex64, Pauli)> {
    use Pauli::{X, Y, Z};
    let third = match (left, right) {
        (X, X) | (Y, Y) | (Z, Z) => return None,
        (X, Y) | (Y, X) => Z,
        (Y, Z) | (Z, Y) => X,
        (Z, X) | (X, Z) => Y,
    };
    let is_cyclic = matches!((left, right), (X, Y) | (Y, Z) | (Z, X));
    Some((if is_cyclic { Complex64::I } else { -Complex64::I }, third))
}

fn parse_pauli(text: &str) -> Result<(usize, Pauli)> {
    let mut letters = text.chars();
    let pauli = match letters.next() {
        Some('X') => Pauli::X,
        Some('Y') => Pauli::Y,
        Some('Z') => Pauli::Z,
        Some('0'..='9') => {
            let what = "it is a FermionOperator or a BosonOperator; FermionOperator2nd::from_openfermion reads \
                        fermions, and a QubitOperator has factors such as X3";
            return Err(fail(text, what));
        }
        Some('q' | 'p') => return Err(fail(text, QUAD_OPERATOR)),
        _ => return Err(fail(text, "expected X, Y or Z and the number of a qubit")),
    };
    let digits = letters.as_str();
    let expected = || fail(text, not_a_number(digits, "expected the number of a qubit after the letter"));
    Ok((number(digits).ok_or_else(expected)?, pauli))
}

const QUAD_OPERATOR: &str = "it is a QuadOperator, which acts on bosons";

fn parse_ladder(text: &str) -> Result<Ladder> {
    let (mode, dagger) = text.strip_suffix('^').map_or((text, false), |mode| (mode, true));
    match (number(mode), text.chars().next()) {
        (Some(mode), _) => Ok(Ladder { mode, dagger }),
        (None, Some('X' | 'Y' | 'Z')) => {
            Err(fail(text, "it is a QubitOperator; PauliStrings::from_openfermion reads these"))
        }
        (None, Some('q' | 'p')) => Err(fail(text, QUAD_OPERATOR)),
        _ => Err(fail(text, not_a_number(mode, "expected a mode such as 3, or 3^ where it is created"))),
    }
}

/// A whole number without a sign.
fn number(digits: &str) -> Option<usize> {
    // `parse` takes a leading `+` as well.
    digits.starts_with(|c: char| c.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// What is wrong with digits that give no number.
fn not_a_number(digits: &str, otherwise: &'static str) -> &'static str {
    let is_long = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_long { "the number is too large; expected one below 2^64" } else { otherwise }
}

/// A number, with the sign that joins it to the terms before it.
fn parse_weight(text: &str, first: bool) -> Result<Complex64> {
    let compact: String = text.split_whitespace().collect();
    let (sign, number) = match compact.strip_prefix('+') {
        Some(number) => (1.0, number),
        None => match compact.strip_prefix('-') {
            Some(number) => (-1.0, number),
            None if first => (1.0, compact.as_str()),
            None => return Err(fail(text, "expected + or - between terms")),
        },
    };
    // After the sign that joins terms there may be one of the number's own: `+ -0.5 [X0]`.
    let weight = match number {
        "" => Complex64::ONE,
        _ => {
            parse_complex(number).ok_or_else(|| fail(text, "expected a number like 0.5, 2j or (0.3+0.1j)"))?
        }
    };
    Ok(weight * sign)
}

/// A Python number, with or without brackets.
fn parse_complex(text: &str) -> Option<Complex64> {
    let (sign, text) = match text.strip_prefix("-(") {
        Some(inner) => (-1.0, inner.strip_suffix(')')?),
        None => (1.0, text.strip_prefix('(').map_or(Some(text), |inner| inner.strip_suffix(')'))?),
    };
    parse_bare(text).map(|z| sign * z)
}

/// `a`, `bj` or `a+bj`.
fn parse_bare(text: &str) -> Option<Complex64> {
    let Some(imaginary) = text.strip_suffix('j') else { return text.parse().ok().map(real) };
    let bytes = imaginary.as_bytes();
    let joint = (1..bytes.len())
        .rev()
        .find(|&k| matches!(bytes[k], b'+' | b'-') && !matches!(bytes[k - 1], b'e' | b'E'));
    let (re, im) = match joint {
        Some(k) => (imaginary[..k].parse().ok()?, &imaginary[k..]),
        None => (0.0, imaginary),
    };
    let im = match im {
        "" | "+" => 1.0,
        "-" => -1.0,
        number => number.parse().ok()?,
    };
    Some(Complex64::new(re, im))
}

fn real(re: f64) -> Complex64 {
    Complex64::new(re, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_python_numbers() {
        let cases = [
            ("0.5", 0.5, 0.0),
            ("-1.5e-05", -1.5e-5, 0.0),
            ("2j", 0.0, 2.0),
            ("(0.3+0.1j)", 0.3, 0.1),
            ("(-0-1j)", 0.0, -1.0),
            ("-(1+2j)", -1.0, -2.0),
            ("(1e-05-2E+03j)", 1e-5, -2e3),
            ("j", 0.0, 1.0),
        ];
        for (text, re, im) in cases {
            assert_eq!(parse_complex(text), Some(Complex64::new(re, im)), "{text}");
        }
        for text in ["", "x", "1+2", "(1", "1)", "--1", "1j2", "((1))", "é", "1+éj"] {
            assert_eq!(parse_complex(text), None, "{text}");
        }
    }
}
