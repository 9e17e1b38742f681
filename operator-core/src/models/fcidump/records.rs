//! The lines after the header: a value and four orbitals each.

use num_complex::Complex64;

use super::lines::{Line, Real, fields, real, without_comment};
use crate::error::Result;

/// A line: a value, and orbitals that count from 1, or are 0 where there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) value: Complex64,
    /// What the value's last digit counts.
    pub(super) unit: f64,
    /// Number of its significant digits.
    pub(super) digits: usize,
    pub(super) orbitals: [usize; 4],
}

/// What a line is, by its orbitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    TwoBody,
    OneBody,
    /// Not part of the Hamiltonian.
    OrbitalEnergy,
    Core,
}

impl Record {
    pub(super) fn kind(&self) -> Kind {
        match self.orbitals {
            [0, ..] => Kind::Core,
            [_, 0, ..] => Kind::OrbitalEnergy,
            [_, _, 0, _] => Kind::OneBody,
            _ => Kind::TwoBody,
        }
    }
}

/// Reads all lines with their comments removed; empty ones are left out.
pub(super) fn read<'a>(lines: impl Iterator<Item = Line<'a>>, n_orbitals: usize) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for line in lines {
        let text = without_comment(line.text).trim();
        if text.is_empty() {
            continue;
        }
        let (Value { value, unit, digits }, orbitals) = match text.strip_prefix('(') {
            Some(text) => in_brackets(line, text)?,
            None => in_columns(line, text)?,
        };
        let orbitals = read_orbitals(line, &orbitals, n_orbitals)?;
        records.push(Record { line: line.number, value, unit, digits, orbitals });
    }
    Ok(records)
}

/// The value of a line.
struct Value {
    value: Complex64,
    unit: f64,
    digits: usize,
}

impl Value {
    fn real(re: Real) -> Self {
        Value { value: re.value.into(), unit: re.unit, digits: re.digits }
    }

    fn complex(re: Real, im: Real) -> Self {
        let (unit, digits) = (re.unit.max(im.unit), re.digits.max(im.digits));
        Value { value: Complex64::new(re.value, im.value), unit, digits }
    }
}

fn number(line: Line<'_>, text: &str) -> Result<Real> {
    real(text).ok_or_else(|| line.error(format!("{text:?} is not a finite number")))
}

/// `re, im) i j k l`
fn in_brackets<'a>(line: Line<'a>, text: &'a str) -> Result<(Value, Vec<&'a str>)> {
    let Some((value, orbitals)) = text.split_once(')') else {
        return Err(line.error("a ( has no )"));
    };
    let parts = fields(value).ok().filter(|parts| parts.len() == 2);
    let Some([re, im]) = parts.as_deref() else {
        return Err(line.error(format!("({value}) is no complex number; expected (re, im)")));
    };
    let (re, im) = (number(line, re)?, number(line, im)?);
    let orbitals = orbitals.trim_start();
    let orbitals = orbitals.strip_prefix(',').unwrap_or(orbitals);
    let orbitals = fields(orbitals).map_err(|reason| line.error(reason))?;
    if orbitals.len() != 4 {
        return Err(line.error(format!("{} orbitals after the value; expected four", orbitals.len())));
    }
    Ok((Value::complex(re, im), orbitals))
}

/// `re i j k l` or `re im i j k l`
fn in_columns<'a>(line: Line<'a>, text: &'a str) -> Result<(Value, Vec<&'a str>)> {
    let fields = fields(text).map_err(|reason| line.error(reason))?;
    let expected = "expected a value and four orbitals";
    match fields.as_slice() {
        [re, orbitals @ ..] if orbitals.len() == 4 => {
            let re = number(line, re)?;
            Ok((Value::real(re), orbitals.to_vec()))
        }
        [re, im, orbitals @ ..] if orbitals.len() == 4 => {
            let (re, im) = (number(line, re)?, number(line, im)?);
            // A whole number is an orbital, and something else is left over.
            if im.is_whole && im.value != 0.0 {
                return Err(line.error(format!("6 numbers; {expected}, or re, im and four orbitals")));
            }
            Ok((Value::complex(re, im), orbitals.to_vec()))
        }
        fields => Err(line.error(format!("{} numbers; {expected}", fields.len()))),
    }
}

fn read_orbitals(line: Line<'_>, fields: &[&str], n_orbitals: usize) -> Result<[usize; 4]> {
    let mut orbitals = [0; 4];
    for (orbital, field) in orbitals.iter_mut().zip(fields) {
        *orbital = field.parse().ok().filter(|&orbital| orbital <= n_orbitals).ok_or_else(|| {
            line.error(format!("orbital {field:?}; expected 0 to {n_orbitals}, which is NORB"))
        })?;
    }
    match orbitals {
        [0, 0, 0, 0] | [_, 0, 0, 0] => Ok(orbitals),
        [i, j, k, l] if i > 0 && j > 0 && (k > 0) == (l > 0) => Ok(orbitals),
        _ => Err(line.error("orbitals 0 stand at the end, all four, three or two of them")),
    }
}
