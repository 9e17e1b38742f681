//! Extends terms to a tensor product.

use super::{FermionString, Ladder, LocalTerm, PauliString, Term, TermKind, Terms};
use crate::error::Result;
use crate::hilbert::HilbertSpace;

impl Terms {
    /// The same operator on a tensor product, `1 ⊗ … ⊗ A ⊗ … ⊗ 1`. Its own space must match consecutive
    /// factors, starting with number `first`. Parameters stay parameters.
    ///
    /// ```
    /// use operator_core::hilbert::{Fock, HilbertSpace, Qubit};
    /// use operator_core::terms::{Pauli, Terms};
    /// let mut flip = Terms::new(Qubit::new(2)?);
    /// flip.pauli(1.0, &[(1, Pauli::X)])?;
    /// let space = HilbertSpace::tensor([HilbertSpace::from(Fock::new(3, 4)?), Qubit::new(2)?.into()])?;
    /// let embedded = flip.embedded(&space, 1)?;
    /// assert_eq!(embedded.iter().next().map(|term| term.kind().to_string()), Some("X5".into()));
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`HilbertSpace::sites_of`].
    pub fn embedded(&self, hilbert: &HilbertSpace, first: usize) -> Result<Terms> {
        let shift = hilbert.sites_of(&self.hilbert, first)?.start;
        let terms = self.terms.iter().map(|Term { coefficient, kind }| {
            let kind = match kind {
                TermKind::Local(local) => {
                    let sites = local.sites().iter().map(|site| site + shift).collect();
                    TermKind::Local(LocalTerm::from_parts(sites, local.shared_matrix().clone()))
                }
                TermKind::Product(product) => TermKind::Product(product.shifted(shift)),
                TermKind::Pauli(string) => {
                    let shifted = |string: PauliString, (site, pauli)| string.with(site + shift, Some(pauli));
                    TermKind::Pauli(string.paulis().into_iter().fold(PauliString::default(), shifted))
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
