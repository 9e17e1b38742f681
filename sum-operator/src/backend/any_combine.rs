//! Sums, products and embeddings of operators whose backend is chosen at run time.

use std::ops::Range;

use num_complex::Complex64;
use operator_core::{Definition, Error, HilbertSpace, Lower, Result};

#[cfg(all(feature = "flat", feature = "padded"))]
use super::any::BackendKind;
use super::any::{Any, AnyOperator, Inner, lower_on};
use crate::combine::Combine;
use crate::with_operator;

#[cfg(feature = "flat")]
use backend_flat::{Flat, FlatOperator};
#[cfg(feature = "padded")]
use backend_padded::{Padded, PaddedOperator};

type Complex<B> = <B as Lower<Complex64>>::Operator;

/// A backend that can be chosen. It combines operators with complex elements, so that real and complex ones mix.
trait Choice: Combine<Complex<Self>> + Lower<Complex64, Operator: Into<AnyOperator>> {
    /// The operator inside, with complex elements.
    ///
    /// # Errors
    /// [`Error::BackendMismatch`] if it runs on another backend; otherwise as [`Lower::lower`].
    fn complex(operator: &AnyOperator) -> Result<Complex<Self>>;

    fn sum_of(summands: &[(Complex64, AnyOperator)]) -> Result<AnyOperator> {
        let own = summands.iter().map(|(coefficient, operator)| Ok((*coefficient, Self::complex(operator)?)));
        Ok(Self::sum(&own.collect::<Result<Vec<_>>>()?)?.into())
    }

    fn product_of(left: &AnyOperator, right: &AnyOperator) -> Result<AnyOperator> {
        Ok(Self::product(&Self::complex(left)?, &Self::complex(right)?)?.into())
    }
}

#[cfg(feature = "flat")]
impl Choice for Flat {
    fn complex(operator: &AnyOperator) -> Result<FlatOperator<Complex64>> {
        match operator.inner() {
            Inner::FlatComplex(operator) => Ok(operator.clone()),
            Inner::Flat(operator) => match Flat::terms_of(operator) {
                Some(definition) => FlatOperator::new(definition.clone()),
                None => FlatOperator::custom(super::flat::Complexified(operator.clone())),
            },
            #[cfg(feature = "padded")]
            _ => Err(mismatch(BackendKind::Flat, operator)),
        }
    }
}

#[cfg(feature = "padded")]
impl Choice for Padded {
    fn complex(operator: &AnyOperator) -> Result<PaddedOperator<Complex64>> {
        match operator.inner() {
            Inner::PaddedComplex(operator) => Ok(operator.clone()),
            Inner::Padded(operator) => {
                let device = operator.device();
                match Padded::terms_of(operator) {
                    Some(definition) => PaddedOperator::new(definition.clone(), device),
                    None => PaddedOperator::custom_on(super::padded::Complexified(operator.clone()), device),
                }
            }
            #[cfg(feature = "flat")]
            _ => Err(mismatch(BackendKind::Padded, operator)),
        }
    }
}

#[cfg(all(feature = "flat", feature = "padded"))]
fn mismatch(expected: BackendKind, other: &AnyOperator) -> Error {
    Error::BackendMismatch { left: expected.to_string(), right: other.backend().to_string() }
}

/// Real and complex operators of one backend mix; operators of different backends are
/// [`Error::BackendMismatch`].
impl Combine<AnyOperator> for Any {
    fn terms_of(operator: &AnyOperator) -> Option<&Definition> {
        with_operator!(operator, flat(o) => Flat::terms_of(o), padded(o) => Padded::terms_of(o))
    }

    fn check_together(left: &AnyOperator, right: &AnyOperator) -> Result<()> {
        let (left, right) = (left.backend(), right.backend());
        if left != right {
            return Err(Error::BackendMismatch { left: left.to_string(), right: right.to_string() });
        }
        Ok(())
    }

    fn lower_like(definition: &Definition, like: &AnyOperator) -> Result<AnyOperator> {
        with_operator!(
            like,
            flat(_like) => lower_on::<Flat>(definition, &()),
            padded(like) => lower_on::<Padded>(definition, like.device())
        )
    }

    fn sum(summands: &[(Complex64, AnyOperator)]) -> Result<AnyOperator> {
        let Some((_, first)) = summands.first() else {
            return Err(Error::Count { what: "operators".into(), got: 0, expected: "at least 1".into() });
        };
        with_operator!(first, flat(_o) => Flat::sum_of(summands), padded(_o) => Padded::sum_of(summands))
    }

    fn product(left: &AnyOperator, right: &AnyOperator) -> Result<AnyOperator> {
        with_operator!(
            left,
            flat(_o) => Flat::product_of(left, right),
            padded(_o) => Padded::product_of(left, right)
        )
    }

    fn embed(operator: &AnyOperator, hilbert: &HilbertSpace, sites: Range<usize>) -> Result<AnyOperator> {
        with_operator!(
            operator,
            flat(o) => Ok(Flat::embed(o, hilbert, sites)?.into()),
            padded(o) => Ok(Padded::embed(o, hilbert, sites)?.into())
        )
    }
}
