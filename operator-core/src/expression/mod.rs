//! Hamiltonians as formulas, written without a Hilbert space.
//!
//! The functions of [`spin`], [`boson`] and [`fermion`] make operators on one site. `+`, `-` and `*` combine
//! them with each other and with numbers. [`Expression::on`] interprets the formula on a Hilbert space.
//!
//! The transverse-field Ising chain and the Bose-Hubbard chain:
//!
//! ```
//! use operator_core::{Expression, expression::{boson, spin::{sigmax, sigmaz}}};
//! use operator_core::hilbert::{Fock, Spin};
//! let field: Expression = (0..10).map(sigmax).sum();
//! let bonds: Expression = (0..10).map(|i| sigmaz(i) * sigmaz((i + 1) % 10)).sum();
//! let ising = (bonds - 0.5 * field).definition(Spin::half(10)?)?;
//!
//! let hops: Expression = (0..7).map(|i| (boson::create(i) * boson::destroy(i + 1)).plus_hc()).sum();
//! let pairs: Expression = (0..8).map(|i| boson::number(i) * (boson::number(i) - 1.0)).sum();
//! let bose_hubbard = (2.0 * pairs - hops).definition(Fock::new(3, 8)?.with_n_particles(8)?)?;
//! # assert!(ising.is_hermitian() && bose_hubbard.is_hermitian());
//! # assert_eq!((ising.max_conn_size(), bose_hubbard.max_conn_size()), (11, 15));
//! # Ok::<(), operator_core::Error>(())
//! ```

pub mod boson;
pub mod fermion;
pub mod spin;

mod operators;
mod product;
mod resolve;
mod site_operator;

use std::fmt;

use crate::definition::{Definition, shortened};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::terms::{Coefficient, Terms};
use product::{Factor, MAX_DEPTH, MAX_MULTIPLIED_OUT, Product};
use site_operator::SiteOperator;

/// A sum of products of site operators, each with a coefficient.
///
/// Nothing is checked until the formula is interpreted on a space, so its operations cannot fail. Long products of sums,
/// and high powers, are not multiplied out before that, when like terms merge. The empty sum is 0. Numbers stand for
/// multiples of the identity.
///
/// ```
/// use operator_core::expression::fermion;
/// use operator_core::hilbert::SpinOrbitalFermions;
/// let hop = (fermion::create(0) * fermion::destroy(1)).plus_hc();
/// assert_eq!(
///     hop.to_string(),
///     "fermion::create(0) fermion::destroy(1) + fermion::create(1) fermion::destroy(0)"
/// );
/// assert!(hop.on(SpinOrbitalFermions::new(2)?)?.is_hermitian()?);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Expression {
    products: Vec<Product>,
    /// Whether a power stands deeper in others than formulas are read.
    too_deep: bool,
}

/// The identity.
pub fn identity() -> Expression {
    Expression::from(1.0)
}

impl Expression {
    fn of(operator: SiteOperator) -> Self {
        Self::of_products(vec![Product::of(Factor::Site(operator))])
    }

    fn of_products(products: Vec<Product>) -> Self {
        Expression { products, too_deep: false }
    }

    /// The formula 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The Hermitian conjugate.
    pub fn adjoint(&self) -> Self {
        let products = self.products.iter().map(Product::adjoint).collect();
        Expression { products, too_deep: self.too_deep }
    }

    /// The formula plus its Hermitian conjugate.
    pub fn plus_hc(self) -> Self {
        let adjoint = self.adjoint();
        self + adjoint
    }

    /// The n-th power; the 0-th is the identity.
    pub fn pow(&self, n: u32) -> Self {
        let n_factors = self.products.iter().map(|product| product.factors.len()).max().unwrap_or(0);
        let n_products = (self.products.len() as f64).powf(n.into());
        let size = n_products.max(1.0) * n_factors.max(1) as f64 * f64::from(n);
        if size <= MAX_MULTIPLIED_OUT as f64 {
            return (0..n).fold(identity(), |power, _| power * self);
        }
        match Factor::power(self, n) {
            Some(power) => Self::of_products(vec![Product::of(power)]),
            None => Self::too_deep(),
        }
    }

