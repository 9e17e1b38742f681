//! Sums of operators, and their arithmetic.

use std::ops::{Add, Mul, Neg, Sub};

use operator_core::{Definition, DiscreteOperator, Element, Error, Parameters, Result};

use crate::combine::Combine;
use crate::composite::{composite, held};

/// A sum of operators of one backend, `Σ_k c_k A_k`.
///
/// Operators made of terms become one kernel, in which equal x' are merged. Kernels of third parties remain separate
/// summands. The parameters of terms are parameters of the sum; if a name repeats, the later ones become `h_2`, `h_3`,
/// …. A sum of sums is one sum.
///
/// ```
/// use backend_flat::Flat;
/// use operator_core::{Boundary, DiscreteOperator, Graph, Heisenberg, Ising, Model, hilbert::Spin};
/// use sum_operator::SumOperator;
///
/// let (spins, chain) = (Spin::half(4)?, Graph::chain(4, Boundary::Periodic)?);
/// let ising = Ising::new(spins.clone(), &chain, 1.0, 0.5)?.lower::<Flat>()?; // or Padded
/// let heisenberg = Heisenberg::new(spins, &chain, 1.0)?.lower::<Flat>()?;
/// let sum = SumOperator::new([(1.0, ising.clone()), (2.0, heisenberg)])?;
/// assert_eq!(sum.to_string(), "Ising + 2 * Heisenberg(h = 1, J = 0.5, J_2 = 1) on Spin(1/2, 4 sites)");
///
/// let more = (sum + SumOperator::from(ising))?;
/// assert_eq!(more.max_conn_size(), 1 + 4 + 4);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SumOperator<O: DiscreteOperator> {
    /// The sum of the operators made of terms.
    terms: Option<Definition>,
    /// The other operators, with their coefficients.
    kernels: Vec<(O::Element, O)>,
    operator: O,
}

composite!(SumOperator);

impl<O> SumOperator<O>
where
    O: DiscreteOperator + Clone,
    O::Backend: Combine<O>,
{
    /// The sum of operators, each with its coefficient.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] for operands on different spaces; [`Error::NotFinite`] for a coefficient that is
    /// not finite; [`Error::Count`] for no operands, because the space is then unknown; [`Error::BackendMismatch`]
    /// for operators of different backends, chosen at run time.
    pub fn new(summands: impl IntoIterator<Item = (O::Element, O)>) -> Result<Self> {
        let summands: Vec<(O::Element, O)> = summands.into_iter().collect();
        let Some((_, like)) = summands.first().cloned() else {
            let (what, expected) = ("operators to sum".into(), "at least 1".into());
            return Err(Error::Count { what, got: 0, expected });
        };
        let (mut terms, mut kernels) = (Vec::new(), Vec::new());
        for (coefficient, operator) in summands {
            check_same(&like, &operator)?;
            check_finite(coefficient, &operator)?;
            match O::Backend::terms_of(&operator) {
                Some(definition) => terms.push((coefficient.to_complex(), definition.clone())),
                None => kernels.push((coefficient, operator)),
            }
        }
        let terms = if terms.is_empty() { None } else { Some(Definition::linear_combination(terms)?) };
        Self::build(terms, kernels, &like)
    }

    fn build(terms: Option<Definition>, kernels: Vec<(O::Element, O)>, like: &O) -> Result<Self> {
        // Products of coefficients may have overflowed.
        kernels.iter().try_for_each(|(coefficient, operator)| check_finite(*coefficient, operator))?;
        let lowered = terms.as_ref().map(|terms| O::Backend::lower_like(terms, like)).transpose()?;
        let operator = match (lowered, kernels.is_empty()) {
            (Some(lowered), true) => lowered,
            (lowered, _) => {
                let one = O::Element::from_complex(1.0.into());
                let parts = lowered.into_iter().map(|lowered| (one, lowered)).chain(kernels.iter().cloned());
                O::Backend::sum(&parts.collect::<Vec<_>>())?
            }
        };
        Ok(SumOperator { terms, kernels, operator })
    }

    /// The parameters of all summands made of terms.
    pub fn parameters(&self) -> Parameters {
        self.terms.as_ref().map_or_else(Parameters::new, |terms| terms.parameters().clone())
    }

    /// The same sum with other values of its parameters. Nothing is lowered again.
    ///
    /// # Errors
    /// As [`Structure::pack`](operator_core::Structure::pack); [`Error::NoDefinition`] if no summand is made of
    /// terms.
    pub fn with_parameters(&self, parameters: Parameters) -> Result<Self> {
        let terms = match &self.terms {
            Some(terms) => Some(terms.with_parameters(parameters)?),
            None if parameters.n_values() == 0 => None,
            None => {
                let action = "take parameters";
                return Err(Error::NoDefinition { operator: self.describe(), action });
            }
        };
        Self::build(terms, self.kernels.clone(), &self.operator)
    }

    /// The sum times a number.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a factor that is not finite, or a coefficient that overflows.
    pub fn scaled(&self, factor: O::Element) -> Result<Self> {
        let value = factor.to_complex();
        if !value.is_finite() {
            return Err(Error::NotFinite { what: format!("coefficient of {self}"), value });
        }
        let terms = self.terms.as_ref().map(|terms| terms.scaled(value)).transpose()?;
        let kernels = self.kernels.iter().map(|(c, operator)| (*c * factor, operator.clone())).collect();
        Self::build(terms, kernels, &self.operator)
    }

    /// `self + factor · other`.
    fn plus(&self, factor: O::Element, other: &Self) -> Result<Self> {
        check_same(&self.operator, &other.operator)?;
        let terms = [(1.0.into(), &self.terms), (factor.to_complex(), &other.terms)];
        let terms: Vec<_> = terms.into_iter().filter_map(|(c, terms)| Some((c, terms.as_ref()?))).collect();
        let terms = if terms.is_empty() { None } else { Some(Definition::linear_combination(terms)?) };
        let others = other.kernels.iter().map(|(c, operator)| (*c * factor, operator.clone()));
        Self::build(terms, self.kernels.iter().cloned().chain(others).collect(), &self.operator)
    }
}

