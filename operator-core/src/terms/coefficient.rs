//! The coefficients of terms: numbers and parameters.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::ops::{Mul, Neg};
use std::sync::atomic::{AtomicU32, Ordering};

use num_complex::Complex64;

use crate::error::{Error, Result};

/// One value of an operator's [`Parameters`](crate::Parameters), for use in coefficients: `-2.0 * h`.
///
/// Two are equal if they have the same [`index`](Self::index).
#[derive(Clone, Copy, Debug)]
pub struct ParameterId {
    index: u32,
    /// The terms that it is a parameter of, until a term of theirs holds it.
    owner: Option<Owner>,
}

impl ParameterId {
    /// A value of the terms that hold this.
    pub(super) fn new(index: u32) -> Self {
        ParameterId { index, owner: None }
    }

    /// Position of the value in [`Parameters::to_vec`](crate::Parameters::to_vec).
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The value in a term of `owner`, which has `n_values` values; `None` if it is not a parameter of them.
    pub(super) fn held_by(self, owner: Owner, n_values: usize) -> Option<Self> {
        let known = self.owner.is_none_or(|own| own == owner) && self.index() < n_values;
        known.then_some(ParameterId::new(self.index))
    }
}

impl PartialEq for ParameterId {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl Eq for ParameterId {}

impl Hash for ParameterId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

/// Tells [`Terms`](crate::terms::Terms) apart, so that a parameter of one is not taken for one of another. Clones
/// have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Owner(NonZeroU32);

impl Owner {
    /// One that no other terms have, up to 2³² of them.
    pub(super) fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Owner(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
    }
}

/// A parameter just added to [`Terms`](crate::terms::Terms): a scalar, or one value for each item.
#[derive(Clone, Copy, Debug)]
pub struct ParameterHandle {
    pub(super) owner: Owner,
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
        let id = |index: u32| ParameterId { index, owner: Some(self.owner) };
        if self.scalar {
            return Ok(id(self.start));
        }
        if k < self.len as usize {
            return Ok(id(self.start + k as u32));
        }
        Err(Error::Count {
            what: format!("parameter values, but item {k} was asked for"),
            got: self.len as usize,
            expected: format!("at least {}", k.saturating_add(1)),
        })
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