    /// Stands for a formula that cannot be read.
    fn too_deep() -> Self {
        Expression { products: Vec::new(), too_deep: true }
    }

    /// The formula on a Hilbert space, with like terms merged.
    ///
    /// The result has Pauli strings for products of Pauli matrices, fermion strings on fermion modes, and products of
    /// sparse matrices otherwise. Factors on one site are multiplied first. Boson matrices end at the
    /// space's n_max, so `boson::destroy(0) * boson::create(0)` is 0 on n_max bosons.
    ///
    /// # Errors
    /// [`Error::SiteOutOfRange`];
    /// [`Error::WrongHilbert`] for an operator on the wrong kind of site;
    /// [`Error::NotFinite`]; [`Error::TooLarge`] if its terms do not fit into memory; [`Error::Count`] for a long product
    /// of sums that stand in each other more than 256 deep.
    pub fn on(&self, hilbert: impl Into<HilbertSpace>) -> Result<Terms> {
        if self.too_deep {
            return Err(Error::Count {
                what: "products of sums within each other in a formula".into(),
                got: MAX_DEPTH + 1,
                expected: format!(
                    "at most {MAX_DEPTH}; interpret a part of it on the space and multiply Terms"
                ),
            });
        }
        resolve::resolve(self, &hilbert.into())
    }

    /// The formula on a Hilbert space as an operator, checked and ready for any backend.
    ///
    /// # Errors
    /// As for [`on`](Self::on); [`Error::LeavesHilbert`] if it leaves a
    /// constrained space.
    pub fn definition(&self, hilbert: impl Into<HilbertSpace>) -> Result<Definition> {
        let hilbert = hilbert.into();
        let definition = Definition::new(self.short_name(), self.on(hilbert.clone())?);
        definition.map_err(|error| self.in_own_words(error, &hilbert))
    }

    /// An error about a term, with the products of this formula that the term comes from in its place.
    fn in_own_words(&self, error: Error, hilbert: &HilbertSpace) -> Error {
        let Error::LeavesHilbert { term, hilbert: space, from, to } = error else { return error };
        let gives_it = |product: &&Product| {
            let terms = Expression::of_products(vec![(*product).clone()]).on(hilbert.clone());
            terms.is_ok_and(|terms| terms.iter().any(|own| own.kind.described() == term))
        };
        let products: Vec<String> = self.products.iter().filter(gives_it).map(Product::to_string).collect();
        let term = if products.is_empty() { term } else { shortened(products.join(" + ")) };
        Error::LeavesHilbert { term, hilbert: space, from, to }
    }

    /// Only the first products of a long formula, so that naming it costs no more than what is shown.
    fn short_name(&self) -> String {
        let first = Expression::of_products(self.products.iter().take(8).cloned().collect());
        let rest = if self.products.len() > 8 { " + ..." } else { "" };
        shortened(format!("{first}{rest}"))
    }
}

impl Terms {
    /// Adds `coefficient ·` a formula, interpreted on the space of these terms.
    ///
    /// ```
    /// use operator_core::{Definition, expression::{Expression, spin::sigmax}, hilbert::Spin, terms::Terms};
    /// let mut terms = Terms::new(Spin::half(4)?);
    /// let h = terms.parameter("h", 0.5)?.at(0)?;
    /// terms.expression(-h, &(0..4).map(sigmax).sum::<Expression>())?;
    /// assert_eq!(Definition::new("field", terms)?.parameters().get("h")?, [0.5]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Expression::on`].
    pub fn expression(
        &mut self,
        coefficient: impl Into<Coefficient>,
        expression: &Expression,
    ) -> Result<&mut Self> {
        let coefficient = coefficient.into();
        for term in expression.on(self.hilbert().clone())?.iter() {
            self.push(coefficient.scaled(term.coefficient.factor), term.kind.clone())?;
        }
        Ok(self)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.products.is_empty() {
            return f.write_str("0");
        }
        for (k, product) in self.products.iter().enumerate() {
            write!(f, "{}{product}", if k == 0 { "" } else { " + " })?;
        }
        Ok(())
    }
}
