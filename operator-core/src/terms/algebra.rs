//! Sums, products and powers.

use num_complex::Complex64;

use super::{Coefficient, Collector, ParameterId, Term, TermKind, Terms, multiply};
use crate::error::{Error, Result};
use crate::overload::fallible_operators;
use crate::parameters::Parameters;

fallible_operators!(Terms);

/// Algebra. `+`, `-` and `*` work between [`Terms`] and with numbers (f64 or Complex64), by value and by
/// reference. A number in a sum stands for its multiple of the identity. Results merge like terms and drop zeros.
///
/// **Parameters.** A sum keeps the parameters of both operands; if names collide, the later parameter becomes
/// `h_2`, `h_3`, …. A coefficient holds at most one parameter. A product therefore keeps parameters only if at
/// most one operand has any; otherwise it [freezes](Self::frozen) both first.
///
/// **Constraints.** No operation checks the constraint of the space. Terms may therefore leave the space as
/// long as their sum does not, like XX and YY at fixed magnetisation.
/// [`Definition::new`](crate::Definition::new) checks the result.
///
/// ```
/// use operator_core::{hilbert::Spin, terms::{Pauli, Terms}};
/// let space = Spin::half(2)?;
/// let (mut x, mut y) = (Terms::new(space.clone()), Terms::new(space));
/// x.pauli(1.0, &[(0, Pauli::X)])?;
/// y.pauli(1.0, &[(0, Pauli::Y)])?;
/// let square = ((&x + &y)? * (&x - &y)?)?;
/// assert_eq!(square.len(), 1);
/// assert_eq!(square.iter().next().map(|term| term.kind().to_string()), Some("Z0".into()));
/// # Ok::<(), operator_core::Error>(())
/// ```
impl Terms {
    /// Appends the terms of another operator, times a factor, and its parameters. A parameter whose name is
    /// taken gets the first free one of `h_2`, `h_3`, …. Like terms are not merged.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] on different spaces; [`Error::NotFinite`] if the factor or a resulting
    /// coefficient is not finite. On error nothing is appended.
    pub fn add_scaled(&mut self, factor: impl Into<Complex64>, other: &Terms) -> Result<&mut Self> {
        self.hilbert.expect_same(&other.hilbert)?;
        let terms = other.scaled_terms(factor.into())?;
        let shift = self.parameters.n_values();
        for (name, value) in other.parameters.iter() {
            self.parameters.push_renamed(name, value.clone())?;
        }
        self.terms.extend(terms.into_iter().map(
            |Term { coefficient: Coefficient { factor, parameter }, kind }| {
                let parameter = parameter.map(|p| ParameterId::new((p.index() + shift) as u32));
                Term { coefficient: Coefficient { factor, parameter }, kind }
            },
        ));
        Ok(self)
    }

