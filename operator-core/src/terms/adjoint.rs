//! Hermitian conjugate, complex conjugate and transpose of each kind of term.

use std::collections::HashMap;

use ndarray::Array2;
use num_complex::Complex64;

use super::{FermionString, LocalMatrix, LocalTerm, PauliString, SiteMatrix, Term, TermKind, Terms};

impl Terms {
    /// The Hermitian conjugate, A†. Parameters are real and stay unchanged.
    pub fn adjoint(&self) -> Self {
        let mut matrices = SharedMap::new(|matrix| matrix.t().mapv(|z| z.conj()));
        self.map(|term| {
            let kind = match &term.kind {
                TermKind::Local(local) => TermKind::Local(matrices.apply(local)),
                TermKind::Product(product) => {
                    TermKind::Product(product.map(|matrix| matrix.transpose().map(|z| z.conj())))
                }
                TermKind::Pauli(string) => TermKind::Pauli(string.clone()),
                TermKind::Fermion(string) => TermKind::Fermion(string.adjoint()),
            };
            (term.coefficient.factor.conj(), kind)
        })
    }

    /// The complex conjugate, A*, in the basis of configurations.
    pub fn conj(&self) -> Self {
        let mut matrices = SharedMap::new(|matrix| matrix.mapv(|z| z.conj()));
        self.map(|term| {
            let factor = term.coefficient.factor.conj();
            match &term.kind {
                TermKind::Local(local) => (factor, TermKind::Local(matrices.apply(local))),
                TermKind::Product(product) => {
                    (factor, TermKind::Product(product.map(|matrix| matrix.map(|z| z.conj()))))
                }
                TermKind::Pauli(string) => (factor * string.reality(), TermKind::Pauli(string.clone())),
                // Jordan-Wigner matrices are real.
                TermKind::Fermion(string) => (factor, TermKind::Fermion(string.clone())),
            }
        })
    }

    /// The transpose, Aᵀ, in the basis of configurations.
    pub fn transpose(&self) -> Self {
        let mut matrices = SharedMap::new(|matrix| matrix.t().to_owned());
        self.map(|term| {
            let factor = term.coefficient.factor;
            match &term.kind {
                TermKind::Local(local) => (factor, TermKind::Local(matrices.apply(local))),
                TermKind::Product(product) => (factor, TermKind::Product(product.map(SiteMatrix::transpose))),
                TermKind::Pauli(string) => (factor * string.reality(), TermKind::Pauli(string.clone())),
                TermKind::Fermion(string) => (factor, TermKind::Fermion(string.adjoint())),
            }
        })
    }

    /// Applies one of these operations term by term.
    fn map(&self, mut f: impl FnMut(&Term) -> (Complex64, TermKind)) -> Self {
        let terms = self.terms.iter().map(|term| {
            let (factor, kind) = f(term);
            Term { coefficient: super::Coefficient { factor, ..term.coefficient }, kind }
        });
        Terms::from_parts(self.hilbert.clone(), self.parameters.clone(), terms.collect())
    }
}

impl PauliString {
    /// 1 for a real string, −1 for an imaginary one: the factor that the complex conjugate and the transpose
    /// add.
    fn reality(&self) -> f64 {
        if self.phase().im == 0.0 { 1.0 } else { -1.0 }
    }
}

impl FermionString {
    /// The factors' conjugates in reverse order.
    pub(super) fn adjoint(&self) -> Self {
        let ladders = self.ladders().iter().rev();
        FermionString::from_ladders(
            ladders.map(|ladder| super::Ladder { dagger: !ladder.dagger, ..*ladder }).collect(),
        )
    }
}

/// Applies a function to matrices, once for each matrix that terms share.
struct SharedMap<F> {
    f: F,
    done: HashMap<*const Array2<Complex64>, LocalMatrix>,
}

impl<F: Fn(&Array2<Complex64>) -> Array2<Complex64>> SharedMap<F> {
    fn new(f: F) -> Self {
        SharedMap { f, done: HashMap::new() }
    }

    fn apply(&mut self, local: &LocalTerm) -> LocalTerm {
        let matrix = local.shared_matrix();
        let mapped = self.done.entry(matrix.address()).or_insert_with(|| (self.f)(matrix).into());
        LocalTerm::from_parts(local.sites().to_vec(), mapped.clone())
    }
}