/// One operator as a sum.
impl<O> From<O> for SumOperator<O>
where
    O: DiscreteOperator + Clone,
    O::Backend: Combine<O>,
{
    fn from(operator: O) -> Self {
        match O::Backend::terms_of(&operator) {
            Some(terms) => SumOperator { terms: Some(terms.clone()), kernels: Vec::new(), operator },
            None => {
                let one = O::Element::from_complex(1.0.into());
                SumOperator { terms: None, kernels: vec![(one, operator.clone())], operator }
            }
        }
    }
}

macro_rules! arithmetic {
    ($trait:ident::$method:ident, $factor:expr, $($left:ty, $right:ty);*) => {
        $(impl<O> $trait<$right> for $left
        where
            O: DiscreteOperator + Clone,
            O::Backend: Combine<O>,
        {
            type Output = Result<SumOperator<O>>;
            fn $method(self, other: $right) -> Self::Output {
                self.plus(O::Element::from_complex($factor.into()), &other)
            }
        })*
    };
}
arithmetic!(Add::add, 1.0, SumOperator<O>, SumOperator<O>; &SumOperator<O>, &SumOperator<O>);
arithmetic!(Sub::sub, -1.0, SumOperator<O>, SumOperator<O>; &SumOperator<O>, &SumOperator<O>);

impl<O> Mul<O::Element> for &SumOperator<O>
where
    O: DiscreteOperator + Clone,
    O::Backend: Combine<O>,
{
    type Output = Result<SumOperator<O>>;
    fn mul(self, factor: O::Element) -> Self::Output {
        self.scaled(factor)
    }
}

impl<O> Neg for &SumOperator<O>
where
    O: DiscreteOperator + Clone,
    O::Backend: Combine<O>,
{
    type Output = Result<SumOperator<O>>;
    fn neg(self) -> Self::Output {
        self.scaled(O::Element::from_complex((-1.0).into()))
    }
}

fn check_finite<O: DiscreteOperator>(coefficient: O::Element, operator: &O) -> Result<()> {
    let value = coefficient.to_complex();
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::NotFinite { what: format!("coefficient of {}", operator.describe()), value })
}

/// Checks that two operators act on the same space, on one backend.
pub(crate) fn check_same<O: DiscreteOperator<Backend: Combine<O>>>(left: &O, right: &O) -> Result<()> {
    O::Backend::check_together(left, right)?;
    left.hilbert().expect_same(right.hilbert())
}
