//! How operators are written: sums of terms, each a coefficient times a string or a local matrix.
//!
//! Three families of terms cover what lattice Hamiltonians are made of:
//! a matrix on a few sites of any local dimension ([`Terms::local`]), a string of Pauli matrices
//! ([`Terms::pauli`]), and a string of fermion creation and annihilation operators ([`Terms::fermion`]).
//! A coefficient is a constant, or a constant times one of the operator's parameters.

mod adjoint;
mod algebra;
mod collect;
mod convert;
mod embed;
mod equivalent;
mod fermion;
mod local;
mod normal_order;
mod pauli;
mod product;
mod tensor;

use std::fmt;
use std::ops::{Mul, Neg};
use std::sync::Arc;

use ndarray::Array2;
use num_complex::Complex64;

pub(crate) use collect::Collector;
pub(crate) use convert::check_n_strings;
pub use convert::jordan_wigner;
pub(crate) use embed::checked_dim;
pub use fermion::{FermionString, Ladder};
pub use local::{LocalMatrix, LocalTerm};
pub use pauli::{Pauli, PauliString};
pub(crate) use product::multiply;

use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::parameters::{ParameterValue, Parameters};

/// One value of an operator's [`Parameters`], to be used in coefficients: `-2.0 * h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParameterId(u32);

impl ParameterId {
    /// Position of the value in [`Parameters::to_vec`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A parameter just added to [`Terms`]: one value, or one an item.
#[derive(Clone, Copy, Debug)]
pub struct ParameterHandle {
    start: u32,
    len: u32,
    scalar: bool,
}

impl ParameterHandle {
    /// The value for item `k`: the `k`-th of an array, or the scalar whatever `k`.
    ///
    /// # Errors
    /// [`Error::Count`] if the array is shorter.
    pub fn at(self, k: usize) -> Result<ParameterId> {
        match k < self.len as usize {
            _ if self.scalar => Ok(ParameterId(self.start)),
            true => Ok(ParameterId(self.start + k as u32)),
            false => Err(Error::Count {
                what: format!("parameter values, but item {k} was asked for"),
                got: self.len as usize,
                expected: format!("at least {}", k + 1),
            }),
        }
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
    /// The constant.
    pub factor: Complex64,
    /// The parameter that multiplies it, if any.
    pub parameter: Option<ParameterId>,
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

/// One term of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Its coefficient.
    pub coefficient: Coefficient,
    /// What it multiplies.
    pub kind: TermKind,
}

/// The families of terms.
#[derive(Clone, Debug, PartialEq)]
pub enum TermKind {
    /// A matrix on a few sites.
    Local(LocalTerm),
    /// A string of Pauli matrices on two-level sites.
    Pauli(PauliString),
    /// A string of fermion operators.
    Fermion(FermionString),
}

impl fmt::Display for TermKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TermKind::Local(term) => term.fmt(f),
            TermKind::Pauli(string) => string.fmt(f),
            TermKind::Fermion(string) => string.fmt(f),
        }
    }
}

/// An operator while it is written: a Hilbert space, parameters, and a sum of terms.
///
/// Every method checks what it is given, so finished terms are valid on their space.
///
/// ```
/// use operator_core::{hilbert::Spin, terms::{Pauli, Terms}};
/// let mut terms = Terms::new(Spin::half(3)?);
/// let h = terms.parameter("h", 0.5)?.at(0)?;
/// terms.pauli(-h, &[(0, Pauli::X)])?;
/// terms.pauli(1.0, &[(0, Pauli::Z), (1, Pauli::Z)])?;
/// assert_eq!(terms.len(), 2);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    hilbert: HilbertSpace,
    parameters: Parameters,
    terms: Vec<Term>,
}

impl Terms {
    /// No terms on `hilbert`: the operator 0.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Self {
        Terms { hilbert: hilbert.into(), parameters: Parameters::new(), terms: Vec::new() }
    }

    /// The Hilbert space.
    pub fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    /// The parameters with the values they were added with.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms in the order they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Term> {
        self.terms.iter()
    }

    /// Adds a named parameter, a scalar or an array.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Parse`] if the name is taken.
    pub fn parameter(&mut self, name: &str, value: impl Into<ParameterValue>) -> Result<ParameterHandle> {
        let value = value.into();
        let (len, scalar) = (value.as_slice().len() as u32, matches!(value, ParameterValue::Scalar(_)));
        let start = self.parameters.push(name, value)? as u32;
        Ok(ParameterHandle { start, len, scalar })
    }

    /// Adds `coefficient · matrix` on `sites`.
    ///
    /// The first site is the most significant digit of the matrix index; local states are in the order of
    /// the Hilbert space; `matrix[[row of x, column of x']]` is `<x|O|x'>`. Terms that share one
    /// [`LocalMatrix`] share its memory.
    ///
    /// # Errors
    /// [`Error::SiteOutOfRange`], [`Error::RepeatedSite`], [`Error::MatrixShape`], [`Error::NotFinite`].
    pub fn local(
        &mut self,
        coefficient: impl Into<Coefficient>,
        sites: &[usize],
        matrix: impl Into<LocalMatrix>,
    ) -> Result<&mut Self> {
        let term = LocalTerm::new(&self.hilbert, sites, matrix.into())?;
        self.push(coefficient.into(), TermKind::Local(term))
    }

    /// Adds `coefficient ·` a product of Pauli matrices, each on a site of its own.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] if a site is not a two-level one, [`Error::SiteOutOfRange`],
    /// [`Error::RepeatedSite`], [`Error::NotFinite`].
    pub fn pauli(
        &mut self,
        coefficient: impl Into<Coefficient>,
        paulis: &[(usize, Pauli)],
    ) -> Result<&mut Self> {
        let string = PauliString::new(&self.hilbert, paulis)?;
        self.push(coefficient.into(), TermKind::Pauli(string))
    }

    /// Adds `coefficient ·` a string of creation and annihilation operators, which act right to left.
    ///
    /// On a tensor product modes are numbered as sites of the whole space. They commute with the operators of
    /// all other factors, other fermions included.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] if a site is not a fermion mode, [`Error::SiteOutOfRange`],
    /// [`Error::NotFinite`].
    pub fn fermion(&mut self, coefficient: impl Into<Coefficient>, string: &[Ladder]) -> Result<&mut Self> {
        let string = FermionString::new(&self.hilbert, string)?;
        self.push(coefficient.into(), TermKind::Fermion(string))
    }

    pub(crate) fn push(&mut self, coefficient: Coefficient, kind: TermKind) -> Result<&mut Self> {
        if !coefficient.factor.is_finite() {
            return Err(Error::NotFinite {
                what: format!("coefficient of {kind}"),
                value: coefficient.factor,
            });
        }
        self.terms.push(Term { coefficient, kind });
        Ok(self)
    }

    pub(crate) fn from_parts(hilbert: HilbertSpace, parameters: Parameters, terms: Vec<Term>) -> Self {
        Terms { hilbert, parameters, terms }
    }

    pub(crate) fn into_parts(self) -> (HilbertSpace, Parameters, Arc<[Term]>) {
        (self.hilbert, self.parameters, self.terms.into())
    }
}

