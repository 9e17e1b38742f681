//! One term: a coefficient times a matrix or a string.

use std::fmt;

use super::coefficient::Coefficient;
use super::fermion::FermionString;
use super::local::LocalTerm;
use super::pauli::PauliString;
use super::product_term::ProductTerm;
use super::site_matrices::real_matrix;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;

/// One term of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub(crate) coefficient: Coefficient,
    pub(crate) kind: TermKind,
}

impl Term {
    /// A term whose coefficient is finite.
    pub(super) fn new(coefficient: Coefficient, kind: TermKind) -> Result<Self> {
        if coefficient.factor.is_finite() {
            return Ok(Term { coefficient, kind });
        }
        Err(Error::NotFinite { what: format!("coefficient of {kind}"), value: coefficient.factor })
    }

    /// Its coefficient.
    pub fn coefficient(&self) -> Coefficient {
        self.coefficient
    }

    /// What the coefficient multiplies.
    pub fn kind(&self) -> &TermKind {
        &self.kind
    }
}

/// The families of terms.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TermKind {
    /// A matrix on a few sites.
    Local(LocalTerm),
    /// A product of sparse matrices on single sites.
    Product(ProductTerm),
    /// A string of Pauli matrices on two-level sites.
    Pauli(PauliString),
    /// A string of fermion operators.
    Fermion(FermionString),
}

impl TermKind {
    /// The term with its family, for messages.
    pub(crate) fn described(&self) -> String {
        match self {
            TermKind::Local(_) | TermKind::Product(_) => self.to_string(),
            TermKind::Pauli(string) => format!("Pauli string {string}"),
            TermKind::Fermion(string) => format!("fermion string {string}"),
        }
    }

    /// The identity, in the family that suits the space.
    pub(crate) fn identity(hilbert: &HilbertSpace) -> Self {
        if hilbert.is_fermionic() {
            TermKind::Fermion(FermionString::from_ladders(Vec::new()))
        } else if hilbert.is_two_level() {
            TermKind::Pauli(PauliString::default())
        } else {
            TermKind::Local(LocalTerm::from_parts(Vec::new(), real_matrix([[1.0]])))
        }
    }

    /// The largest absolute value of a matrix element.
    pub(crate) fn largest_element(&self) -> f64 {
        match self {
            TermKind::Local(local) => local.matrix().iter().map(|z| z.norm()).fold(0.0, f64::max),
            TermKind::Product(product) => {
                product.factors().iter().map(|(_, matrix)| matrix.largest()).product()
            }
            TermKind::Pauli(_) | TermKind::Fermion(_) => 1.0,
        }
    }

    /// Whether the term acts on no site, so that it only shifts the energy.
    pub(crate) fn is_number(&self) -> bool {
        match self {
            TermKind::Local(local) => local.sites().is_empty(),
            TermKind::Product(product) => product.factors().is_empty(),
            TermKind::Pauli(string) => string.is_identity(),
            TermKind::Fermion(string) => string.ladders().is_empty(),
        }
    }
}

impl From<LocalTerm> for TermKind {
    fn from(term: LocalTerm) -> Self {
        TermKind::Local(term)
    }
}

impl fmt::Display for TermKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TermKind::Local(term) => term.fmt(f),
            TermKind::Product(term) => term.fmt(f),
            TermKind::Pauli(string) => string.fmt(f),
            TermKind::Fermion(string) => string.fmt(f),
        }
    }
}
