//! Sums, products and embeddings of operators whose backend is chosen at run time.

use std::ops::Range;

use num_complex::Complex64;
use operator_core::{Definition, Error, HilbertSpace, Result};

use super::any::{Any, AnyOperator};
use crate::combine::Combine;

#[cfg(feature = "flat")]
use backend_flat::{Flat, FlatOperator};
#[cfg(feature = "padded")]
use backend_padded::{Padded, PaddedOperator, TensorConn};

/// Operators on the backend that they share, all with complex elements.
enum OnOneBackend {
    #[cfg(feature = "flat")]
    Flat(Vec<FlatOperator<Complex64>>),
    #[cfg(feature = "padded")]
    Padded(Vec<PaddedOperator<Complex64>>),
}

impl OnOneBackend {
    /// # Errors
    /// [`Error::BackendMismatch`].
    fn new<'a>(operators: impl IntoIterator<Item = &'a AnyOperator>) -> Result<Option<Self>> {
        let mut all: Option<Self> = None;
        for operator in operators {
            let one = Self::of(operator)?;
            match (&mut all, one) {
                (None, one) => all = Some(one),
                #[cfg(feature = "flat")]
                (Some(OnOneBackend::Flat(all)), OnOneBackend::Flat(one)) => all.extend(one),
                #[cfg(feature = "padded")]
                (Some(OnOneBackend::Padded(all)), OnOneBackend::Padded(one)) => all.extend(one),
                #[cfg(all(feature = "flat", feature = "padded"))]
                (Some(all), one) => {
                    let (left, right) = (all.name().into(), one.name().into());
                    return Err(Error::BackendMismatch { left, right });
                }
            }
        }
        Ok(all)
    }

    #[cfg(all(feature = "flat", feature = "padded"))]
    fn name(&self) -> &'static str {
        match self {
            OnOneBackend::Flat(_) => "flat",
            OnOneBackend::Padded(_) => "padded",
        }
    }

    fn of(operator: &AnyOperator) -> Result<Self> {
        Ok(match operator {
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => OnOneBackend::Flat(vec![operator.clone()]),
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => OnOneBackend::Flat(vec![match Flat::terms_of(operator) {
                Some(definition) => FlatOperator::new(definition.clone())?,
                None => FlatOperator::custom(super::flat::Complexified(operator.clone()))?,
            }]),
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => OnOneBackend::Padded(vec![operator.clone()]),
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => {
                let device = TensorConn::device(operator).clone();
                OnOneBackend::Padded(vec![match Padded::terms_of(operator) {
                    Some(definition) => PaddedOperator::new(definition.clone(), &device)?,
                    None => {
                        PaddedOperator::custom_on(super::padded::Complexified(operator.clone()), &device)?
                    }
                }])
            }
        })
    }
}

/// Real and complex operators of one backend mix; operators of different backends are
/// [`Error::BackendMismatch`].
impl Combine<AnyOperator> for Any {
    fn terms_of(operator: &AnyOperator) -> Option<&Definition> {
        match operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => Flat::terms_of(operator),
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => Flat::terms_of(operator),
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => Padded::terms_of(operator),
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => Padded::terms_of(operator),
        }
    }

    fn check_together(left: &AnyOperator, right: &AnyOperator) -> Result<()> {
        let (left, right) = (left.backend(), right.backend());
        if left != right {
            return Err(Error::BackendMismatch { left: left.to_string(), right: right.to_string() });
        }
        Ok(())
    }

    fn lower_like(definition: &Definition, like: &AnyOperator) -> Result<AnyOperator> {
        match like {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(_) | AnyOperator::FlatComplex(_) => match definition.is_real() {
                true => Ok(AnyOperator::Flat(definition.lower::<Flat>()?)),
                false => Ok(AnyOperator::FlatComplex(definition.lower_as::<Flat, Complex64>()?)),
            },
            #[cfg(feature = "padded")]
            AnyOperator::Padded(like) => lower_padded(definition, TensorConn::device(like)),
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(like) => lower_padded(definition, TensorConn::device(like)),
        }
    }

    fn sum(summands: &[(Complex64, AnyOperator)]) -> Result<AnyOperator> {
        let coefficients = summands.iter().map(|(coefficient, _)| *coefficient);
        match OnOneBackend::new(summands.iter().map(|(_, operator)| operator))? {
            #[cfg(feature = "flat")]
            Some(OnOneBackend::Flat(operators)) => {
                let summands: Vec<_> = coefficients.zip(operators).collect();
                Ok(AnyOperator::FlatComplex(Flat::sum(&summands)?))
            }
            #[cfg(feature = "padded")]
            Some(OnOneBackend::Padded(operators)) => {
                let summands: Vec<_> = coefficients.zip(operators).collect();
                Ok(AnyOperator::PaddedComplex(Padded::sum(&summands)?))
            }
            None => Err(no_operators()),
        }
    }

    fn product(left: &AnyOperator, right: &AnyOperator) -> Result<AnyOperator> {
        match OnOneBackend::new([left, right])? {
            #[cfg(feature = "flat")]
            Some(OnOneBackend::Flat(factors)) => {
                Ok(AnyOperator::FlatComplex(Flat::product(&factors[0], &factors[1])?))
            }
            #[cfg(feature = "padded")]
            Some(OnOneBackend::Padded(factors)) => {
                Ok(AnyOperator::PaddedComplex(Padded::product(&factors[0], &factors[1])?))
            }
            None => Err(no_operators()),
        }
    }

    fn embed(operator: &AnyOperator, hilbert: &HilbertSpace, sites: Range<usize>) -> Result<AnyOperator> {
        Ok(match operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => AnyOperator::Flat(Flat::embed(operator, hilbert, sites)?),
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => {
                AnyOperator::FlatComplex(Flat::embed(operator, hilbert, sites)?)
            }
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => AnyOperator::Padded(Padded::embed(operator, hilbert, sites)?),
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => {
                AnyOperator::PaddedComplex(Padded::embed(operator, hilbert, sites)?)
            }
        })
    }
}

#[cfg(feature = "padded")]
fn lower_padded(definition: &Definition, device: &candle_core::Device) -> Result<AnyOperator> {
    match definition.is_real() {
        true => Ok(AnyOperator::Padded(definition.lower_on::<Padded, f64>(device)?)),
        false => Ok(AnyOperator::PaddedComplex(definition.lower_on::<Padded, Complex64>(device)?)),
    }
}

fn no_operators() -> Error {
    Error::Count { what: "operators".into(), got: 0, expected: "at least 1".into() }
}
