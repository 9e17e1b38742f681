//! Products of site operators, and of sums that are not multiplied out.

use std::fmt;
use std::sync::Arc;

use num_complex::Complex64;
use smallvec::SmallVec;

use super::Expression;
use super::site_operator::SiteOperator;

/// Two sums are multiplied out if they give at most this many products.
pub(super) const MAX_MULTIPLIED_OUT: usize = 4096;
/// Powers of sums stand in each other at most this deep, since they are read by recursion.
pub(super) const MAX_DEPTH: usize = 256;

/// A coefficient times a product, whose factors act right to left.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) coefficient: Complex64,
    pub(super) factors: SmallVec<[Factor; 4]>,
}

#[derive(Clone, Debug)]
pub(super) enum Factor {
    Site(SiteOperator),
    /// A sum to a power, which would have too many products if it were multiplied out.
    Power(Arc<Power>),
}

#[derive(Debug)]
pub(super) struct Power {
    pub(super) base: Expression,
    pub(super) exponent: u32,
    depth: usize,
}

impl Product {
    pub(super) fn of(factor: Factor) -> Self {
        Product { coefficient: Complex64::ONE, factors: SmallVec::from_iter([factor]) }
    }

    pub(super) fn adjoint(&self) -> Self {
        Product {
            coefficient: self.coefficient.conj(),
            factors: self.factors.iter().rev().map(Factor::adjoint).collect(),
        }
    }

    pub(super) fn times(&self, right: &Self) -> Self {
        let mut factors = self.factors.clone();
        factors.extend(right.factors.iter().cloned());
        Product { coefficient: self.coefficient * right.coefficient, factors }
    }
}

impl Factor {
    /// A sum to a power as one factor; `None` if powers stand in it too deep.
    pub(super) fn power(base: &Expression, exponent: u32) -> Option<Self> {
        let factors = base.products.iter().flat_map(|product| &product.factors);
        let inner = factors.map(|factor| match factor {
            Factor::Site(_) => 0,
            Factor::Power(power) => power.depth,
        });
        let depth = inner.max().unwrap_or(0) + 1;
        let is_read = depth <= MAX_DEPTH && !base.too_deep;
        is_read.then(|| Factor::Power(Arc::new(Power { base: base.clone(), exponent, depth })))
    }

    fn adjoint(&self) -> Self {
        match self {
            Factor::Site(operator) => Factor::Site(operator.adjoint()),
            Factor::Power(power) => {
                let Power { exponent, depth, .. } = **power;
                Factor::Power(Arc::new(Power { base: power.base.adjoint(), exponent, depth }))
            }
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = self.coefficient == Complex64::ONE && !self.factors.is_empty();
        match self.coefficient {
            _ if one => {}
            Complex64 { re, im: 0.0 } => write!(f, "{re}")?,
            coefficient => write!(f, "({coefficient})")?,
        }
        for (k, factor) in self.factors.iter().enumerate() {
            write!(f, "{}{factor}", if one && k == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Factor::Site(operator) => operator.fmt(f),
            Factor::Power(power) if power.exponent == 1 => write!(f, "({})", power.base),
            Factor::Power(power) => write!(f, "({})^{}", power.base, power.exponent),
        }
    }
}
