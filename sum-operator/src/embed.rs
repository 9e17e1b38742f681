//! An operator on some factors of a tensor product.

use operator_core::{DiscreteOperator, HilbertSpace, Result};

use crate::combine::Combine;
use crate::composite::{composite, held};

/// An operator on some of the factors of a tensor product, `1 ⊗ … ⊗ A ⊗ … ⊗ 1`.
///
/// Parameters remain parameters.
///
/// ```
/// use backend_flat::Flat;
/// use operator_core::{Boundary, DiscreteOperator, Graph, HilbertSpace, Ising, Model, hilbert::{Fock, Spin}};
/// use sum_operator::EmbedOperator;
///
/// let chain = Graph::chain(3, Boundary::Periodic)?;
/// let ising = Ising::new(Spin::half(3)?, &chain, 1.0, 1.0)?.lower::<Flat>()?; // or Padded
/// let both = HilbertSpace::tensor([HilbertSpace::from(Fock::new(2, 1)?), Spin::half(3)?.into()])?;
/// let embedded = EmbedOperator::new(&ising, &both, 1)?; // the second factor
/// assert_eq!(embedded.to_sparse()?.nnz(), 3 * ising.to_sparse()?.nnz());
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EmbedOperator<O: DiscreteOperator> {
    operator: O,
}

composite!(EmbedOperator);

impl<O> EmbedOperator<O>
where
    O: DiscreteOperator,
    O::Backend: Combine<O>,
{
    /// `operator` on the factors of `hilbert` from number `first` on. It takes as many factors as its own space has.
    ///
    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if these factors are not its own space; [`Custom`](operator_core::Error::Custom) if a kernel breaks its promises.
    pub fn new(operator: &O, hilbert: &HilbertSpace, first: usize) -> Result<Self> {
        let operator = match O::Backend::terms_of(operator) {
            Some(terms) => O::Backend::lower_like(&terms.embedded(hilbert, first)?, operator)?,
            None => {
                let sites = hilbert.sites_of(operator.hilbert(), first)?;
                O::Backend::embed(operator, hilbert, sites)?
            }
        };
        Ok(EmbedOperator { operator })
    }
}
