//! An operator as a sum of terms on a space.

use std::sync::Arc;

use super::coefficient::{Coefficient, Owner, ParameterHandle, ParameterId};
use super::fermion::{FermionString, Ladder};
use super::local::{LocalMatrix, LocalTerm};
use super::pauli::{Pauli, PauliString};
use super::product_term::ProductTerm;
use super::site_matrix::SiteMatrix;
use super::term::{Term, TermKind};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::parameters::{ParameterValue, Parameters};

/// An operator under construction: a Hilbert space, parameters, and a sum of terms.
///
/// Every method checks its input, so the terms are always valid on their space.
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
#[derive(Clone, Debug)]
pub struct Terms {
    owner: Owner,
    pub(super) hilbert: HilbertSpace,
    pub(super) parameters: Parameters,
    pub(super) terms: Vec<Term>,
}

impl Terms {
    /// The zero operator on `hilbert`: no terms.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Self {
        Self::from_parts(hilbert.into(), Parameters::new(), Vec::new())
    }

    /// The Hilbert space.
    pub fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    /// The parameters with their initial values.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there are no terms.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms in the order in which they were added.
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
        Ok(ParameterHandle { owner: self.owner, start, len, scalar })
    }

    /// Adds `coefficient · matrix` on `sites`.
    ///
    /// The first site is the most significant digit of the matrix index. Local states are in the order of the
    /// Hilbert space. `matrix[[row of x, column of x']]` is `<x|O|x'>`. Terms with the same [`LocalMatrix`]
    /// share its memory. On fermion modes, too, the matrix is between occupation numbers as they are: it holds its
    /// signs itself.
    ///
    /// # Errors
    /// [`Error::SiteOutOfRange`], [`Error::RepeatedSite`], [`Error::MatrixShape`], [`Error::NotFinite`],
    /// [`Error::ForeignParameter`].
    pub fn local(
        &mut self,
        coefficient: impl Into<Coefficient>,
        sites: &[usize],
        matrix: impl Into<LocalMatrix>,
    ) -> Result<&mut Self> {
        let term = LocalTerm::new(&self.hilbert, sites, matrix.into())?;
        self.push(coefficient.into(), TermKind::Local(term))
    }

    /// Adds `coefficient ·` a product of sparse matrices on distinct sites. Unlike the matrix of
    /// [`local`](Self::local), it stays small on sites of many local states.
    ///
    /// A hop of bosons, of which 100 fit on a site:
    ///
    /// ```
    /// use num_complex::Complex64;
    /// use operator_core::{Definition, hilbert::Fock, terms::{SiteMatrix, Terms}};
    /// let mut hop = Terms::new(Fock::new(100, 2)?);
    /// let lower = SiteMatrix::new(101, (1..101).map(|n| (n - 1, n, Complex64::from((n as f64).sqrt()))));
    /// let raise = SiteMatrix::new(101, (1..101).map(|n| (n, n - 1, Complex64::from((n as f64).sqrt()))));
    /// hop.product(-1.0, &[(0, raise.clone()), (1, lower.clone())])?;
    /// hop.product(-1.0, &[(0, lower), (1, raise)])?;
    /// assert_eq!(Definition::new("hop", hop)?.max_conn_size(), 2);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::SiteOutOfRange`], [`Error::RepeatedSite`], [`Error::MatrixShape`], [`Error::NotFinite`].
    pub fn product(
        &mut self,
        coefficient: impl Into<Coefficient>,
        factors: &[(usize, SiteMatrix)],
    ) -> Result<&mut Self> {
        let product = ProductTerm::new(&self.hilbert, factors)?;
        self.push(coefficient.into(), TermKind::Product(product))
    }

    /// Adds `coefficient ·` a product of Pauli matrices on distinct sites, spins 1/2 or qubits.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] if a site is a fermion mode or does not have two levels;
    /// [`Error::SiteOutOfRange`], [`Error::RepeatedSite`], [`Error::NotFinite`], [`Error::ForeignParameter`].
    pub fn pauli(
        &mut self,
        coefficient: impl Into<Coefficient>,
        paulis: &[(usize, Pauli)],
    ) -> Result<&mut Self> {
        let string = PauliString::new(&self.hilbert, paulis)?;
        self.push(coefficient.into(), TermKind::Pauli(string))
    }

    /// Adds `coefficient ·` a product of Pauli matrices on distinct two-level sites, on fermion modes too.
    ///
    /// On a mode they act between the occupation numbers as on the states of a qubit: Z is 1 − 2n, and X fills or
    /// empties the mode without a Jordan-Wigner sign. [`to_pauli_strings`](Self::to_pauli_strings) gives such
    /// strings.
    ///
    /// # Errors
    /// As [`pauli`](Self::pauli), but for the fermion modes.
    pub fn pauli_on_occupations(
        &mut self,
        coefficient: impl Into<Coefficient>,
        paulis: &[(usize, Pauli)],
    ) -> Result<&mut Self> {
        let string = PauliString::on_occupations(&self.hilbert, paulis)?;
        self.push(coefficient.into(), TermKind::Pauli(string))
    }

    /// Adds `coefficient ·` a string of creation and annihilation operators, which act right to left.
    ///
    /// On a tensor product, modes are numbered like the sites of the whole space. Operators of different
    /// factors commute, even if both are fermionic.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] if a site is not a fermion mode, [`Error::SiteOutOfRange`],
    /// [`Error::NotFinite`], [`Error::ForeignParameter`].
    pub fn fermion(&mut self, coefficient: impl Into<Coefficient>, string: &[Ladder]) -> Result<&mut Self> {
        let string = FermionString::new(&self.hilbert, string)?;
        self.push(coefficient.into(), TermKind::Fermion(string))
    }

    pub(crate) fn push(&mut self, coefficient: Coefficient, kind: TermKind) -> Result<&mut Self> {
        let parameter = coefficient.parameter.map(|id| self.own(id, &kind)).transpose()?;
        self.terms.push(Term::new(Coefficient { parameter, ..coefficient }, kind)?);
        Ok(self)
    }

    /// A parameter as a term of these terms holds it.
    fn own(&self, id: ParameterId, kind: &TermKind) -> Result<ParameterId> {
        let n_values = self.parameters.n_values();
        let foreign = || Error::ForeignParameter { term: kind.to_string(), index: id.index(), n_values };
        id.held_by(self.owner, n_values).ok_or_else(foreign)
    }

    pub(crate) fn from_parts(hilbert: HilbertSpace, parameters: Parameters, terms: Vec<Term>) -> Self {
        Terms { owner: Owner::new(), hilbert, parameters, terms }
    }

    pub(crate) fn into_parts(self) -> (HilbertSpace, Parameters, Arc<[Term]>) {
        (self.hilbert, self.parameters, self.terms.into())
    }
}

/// Equal if spaces, parameters and terms, in order, are equal.
impl PartialEq for Terms {
    fn eq(&self, other: &Self) -> bool {
        self.hilbert == other.hilbert && self.parameters == other.parameters && self.terms == other.terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
    use crate::terms::real_matrix;

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
