//! Equality of operators, independent of how they are written.

use num_complex::Complex64;

use super::{LocalTerm, TermKind, Terms};
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::rounding::agrees;

impl Terms {
    /// Whether two operators are equal up to rounding at the present values of their parameters. The order and
    /// family of their terms do not matter. The comparison ignores the space's constraint.
    ///
    /// It brings the difference to a unique form: normal order if there are only fermion strings, Pauli strings
    /// on two-level sites, and elsewhere matrices that are traceless on each of their sites.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`](crate::Error::HilbertMismatch) on different spaces;
    /// [`Error::TooLarge`](crate::Error::TooLarge) as for [`to_pauli_strings`](Self::to_pauli_strings) and
    /// [`to_local`](Self::to_local).
    pub fn equivalent(&self, other: &Terms) -> Result<bool> {
        let difference = (self - other)?.frozen()?.unique_form()?;
        if difference.is_empty() {
            return Ok(true);
        }
        let size = largest(&self.frozen()?).max(largest(&other.frozen()?));
        Ok(agrees(largest(&difference), size))
    }

    /// Whether the operator is its own Hermitian conjugate; see [`equivalent`](Self::equivalent).
    ///
    /// # Errors
    /// As for [`equivalent`](Self::equivalent).
    pub fn is_hermitian(&self) -> Result<bool> {
        self.equivalent(&self.adjoint())
    }

    /// The operator in linearly independent terms.
    fn unique_form(&self) -> Result<Terms> {
        if self.iter().all(|term| matches!(term.kind, TermKind::Fermion(_))) {
            return self.normal_ordered();
        }
        if self.hilbert.is_two_level() {
            return self.to_pauli_strings();
        }
        self.to_local()?.converted(|kind, emit| match kind {
            TermKind::Local(local) => emit_traceless(local.clone(), 0, &self.hilbert, emit),
            _ => emit(Complex64::ONE, kind.clone()),
        })
    }
}

/// Emits the parts of a matrix that are traceless on all their sites. The first `n_done` sites already are.
fn emit_traceless(
    local: LocalTerm,
    n_done: usize,
    hilbert: &HilbertSpace,
    emit: &mut dyn FnMut(Complex64, TermKind) -> Result<()>,
) -> Result<()> {
    if n_done == local.sites().len() {
        return emit(Complex64::ONE, local.into());
    }
    let (traced, traceless) = local.split_at_site(n_done, hilbert);
    emit_traceless(traced, n_done, hilbert, emit)?;
    emit_traceless(traceless, n_done + 1, hilbert, emit)
}

/// The largest absolute value of a coefficient, or of a matrix element times its coefficient.
fn largest(terms: &Terms) -> f64 {
    let of_kind = |kind: &TermKind| match kind {
        TermKind::Local(local) => local.matrix().iter().map(|z| z.norm()).fold(0.0, f64::max),
        _ => 1.0,
    };
    terms.iter().map(|term| term.coefficient.factor.norm() * of_kind(&term.kind)).fold(0.0, f64::max)
}
