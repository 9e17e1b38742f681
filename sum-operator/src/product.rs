//! Products of two operators.

use operator_core::{Definition, DiscreteOperator, Error, Result};

use crate::combine::Combine;
use crate::composite::{composite, held};
use crate::sum::check_same;

/// The largest number of terms of a product that is multiplied out.
const MAX_TERMS: usize = 100_000;

/// The product (composition) of two operators of one backend, `A B`.
///
/// Operators made of terms are multiplied as terms, and like terms are merged. If both have parameters, the product
/// takes their present values (see [`Terms`](operator_core::terms::Terms)). Kernels of third parties, and products
/// with too many terms or too large matrices, are multiplied one sample at a time: first the x' of A, then the x' of B
/// from each of them.
///
/// ```
/// use backend_flat::Flat;
/// use operator_core::{DiscreteOperator, Model, PauliStrings, hilbert::Qubit};
/// use sum_operator::ProductOperator;
///
/// let x = PauliStrings::new(Qubit::new(2)?, ["XI", "IX"], [1.0, 1.0])?.lower::<Flat>()?; // or Padded
/// let square = ProductOperator::new(&x, &x)?; // 2 + 2 XX
/// assert_eq!(square.max_conn_size(), 2);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProductOperator<O: DiscreteOperator> {
    operator: O,
}

composite!(ProductOperator);

impl<O> ProductOperator<O>
where
    O: DiscreteOperator,
    O::Backend: Combine<O>,
{
    /// `left · right`.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] for operands on different spaces; [`Error::BackendMismatch`] for operators of
    /// different backends, chosen at run time; [`Error::Custom`] if a kernel breaks its promises.
    pub fn new(left: &O, right: &O) -> Result<Self> {
        check_same(left, right)?;
        let product = match (O::Backend::terms_of(left), O::Backend::terms_of(right)) {
            (Some(a), Some(b)) if a.terms().len().saturating_mul(b.terms().len()) <= MAX_TERMS => {
                or_too_large(a * b)?
            }
            _ => None,
        };
        let operator = match product {
            Some(product) => O::Backend::lower_like(&product, left)?,
            None => O::Backend::product(left, right)?,
        };
        Ok(ProductOperator { operator })
    }
}

/// `None` if the product is too large to be written as terms.
fn or_too_large(product: Result<Definition>) -> Result<Option<Definition>> {
    match product {
        Err(Error::TooLarge { .. }) => Ok(None),
        product => product.map(Some),
    }
}