/// Checks that `sites` exist and are distinct.
fn check_sites(hilbert: &HilbertSpace, sites: &[usize], term: &dyn Fn() -> String) -> Result<()> {
    let n_sites = hilbert.n_sites();
    if let Some(&site) = sites.iter().find(|&&site| site >= n_sites) {
        return Err(Error::SiteOutOfRange { term: term(), site, n_sites, hilbert: hilbert.to_string() });
    }
    let mut sorted = sites.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::RepeatedSite { term: term(), site: pair[0] }),
        None => Ok(()),
    }
}

/// Square matrix from rows of real numbers, for short definitions of models.
pub fn real_matrix<const N: usize>(rows: [[f64; N]; N]) -> Array2<Complex64> {
    Array2::from_shape_fn((N, N), |(r, c)| Complex64::new(rows[r][c], 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};

    fn message<T>(result: Result<T>) -> String {
        result.err().expect("an error").to_string()
    }

    #[test]
    fn bad_terms_are_refused_with_the_value_and_the_remedy() {
        let mut terms = Terms::new(Qubit::new(4).unwrap());
        assert_eq!(
            message(terms.pauli(1.0, &[(7, Pauli::X)]).map(|_| ())),
            "Pauli string X7 acts on site 7; Qubit(4) has sites 0 to 3"
        );
        assert_eq!(
            message(terms.pauli(1.0, &[(1, Pauli::X), (1, Pauli::Z)]).map(|_| ())),
            "Pauli string X1 Z1 lists site 1 twice; multiply the matrices of that site first"
        );
        assert_eq!(
            message(terms.pauli(f64::NAN, &[(1, Pauli::X)]).map(|_| ())),
            "coefficient of X1 is NaN+0i; coefficients must be finite"
        );
        assert_eq!(
            message(terms.local(1.0, &[0, 2], real_matrix([[1.0, 0.0], [0.0, 1.0]])).map(|_| ())),
            "matrix on sites [0, 2] is 2 x 2; the local dimensions ask for 4 x 4"
        );
        assert_eq!(
            message(terms.local(1.0, &[0], real_matrix([[1.0, f64::INFINITY], [0.0, 1.0]])).map(|_| ())),
            "element (0, 1) of the matrix on sites [0] is inf+0i; coefficients must be finite"
        );
        assert_eq!(
            message(terms.fermion(1.0, &[Ladder::create(0)]).map(|_| ())),
            "fermion string 0^ does not act on Qubit(4): its sites are not fermion modes"
        );
        let mut terms = Terms::new(Fock::new(3, 2).unwrap());
        assert_eq!(
            message(terms.pauli(1.0, &[(0, Pauli::X)]).map(|_| ())),
            "Pauli string X0 does not act on Fock(n_max = 3, 2 sites): Pauli matrices need two local states a site"
        );
        let mut terms = Terms::new(SpinOrbitalFermions::new(3).unwrap());
        assert!(message(terms.fermion(1.0, &[Ladder::create(3)]).map(|_| ())).contains("acts on site 3"));
        let two = HilbertSpace::tensor(vec![SpinOrbitalFermions::new(2).unwrap(); 2]).unwrap();
        let mut terms = Terms::new((two * Fock::new(2, 1).unwrap()).unwrap());
        assert!(
            message(terms.fermion(1.0, &[Ladder::create(1), Ladder::destroy(4)]).map(|_| ()))
                .ends_with("its sites are not fermion modes")
        );
        let mut terms = Terms::new(Spin::half(2).unwrap());
        terms.parameter("h", 1.0).unwrap();
        assert!(terms.parameter("h", 1.0).is_err());
        assert!(terms.parameter("J", [1.0, 2.0]).unwrap().at(2).is_err());
    }
}
