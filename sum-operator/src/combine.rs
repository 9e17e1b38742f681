//! What a backend does so that its operators can be combined.

use std::ops::Range;

use operator_core::{Backend, Definition, DiscreteOperator, HilbertSpace, Result};

/// A backend whose operators `O` can be summed, multiplied and put side by side.
///
/// What is made of terms is combined as terms, by [`SumOperator`](crate::SumOperator) and its like, and then
/// lowered; the other methods serve operators that have no terms, kernels of third parties among them.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` does not combine operators of type `{O}`",
    note = "turn on the feature of the backend in the crate `sum-operator`: `flat` for `backend_flat::Flat` (on by default), `padded` for `backend_padded::Padded`"
)]
pub trait Combine<O: DiscreteOperator<Backend = Self>>: Backend {
    /// The terms that stand for an operator, `None` if it has none or more to it than terms.
    fn terms_of(operator: &O) -> Option<&Definition> {
        operator.definition()
    }

    /// Checks that two operators run on the same backend, where their types do not say so.
    ///
    /// # Errors
    /// [`BackendMismatch`](operator_core::Error::BackendMismatch).
    fn check_together(_left: &O, _right: &O) -> Result<()> {
        Ok(())
    }

    /// Lowers a definition to where `like` runs.
    ///
    /// # Errors
    /// Those of [`Lower::lower`](operator_core::Lower::lower).
    fn lower_like(definition: &Definition, like: &O) -> Result<O>;

    /// `Σ_k c_k A_k` of one operator or more, all on the same space.
    ///
    /// # Errors
    /// [`Custom`](operator_core::Error::Custom) if a kernel breaks its promises.
    fn sum(summands: &[(O::Element, O)]) -> Result<O>;

    /// `A B` of operators on the same space.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    fn product(left: &O, right: &O) -> Result<O>;

    /// `1 ⊗ A ⊗ 1` on a space whose sites in `sites` are those of A's space.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    fn embed(operator: &O, hilbert: &HilbertSpace, sites: Range<usize>) -> Result<O>;
}
