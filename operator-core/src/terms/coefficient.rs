//! The coefficients of terms: numbers and parameters.

use std::ops::{Mul, Neg};

use num_complex::Complex64;

use crate::error::{Error, Result};

/// One value of an operator's [`Parameters`](crate::Parameters), for use in coefficients: `-2.0 * h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParameterId(pub(super) u32);

impl ParameterId {
    /// Position of the value in [`Parameters::to_vec`](crate::Parameters::to_vec).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A parameter just added to [`Terms`](crate::terms::Terms): a scalar, or one value for each item.
#[derive(Clone, Copy, Debug)]
pub struct ParameterHandle {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) scalar: bool,
}

impl ParameterHandle {
    /// The value for item `k`: the `k`-th of an array, or the scalar for any `k`.
    ///
    /// # Errors
    /// [`Error::Count`] if the array is shorter.
    pub fn at(self, k: usize) -> Result<ParameterId> {
        if self.scalar {
            return Ok(ParameterId(self.start));
        }
        if k < self.len as usize {
            return Ok(ParameterId(self.start + k as u32));
        }
        Err(Error::Count {
            what: format!("parameter values, but item {k} was asked for"),
            got: self.len as usize,
            expected: format!("at least {}", k + 1),
        })
    }

    /// Checks that the parameter is a scalar or has one value for each of `n` items.
    ///
    /// # Errors
    /// [`Error::ParameterLength`] with `name`.
    pub fn one_or(self, n: usize, name: &str) -> Result<Self> {
        if self.scalar || self.len as usize == n {
            return Ok(self);
        }
        Err(Error::ParameterLength { name: name.to_owned(), got: self.len as usize, expected: n })
    }
}

/// Factor of a term: a constant, or a constant times a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    pub(crate) factor: Complex64,
    pub(crate) parameter: Option<ParameterId>,
}

impl Coefficient {
    /// The constant.
    pub fn factor(self) -> Complex64 {
        self.factor
    }

    /// The parameter that multiplies it, if any.
    pub fn parameter(self) -> Option<ParameterId> {
        self.parameter
    }

    /// The coefficient times a number.
    pub(crate) fn scaled(self, factor: Complex64) -> Self {
        // A product with 1 would turn an infinite factor into NaN.
        let factor = if factor == Complex64::ONE { self.factor } else { self.factor * factor };
        Coefficient { factor, ..self }
    }
}

impl From<f64> for Coefficient {
    fn from(factor: f64) -> Self {
        Complex64::new(factor, 0.0).into()
    }
}

impl From<Complex64> for Coefficient {
    fn from(factor: Complex64) -> Self {
        Coefficient { factor, parameter: None }
    }
}

impl From<ParameterId> for Coefficient {
    fn from(parameter: ParameterId) -> Self {
        Coefficient { factor: Complex64::new(1.0, 0.0), parameter: Some(parameter) }
    }
}

impl Mul<ParameterId> for f64 {
    type Output = Coefficient;
    fn mul(self, parameter: ParameterId) -> Coefficient {
        Complex64::new(self, 0.0) * parameter
    }
}

impl Mul<ParameterId> for Complex64 {
    type Output = Coefficient;
    fn mul(self, parameter: ParameterId) -> Coefficient {
        Coefficient { factor: self, parameter: Some(parameter) }
    }
}

impl Neg for ParameterId {
    type Output = Coefficient;
    fn neg(self) -> Coefficient {
        -1.0 * self
    }
}
