//! Named values of an operator, which may change after it is lowered.

use std::fmt;

use crate::error::{Error, Result};
use num_complex::Complex64;

/// A parameter's value: one number, or one number for each item (a site, a bond, a string).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue {
    /// One number.
    Scalar(f64),
    /// One number for each item.
    Array(Vec<f64>),
}

impl ParameterValue {
    /// The numbers, in order.
    pub fn as_slice(&self) -> &[f64] {
        match self {
            ParameterValue::Scalar(value) => std::slice::from_ref(value),
            ParameterValue::Array(values) => values,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [f64] {
        match self {
            ParameterValue::Scalar(value) => std::slice::from_mut(value),
            ParameterValue::Array(values) => values,
        }
    }
}

impl From<f64> for ParameterValue {
    fn from(value: f64) -> Self {
        ParameterValue::Scalar(value)
    }
}

impl From<Vec<f64>> for ParameterValue {
    fn from(values: Vec<f64>) -> Self {
        ParameterValue::Array(values)
    }
}

impl From<&[f64]> for ParameterValue {
    fn from(values: &[f64]) -> Self {
        ParameterValue::Array(values.to_vec())
    }
}

impl<const N: usize> From<[f64; N]> for ParameterValue {
    fn from(values: [f64; N]) -> Self {
        ParameterValue::Array(values.to_vec())
    }
}

/// An operator's dynamic data: named real numbers and arrays, in a fixed order.
///
/// Everything else about an operator is static. To pack an operator with new parameters of the same shape costs
/// one sparse matrix-vector product; nothing is lowered again.
///
/// ```
/// use operator_core::{Graph, Ising, Model, Boundary, hilbert::Spin};
/// let graph = Graph::chain(10, Boundary::Periodic)?;
/// let ising = Ising::new(Spin::half(10)?, &graph, 1.0, 0.5)?.definition()?;
/// let (mut parameters, structure) = ising.unpack();
/// parameters.set("h", 2.0)?;
/// let stronger = structure.pack(parameters)?;
/// assert_eq!(stronger.parameters().get("h")?, [2.0]);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    entries: Vec<(String, ParameterValue)>,
}

impl Parameters {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ParameterValue)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// The name of each value, in the order of [`to_vec`](Self::to_vec): `h` for a scalar, `J[0]`, `J[1]`, … for
    /// an array.
    pub fn value_names(&self) -> impl Iterator<Item = String> {
        self.iter().flat_map(|(name, value)| match value {
            ParameterValue::Scalar(_) => vec![name.to_owned()],
            ParameterValue::Array(values) => (0..values.len()).map(|k| format!("{name}[{k}]")).collect(),
        })
    }

    /// Total number of values; an array counts by its elements.
    pub fn n_values(&self) -> usize {
        self.entries.iter().map(|(_, value)| value.as_slice().len()).sum()
    }

    /// The values of one parameter.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`], with the known names.
    pub fn get(&self, name: &str) -> Result<&[f64]> {
        self.position(name).map(|k| self.entries[k].1.as_slice())
    }

    /// Replaces the values of one parameter.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`]; [`Error::ParameterLength`] if the number of values changes;
    /// [`Error::NotFinite`].
    pub fn set(&mut self, name: &str, value: impl Into<ParameterValue>) -> Result<()> {
        let k = self.position(name)?;
        let value = value.into();
        check_finite(name, value.as_slice())?;
        let (got, expected) = (value.as_slice().len(), self.entries[k].1.as_slice().len());
        if got != expected {
            return Err(Error::ParameterLength {
                name: name.to_owned(),
                got,
                expected: expected.to_string(),
            });
        }
        self.entries[k].1.as_mut_slice().copy_from_slice(value.as_slice());
        Ok(())
    }

    /// All values, one parameter after another, in order.
    pub fn to_vec(&self) -> Vec<f64> {
        self.entries.iter().flat_map(|(_, value)| value.as_slice()).copied().collect()
    }

    /// The same parameters with other values, in the order of [`to_vec`](Self::to_vec).
    ///
    /// # Errors
    /// [`Error::Count`] if the number of values differs; [`Error::NotFinite`].
    pub fn with_values(&self, values: &[f64]) -> Result<Self> {
        if values.len() != self.n_values() {
            let expected = self.n_values().to_string();
            return Err(Error::Count { what: "parameter values".into(), got: values.len(), expected });
        }
        let mut out = self.clone();
        let mut rest = values;
        for (name, value) in &mut out.entries {
            let (head, tail) = rest.split_at(value.as_slice().len());
            check_finite(name, head)?;
            value.as_mut_slice().copy_from_slice(head);
            rest = tail;
        }
        Ok(out)
    }

