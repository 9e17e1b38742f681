//! Terms on some of the factors of a tensor product.

use std::ops::Range;

use super::{FermionString, Ladder, LocalTerm, PauliString, Term, TermKind, Terms};
use crate::bits;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;

impl Terms {
    /// The same operator on a tensor product, `1 ⊗ … ⊗ A ⊗ … ⊗ 1`, where its own space stands for the
    /// factors from number `first` on. Parameters stay parameters.
    ///
    /// ```
    /// use operator_core::hilbert::{Fock, HilbertSpace, Qubit};
    /// use operator_core::terms::{Pauli, Terms};
    /// let mut flip = Terms::new(Qubit::new(2)?);
    /// flip.pauli(1.0, &[(1, Pauli::X)])?;
    /// let space = HilbertSpace::tensor([HilbertSpace::from(Fock::new(3, 4)?), Qubit::new(2)?.into()])?;
    /// let embedded = flip.embedded(&space, 1)?;
    /// assert_eq!(embedded.iter().next().map(|term| term.kind.to_string()), Some("X5".into()));
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`HilbertSpace::sites_of`].
    pub fn embedded(&self, hilbert: &HilbertSpace, first: usize) -> Result<Terms> {
        let shift = hilbert.sites_of(&self.hilbert, first)?.start;
        let n_words = bits::n_words(hilbert.n_sites());
        let terms = self.terms.iter().map(|Term { coefficient, kind }| {
            let kind = match kind {
                TermKind::Local(local) => {
                    let sites = local.sites().iter().map(|site| site + shift).collect();
                    TermKind::Local(LocalTerm::from_parts(sites, local.shared_matrix().clone()))
                }
                TermKind::Pauli(string) => {
                    let (paulis, identity) = (string.paulis().into_iter(), PauliString::identity(n_words));
                    let shifted = |string: PauliString, (site, pauli)| string.with(site + shift, Some(pauli));
                    TermKind::Pauli(paulis.fold(identity, shifted))
                }
                TermKind::Fermion(string) => {
                    let ladders = string.ladders().iter();
                    let ladders = ladders.map(|ladder| Ladder { mode: ladder.mode + shift, ..*ladder });
                    TermKind::Fermion(FermionString::from_ladders(ladders.collect()))
                }
            };
            Term { coefficient: *coefficient, kind }
        });
        let terms = terms.collect();
        Ok(Terms::from_parts(hilbert.clone(), self.parameters.clone(), terms))
    }
}

impl HilbertSpace {
    /// The sites of another space that stands for the factors of this one from number `first` on.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] if these factors are others, or are not there.
    pub fn sites_of(&self, part: &HilbertSpace, first: usize) -> Result<Range<usize>> {
        let start = self.factors().iter().take(first).map(HilbertSpace::n_sites).sum();
        let own = self.factors().get(first..).unwrap_or_default();
        match own.starts_with(part.factors()) {
            true => Ok(start..start + part.n_sites()),
            false => Err(Error::HilbertMismatch {
                left: part.to_string(),
                right: format!("the factors from number {first} on of {self}"),
            }),
        }
    }
}
