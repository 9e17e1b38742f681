//! The algebra of [`Terms`] for definitions. Each result gets a name.

use std::borrow::Borrow;

use num_complex::Complex64;

use super::{Definition, Lowering};
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::overload::fallible_operators;
use crate::rounding::CUTOFF;
use crate::terms::{Terms, jordan_wigner};

/// Longer names are cut to this many letters.
const MAX_NAME: usize = 60;

fallible_operators!(Definition);

/// Algebra. `+`, `-` and `*` work between definitions and with numbers (f64 or Complex64), by value and by
/// reference. A number in a sum stands for its multiple of the identity. Each result is checked and lowered, so add many operators with [`sum`](Self::sum), or add their
/// [`Terms`]. Parameters are merged as described there.
///
/// ```
/// use operator_core::{Boundary, Graph, Ising, Heisenberg, Model, hilbert::Spin};
/// let (space, chain) = (Spin::half(4)?, Graph::chain(4, Boundary::Periodic)?);
/// let ising = Ising::new(space.clone(), &chain, 1.0, 0.5)?.definition()?;
/// let heisenberg = Heisenberg::new(space, &chain, 1.0)?.definition()?;
/// let sum = (2.0 * &ising)? + heisenberg;
/// assert_eq!(
///     sum?.to_string(),
///     "2 * Ising + Heisenberg(h = 1, J = 0.5, J_2 = 1) on Spin(1/2, 4 sites)"
/// );
/// assert_eq!((&ising - 2.0)?.to_string(), "Ising - 2(h = 1, J = 0.5) on Spin(1/2, 4 sites)");
/// assert!(ising.commutator(&ising)?.terms().is_empty());
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::HilbertMismatch`](crate::Error::HilbertMismatch) for operands on different spaces,
/// [`Error::NotFinite`](crate::Error::NotFinite) for a factor that is not finite,
/// [`Error::TooLarge`](crate::Error::TooLarge) for a product that acts on too many sites at once, and
/// [`Error::LeavesHilbert`](crate::Error::LeavesHilbert) if the result leaves a constrained space. The adjoint can
/// leave it even if the operator itself does not.
impl Definition {
    /// The sum of many operators, lowered once; see [`Terms::sum`].
    ///
    /// # Errors
    /// As [`Terms::sum`] and [`new`](Self::new).
    pub fn sum<D: Borrow<Definition>>(operands: impl IntoIterator<Item = D>) -> Result<Self> {
        Self::linear_combination(operands.into_iter().map(|operand| (1.0, operand)))
    }

    /// `Σ_k c_k A_k`, lowered once; for parameters see [`Terms::sum`].
    ///
    /// # Errors
    /// As [`sum`](Self::sum), and [`NotFinite`](crate::Error::NotFinite) for an infinite or NaN coefficient.
    pub fn linear_combination<C: Into<Complex64>, D: Borrow<Definition>>(
        operands: impl IntoIterator<Item = (C, D)>,
    ) -> Result<Self> {
        let (mut names, mut terms) = (Vec::new(), Vec::new());
        let mut cutoff = CUTOFF;
        for (factor, operand) in operands {
            let (factor, operand) = (factor.into(), operand.borrow());
            if terms.is_empty() {
                cutoff = operand.cutoff();
            }
            let mut scaled = Terms::new(operand.hilbert().clone());
            scaled.add_scaled(factor, &operand.to_terms())?;
            names.push(scaled_name(factor, operand.name()));
            terms.push(scaled);
        }
        let terms = Terms::sum(&terms)?;
        Self::build(shortened(names.join(" + ")), terms, None, Lowering { cutoff, ..Lowering::default() })
    }

    /// The operator times a number.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite).
    pub fn scaled(&self, factor: impl Into<Complex64>) -> Result<Self> {
        let factor = factor.into();
        self.derived(shortened(scaled_name(factor, self.name())), self.to_terms().scaled(factor)?)
    }

    /// The n-th power; the 0-th is the identity. See [`Terms::pow`].
    ///
    /// # Errors
    /// As [`Terms::pow`] and [`new`](Self::new).
    pub fn pow(&self, n: u32) -> Result<Self> {
        let name = match self.name() {
            name if name.contains(' ') => format!("({name})^{n}"),
            name => format!("{name}^{n}"),
        };
        self.derived(shortened(name), self.to_terms().pow(n)?)
    }

    /// The Hermitian conjugate, A†.
    ///
    /// # Errors
    /// [`Error::LeavesHilbert`](crate::Error::LeavesHilbert).
    pub fn adjoint(&self) -> Result<Self> {
        self.mapped("adjoint", |terms| Ok(terms.adjoint()))
    }

    /// The complex conjugate, A*, in the basis of configurations.
    ///
    /// # Errors
    /// [`Error::LeavesHilbert`](crate::Error::LeavesHilbert).
    pub fn conj(&self) -> Result<Self> {
        self.mapped("conj", |terms| Ok(terms.conj()))
    }

    /// The transpose, Aᵀ, in the basis of configurations.
    ///
    /// # Errors
    /// [`Error::LeavesHilbert`](crate::Error::LeavesHilbert).
    pub fn transpose(&self) -> Result<Self> {
        self.mapped("transpose", |terms| Ok(terms.transpose()))
    }

    /// The commutator, AB − BA.
    ///
    /// # Errors
    /// As [`Terms::commutator`] and [`new`](Self::new).
    pub fn commutator(&self, other: &Definition) -> Result<Self> {
        let name = format!("[{}, {}]", self.name(), other.name());
        self.derived(shortened(name), self.to_terms().commutator(&other.to_terms())?)
    }

    /// The anticommutator, AB + BA.
    ///
    /// # Errors
    /// As [`Terms::anticommutator`] and [`new`](Self::new).
    pub fn anticommutator(&self, other: &Definition) -> Result<Self> {
        let name = format!("{{{}, {}}}", self.name(), other.name());
        self.derived(shortened(name), self.to_terms().anticommutator(&other.to_terms())?)
    }

    /// The same operator with like terms merged; see [`Terms::collected`].
    ///
    /// # Errors
    /// As [`Terms::collected`].
    pub fn collected(&self) -> Result<Self> {
        self.derived(self.name(), self.to_terms().collected()?)
    }

    /// The same operator as Pauli strings; see [`Terms::to_pauli_strings`].
    ///
    /// # Errors
    /// As [`Terms::to_pauli_strings`].
    pub fn to_pauli_strings(&self) -> Result<Self> {
        self.derived(self.name(), self.to_terms().to_pauli_strings()?)
    }

    /// The same operator as local matrices; see [`Terms::to_local`].
    ///
    /// # Errors
    /// As [`Terms::to_local`].
    pub fn to_local_operator(&self) -> Result<Self> {
        self.derived(self.name(), self.to_terms().to_local()?)
    }

    /// The same operator on a tensor product; see [`Terms::embedded`].
    ///
    /// # Errors
    /// As [`Terms::embedded`].
    pub fn embedded(&self, hilbert: &HilbertSpace, first: usize) -> Result<Self> {
        self.derived(self.name(), self.to_terms().embedded(hilbert, first)?)
    }

    /// The Jordan-Wigner image on qubits; see [`jordan_wigner`].
    ///
    /// # Errors
    /// As [`jordan_wigner`].
    pub fn jordan_wigner(&self) -> Result<Self> {
        self.derived(shortened(format!("jordan_wigner({})", self.name())), jordan_wigner(&self.to_terms())?)
    }

    fn plus(&self, other: &Definition) -> Result<Self> {
        let name = format!("{} + {}", self.name(), other.name());
        self.derived(shortened(name), (self.to_terms() + other.to_terms())?)
    }

    fn minus(&self, other: &Definition) -> Result<Self> {
        let name = format!("{} - {}", self.name(), grouped(other.name()));
        self.derived(shortened(name), (self.to_terms() - other.to_terms())?)
    }

    fn times(&self, other: &Definition) -> Result<Self> {
        let name = format!("{} * {}", grouped(self.name()), grouped(other.name()));
        self.derived(shortened(name), (self.to_terms() * other.to_terms())?)
    }

    fn plus_number(&self, number: Complex64) -> Result<Self> {
        let name = match number {
            Complex64 { re, im: 0.0 } if re < 0.0 => format!("{} - {}", self.name(), -re),
            _ => format!("{} + {}", self.name(), shown(number)),
        };
        Self::new(shortened(name), (self.to_terms() + number)?)
    }

    fn subtracted_from(&self, number: Complex64) -> Result<Self> {
        let name = format!("{} - {}", shown(number), grouped(self.name()));
        Self::new(shortened(name), (number - self.to_terms())?)
    }

    fn mapped(&self, name: &str, f: impl Fn(&Terms) -> Result<Terms>) -> Result<Self> {
        self.derived(shortened(format!("{name}({})", self.name())), f(&self.to_terms())?)
    }
}

/// The name of an operator times a number.
fn scaled_name(factor: Complex64, name: &str) -> String {
    match factor {
        Complex64 { re: 1.0, im: 0.0 } => name.to_owned(),
        Complex64 { re: -1.0, im: 0.0 } => format!("-{}", grouped(name)),
        _ => format!("{} * {}", shown(factor), grouped(name)),
    }
}

/// A number in a name: in brackets if it is complex.
fn shown(number: Complex64) -> String {
    if number.im == 0.0 { number.re.to_string() } else { format!("({number})") }
}

/// A name as an operand: with brackets if it is a sum.
fn grouped(name: &str) -> String {
    if name.contains(" + ") || name.contains(" - ") { format!("({name})") } else { name.to_owned() }
}

/// A name, or the beginning of a long one.
pub(crate) fn shortened(name: String) -> String {
    if name.chars().count() <= MAX_NAME {
        return name;
    }
    name.chars().take(MAX_NAME - 4).chain(" ...".chars()).collect()
}
