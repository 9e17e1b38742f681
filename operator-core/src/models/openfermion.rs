//! The text of OpenFermion's `QubitOperator`: `0.5 [X0 Y1] + (0.3+0.1j) [Z3] + 1.0 []`.

use num_complex::Complex64;

use crate::error::{Error, Result};
use crate::terms::Pauli;

type WeightedString = (Vec<(usize, Pauli)>, Complex64);

/// Strings with their weights, in the order of the text. A weight that is left out is 1.
pub(super) fn parse(text: &str) -> Result<Vec<WeightedString>> {
    let mut terms = Vec::new();
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(terms);
    }
    while !rest.is_empty() || terms.is_empty() {
        let (head, tail) = rest.split_once('[').ok_or_else(|| fail(rest, "expected a string in [ ]"))?;
        let (string, tail) = tail.split_once(']').ok_or_else(|| fail(rest, "a [ has no ]"))?;
        let weight = parse_weight(head, terms.is_empty())?;
        let string = string.split_whitespace().map(parse_factor).collect::<Result<Vec<_>>>()?;
        terms.push((string, weight));
        rest = tail.trim();
    }
    Ok(terms)
}

fn fail(text: &str, reason: &str) -> Error {
    Error::Parse { text: text.to_owned(), reason: reason.to_owned() }
}

fn parse_factor(text: &str) -> Result<(usize, Pauli)> {
    let mut letters = text.chars();
    let pauli = match letters.next() {
        Some('X') => Pauli::X,
        Some('Y') => Pauli::Y,
        Some('Z') => Pauli::Z,
        _ => return Err(fail(text, "expected X, Y or Z and the number of a qubit")),
    };
    let digits = letters.as_str();
    match digits.parse() {
        Ok(qubit) if digits.starts_with(|c: char| c.is_ascii_digit()) => Ok((qubit, pauli)),
        _ => Err(fail(text, "expected the number of a qubit after the letter")),
    }
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
