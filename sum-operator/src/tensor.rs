//! Tensor products of operators.

use operator_core::{DiscreteOperator, Error, HilbertSpace, Result};

use crate::combine::Combine;
use crate::composite::{composite, held};
use crate::{EmbedOperator, ProductOperator};

/// The tensor product of operators of one backend, `A ⊗ B ⊗ …`, on the tensor product of their spaces.
///
/// Factors may be spins, bosons or fermions. The tensor product is the product of the operators, each
/// [embedded](EmbedOperator) in the whole space. [`ProductOperator`] says what happens to parameters and in large
/// products.
///
/// ```
/// use backend_flat::Flat;
/// use operator_core::expression::{boson, spin};
/// use operator_core::hilbert::{Fock, Spin};
/// use operator_core::DiscreteOperator;
/// use sum_operator::TensorOperator;
///
/// let flip = spin::sigmax(0).definition(Spin::half(1)?)?.lower::<Flat>()?; // or Padded
/// let position = (boson::create(0) + boson::destroy(0)).definition(Fock::new(3, 1)?)?.lower::<Flat>()?;
/// let coupling = TensorOperator::new([&flip, &position])?;
/// assert_eq!(coupling.hilbert().to_string(), "Spin(1/2, 1 sites) ⊗ Fock(n_max = 3, 1 sites)");
/// assert_eq!(coupling.to_sparse()?.nnz(), 2 * 6);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TensorOperator<O: DiscreteOperator> {
    operator: O,
}

composite!(TensorOperator);

impl<O> TensorOperator<O>
where
    O: DiscreteOperator,
    O::Backend: Combine<O>,
{
    /// The tensor product of `operators` in this order.
    ///
    /// # Errors
    /// [`Error::Count`] for no operators; [`Error::BackendMismatch`] for operators of different backends, chosen at
    /// run time;
    /// [`Error::Custom`] if a kernel breaks its promises.
    pub fn new<'a>(operators: impl IntoIterator<Item = &'a O>) -> Result<Self>
    where
        O: 'a,
    {
        let operators: Vec<&O> = operators.into_iter().collect();
        let Some((&head, tail)) = operators.split_first() else {
            let (what, expected) = ("operators of a tensor product".into(), "at least 1".into());
            return Err(Error::Count { what, got: 0, expected });
        };
        for &operator in tail {
            O::Backend::check_together(head, operator)?;
        }
        let hilbert = HilbertSpace::tensor(operators.iter().map(|operator| operator.hilbert().clone()))?;
        let mut product = EmbedOperator::new(head, &hilbert, 0)?.into_operator();
        let mut first = head.hilbert().factors().len();
        for &operator in tail {
            let embedded = EmbedOperator::new(operator, &hilbert, first)?.into_operator();
            first += operator.hilbert().factors().len();
            product = ProductOperator::new(&product, &embedded)?.into_operator();
        }
        Ok(TensorOperator { operator: product })
    }
}
