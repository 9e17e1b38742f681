//! The trait of backends whose operators can be combined.

use std::ops::Range;

use operator_core::{Backend, Definition, DiscreteOperator, HilbertSpace, Result};

/// A backend whose operators `O` can be summed, multiplied and embedded.
///
/// [`SumOperator`](crate::SumOperator) and the other composites combine operators made of terms as terms, and then
/// lower the result. The other methods here serve operators without terms, such as kernels of third parties.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` does not combine operators of type `{O}`",
    note = "turn on the feature of the backend in the crate `sum-operator`: `flat` for `backend_flat::Flat` (on by default), `padded` for `backend_padded::Padded`"
)]
pub trait Combine<O: DiscreteOperator<Backend = Self>>: Backend {
    /// The terms that are the whole of an operator; `None` if it is not made of terms alone.
    fn terms_of(operator: &O) -> Option<&Definition> {
        operator.definition()
    }

    /// Checks that two operators run on the same backend, if their types do not ensure it.
    ///
    /// # Errors
    /// [`BackendMismatch`](operator_core::Error::BackendMismatch).
    fn check_together(_left: &O, _right: &O) -> Result<()> {
        Ok(())
    }

    /// Lowers a definition to the backend and the device of `like`.
    ///
    /// # Errors
    /// As [`Lower::lower`](operator_core::Lower::lower).
    fn lower_like(definition: &Definition, like: &O) -> Result<O>;

    /// `Σ_k c_k A_k` of at least one operator, all on the same space.
    ///
    /// # Errors
    /// [`Custom`](operator_core::Error::Custom) if a kernel breaks its promises.
    fn sum(summands: &[(O::Element, O)]) -> Result<O>;

    /// `A B` of operators on the same space.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    fn product(left: &O, right: &O) -> Result<O>;

    /// `1 ⊗ A ⊗ 1` on a space in which the range `sites` holds the sites of A's space.
    ///
    /// # Errors
    /// As [`sum`](Self::sum).
    fn embed(operator: &O, hilbert: &HilbertSpace, sites: Range<usize>) -> Result<O>;
}