    /// The positions of one parameter's values in [`to_vec`](Self::to_vec).
    ///
    /// # Errors
    /// [`Error::UnknownParameter`].
    pub fn range(&self, name: &str) -> Result<std::ops::Range<usize>> {
        let k = self.position(name)?;
        let start = self.entries[..k].iter().map(|(_, value)| value.as_slice().len()).sum();
        Ok(start..start + self.entries[k].1.as_slice().len())
    }

    /// Adds a parameter and returns the position of its first value in [`to_vec`](Self::to_vec).
    pub(crate) fn push(&mut self, name: &str, value: ParameterValue) -> Result<usize> {
        check_finite(name, value.as_slice())?;
        if self.names().any(|known| known == name) {
            return Err(Error::Parse {
                text: name.to_owned(),
                reason: "this operator has a parameter of that name already".into(),
            });
        }
        let start = self.n_values();
        self.entries.push((name.to_owned(), value));
        Ok(start)
    }

    /// Adds a parameter like [`push`](Self::push), under the first free name among `h`, `h_2`, `h_3`, …, where
    /// `h` is its name without such a suffix.
    pub(crate) fn push_renamed(&mut self, name: &str, value: ParameterValue) -> Result<usize> {
        let taken = |candidate: &str| self.names().any(|known| known == candidate);
        if !taken(name) {
            return self.push(name, value);
        }
        let base = match name.rsplit_once('_') {
            Some((base, suffix)) if !base.is_empty() && suffix.parse::<u32>().is_ok() => base,
            _ => name,
        };
        let mut k = 2usize;
        while taken(&format!("{base}_{k}")) {
            k += 1;
        }
        self.push(&format!("{base}_{k}"), value)
    }

    /// Whether names and lengths are the same; values may differ.
    pub(crate) fn same_shape(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|((a, x), (b, y))| a == b && x.as_slice().len() == y.as_slice().len())
    }

    fn position(&self, name: &str) -> Result<usize> {
        self.names().position(|known| known == name).ok_or_else(|| Error::UnknownParameter {
            name: name.to_owned(),
            known: match self.entries.len() {
                0 => "none".to_owned(),
                _ => self.names().collect::<Vec<_>>().join(", "),
            },
        })
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, (name, value)) in self.iter().enumerate() {
            let comma = if k == 0 { "" } else { ", " };
            match value {
                ParameterValue::Scalar(value) => write!(f, "{comma}{name} = {value}")?,
                ParameterValue::Array(values) if values.len() <= 4 => {
                    write!(f, "{comma}{name} = {values:?}")?;
                }
                ParameterValue::Array(values) => write!(f, "{comma}{name} = [{} values]", values.len())?,
            }
        }
        Ok(())
    }
}

fn check_finite(name: &str, values: &[f64]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => {
            Err(Error::NotFinite { what: format!("parameter {name:?}"), value: Complex64::new(value, 0.0) })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Parameters {
        let mut parameters = Parameters::new();
        parameters.push("h", 1.0.into()).unwrap();
        parameters.push("J", [1.0, 0.5].into()).unwrap();
        parameters
    }

    #[test]
    fn values_are_laid_out_in_order() {
        let parameters = two();
        assert_eq!(parameters.to_vec(), [1.0, 1.0, 0.5]);
        assert_eq!(parameters.value_names().collect::<Vec<_>>(), ["h", "J[0]", "J[1]"]);
        assert_eq!(parameters.range("J").unwrap(), 1..3);
        let other = parameters.with_values(&[3.0, 2.0, 1.0]).unwrap();
        assert_eq!(other.get("J").unwrap(), [2.0, 1.0]);
        assert_eq!(other.to_string(), "h = 3, J = [2.0, 1.0]");
    }

    #[test]
    fn bad_parameters_are_refused_with_the_value_and_the_remedy() {
        let mut parameters = two();
        let message = |error: Error| error.to_string();
        assert_eq!(
            message(parameters.set("U", 1.0).unwrap_err()),
            "no parameter \"U\"; this operator has h, J"
        );
        assert_eq!(
            message(parameters.set("J", 1.0).unwrap_err()),
            "parameter \"J\" has 1 values; expected 2"
        );
        assert_eq!(
            message(parameters.set("h", f64::NAN).unwrap_err()),
            "parameter \"h\" is NaN+0i; coefficients must be finite"
        );
        assert!(parameters.with_values(&[1.0]).is_err());
    }
}