    /// The sum of many operators.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`] on different spaces; [`Error::Count`] for no operators, since their space is
    /// unknown.
    pub fn sum<'a>(operands: impl IntoIterator<Item = &'a Terms>) -> Result<Terms> {
        let mut operands = operands.into_iter();
        let first = operands.next().ok_or_else(|| Error::Count {
            what: "operators to sum".into(),
            got: 0,
            expected: "at least 1".into(),
        })?;
        let mut sum = first.clone();
        operands.try_for_each(|operand| sum.add_scaled(1.0, operand).map(|_| ()))?;
        sum.collected()
    }

    /// The operator times a number, with like terms merged.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn scaled(&self, factor: impl Into<Complex64>) -> Result<Terms> {
        let terms = self.scaled_terms(factor.into())?;
        Terms::from_parts(self.hilbert.clone(), self.parameters.clone(), terms).collected()
    }

    /// The n-th power; the 0-th is the identity. From the second power on, parameters are frozen.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if a matrix would act on too many sites; [`Error::NotFinite`].
    pub fn pow(&self, n: u32) -> Result<Terms> {
        match n {
            0 => {
                let identity = Term { coefficient: 1.0.into(), kind: TermKind::identity(&self.hilbert) };
                Ok(Terms::from_parts(self.hilbert.clone(), Parameters::new(), vec![identity]))
            }
            1 => self.collected(),
            _ => {
                // Start from the leading bit of n. Each further bit squares the power, and multiplies once more
                // if it is set.
                let base = self.frozen()?.collected()?;
                (0..n.ilog2()).rev().try_fold(base.clone(), |power, bit| {
                    let square = power.times(&power)?;
                    if n >> bit & 1 == 1 { square.times(&base) } else { Ok(square) }
                })
            }
        }
    }

    /// The commutator, AB − BA.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`], [`Error::TooLarge`], [`Error::NotFinite`], as for a product.
    pub fn commutator(&self, other: &Terms) -> Result<Terms> {
        self.bilinear(other, Some(-1.0))
    }

    /// The anticommutator, AB + BA.
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`], [`Error::TooLarge`], [`Error::NotFinite`], as for a product.
    pub fn anticommutator(&self, other: &Terms) -> Result<Terms> {
        self.bilinear(other, Some(1.0))
    }

    /// The same operator with like terms merged. Like terms have the same parameter, and either equal strings
    /// or matrices on the same sites. Fermion strings are equal only in equal order; see
    /// [`normal_ordered`](Self::normal_ordered). Sites of matrices are sorted in ascending order. Terms that
    /// are zero up to rounding are dropped.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a sum overflows an f64.
    pub fn collected(&self) -> Result<Terms> {
        self.converted(|kind, emit| emit(Complex64::ONE, kind.clone()))
    }

    /// The same operator with the present values of its parameters as constants.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a coefficient overflows an f64.
    pub fn frozen(&self) -> Result<Terms> {
        let values = self.parameters.to_vec();
        let mut frozen = Terms::new(self.hilbert.clone());
        for Term { coefficient, kind } in &self.terms {
            let value = coefficient.parameter.map_or(1.0, |p| values[p.index()]);
            frozen.push((coefficient.factor * value).into(), kind.clone())?;
        }
        Ok(frozen)
    }

    fn plus(&self, other: &Terms) -> Result<Terms> {
        let mut sum = self.clone();
        sum.add_scaled(1.0, other)?;
        sum.collected()
    }

    fn minus(&self, other: &Terms) -> Result<Terms> {
        let mut sum = self.clone();
        sum.add_scaled(-1.0, other)?;
        sum.collected()
    }

    fn times(&self, other: &Terms) -> Result<Terms> {
        self.bilinear(other, None)
    }

    /// `A + z 1`.
    fn plus_number(&self, number: Complex64) -> Result<Terms> {
        let mut sum = self.clone();
        sum.push(number.into(), TermKind::identity(&self.hilbert))?;
        sum.collected()
    }

    /// `z 1 − A`.
    fn subtracted_from(&self, number: Complex64) -> Result<Terms> {
        self.scaled(-1.0)?.plus_number(number)
    }

    /// `AB`, or `AB + factor · BA`.
    fn bilinear(&self, other: &Terms, reversed: Option<f64>) -> Result<Terms> {
        self.hilbert.expect_same(&other.hilbert)?;
        if self.parameters.n_values() > 0 && other.parameters.n_values() > 0 {
            return self.frozen()?.bilinear(&other.frozen()?, reversed);
        }
        let parameters = if self.parameters.n_values() > 0 { &self.parameters } else { &other.parameters };
        let mut sum = Collector::new(&self.hilbert);
        for a in &self.terms {
            for b in &other.terms {
                let coefficient = Coefficient {
                    factor: a.coefficient.factor * b.coefficient.factor,
                    parameter: a.coefficient.parameter.or(b.coefficient.parameter),
                };
                let mut emit = |z, kind| sum.push(coefficient.scaled(z), kind);
                multiply(&self.hilbert, &a.kind, &b.kind, &mut emit)?;
                if let Some(reversed) = reversed {
                    let mut emit = |z, kind| sum.push(coefficient.scaled(reversed * z), kind);
                    multiply(&self.hilbert, &b.kind, &a.kind, &mut emit)?;
                }
            }
        }
        Ok(Terms::from_parts(self.hilbert.clone(), parameters.clone(), sum.finish()?))
    }

    fn scaled_terms(&self, scale: Complex64) -> Result<Vec<Term>> {
        if !scale.is_finite() {
            return Err(Error::NotFinite { what: "factor of an operator".into(), value: scale });
        }
        let scaled = |term: &Term| Term::new(term.coefficient.scaled(scale), term.kind.clone());
        self.terms.iter().map(scaled).collect()
    }
}
