//! Operators that are checked and lowered once: a static structure and the values of parameters.

mod algebra;
mod derivative;

pub(crate) use algebra::shortened;

use std::fmt;
use std::sync::{Arc, OnceLock};

use num_complex::Complex64;

use crate::backend::{Backend, Lower};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::kernel::{Condition, Conservation, Dropped, Engine, Forms, Kernel, Limits, Lowered};
use crate::models::{Model, ModelSpec};
use crate::parameters::Parameters;
use crate::rounding::CUTOFF;
use crate::terms::{Term, Terms};

/// An operator without a backend: its terms on their Hilbert space, and the values of its parameters.
///
/// [`Model::definition`] makes one, or [`new`](Self::new) from [`Terms`]. It is checked and lowered to kernels once;
/// backends add batches, threads and devices to them. A clone is cheap, and so are new parameters.
///
/// ```
/// use operator_core::{Definition, hilbert::Spin, terms::{Pauli, Terms}};
/// let mut terms = Terms::new(Spin::half(2)?);
/// terms.pauli(0.5, &[(0, Pauli::X), (1, Pauli::X)])?;
/// let xx = Definition::new("XX", terms)?;
/// assert!(xx.is_real() && xx.is_hermitian());
/// assert_eq!(xx.to_string(), "XX on Spin(1/2, 2 sites)");
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Definition {
    structure: Structure,
    parameters: Arc<Parameters>,
    /// The value of each of the kernel's slots.
    values: Arc<[Complex64]>,
    hermitian: Arc<OnceLock<bool>>,
}

/// For which values of its parameters an operator must keep to a constrained space.
#[derive(Clone, Copy)]
enum Keeps {
    Always,
    AtPresent,
}

/// Choices in lowering.
#[derive(Clone, Copy)]
struct Lowering {
    cutoff: f64,
    keeps: Keeps,
    limits: Limits,
}

impl Default for Lowering {
    fn default() -> Self {
        Lowering { cutoff: CUTOFF, keeps: Keeps::AtPresent, limits: Limits::default() }
    }
}

/// The static part of an operator: everything but the values of its parameters.
#[derive(Clone)]
pub struct Structure(Arc<StructureData>);

struct StructureData {
    name: String,
    hilbert: HilbertSpace,
    terms: Arc<[Term]>,
    /// The parameters as they were defined. Only names and lengths matter here.
    parameters: Parameters,
    kernel: Arc<Kernel>,
    forms: Forms,
    cutoff: f64,
    dropped: Dropped,
    /// Forms that must vanish, or the operator leaves its constrained space.
    conditions: Vec<Condition>,
    /// What its model writes to JSON, if the model has a form of its own.
    spec: Option<ModelSpec>,
}

impl Structure {
    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The Hilbert space.
    pub fn hilbert(&self) -> &HilbertSpace {
        &self.0.hilbert
    }

    /// Joins the static part with values of its parameters; nothing is lowered again.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] or [`Error::ParameterLength`] if names or lengths differ;
    /// [`Error::LeavesHilbert`] if the operator keeps to its constrained space only for other values;
    /// [`Error::NotFinite`] if a matrix element overflows.
    pub fn pack(&self, parameters: Parameters) -> Result<Definition> {
        let expected = &self.0.parameters;
        if !parameters.same_shape(expected) {
            for (name, value) in parameters.iter() {
                let (got, expected) = (value.as_slice().len(), expected.get(name)?.len());
                if got != expected {
                    return Err(Error::ParameterLength {
                        name: name.to_owned(),
                        got,
                        expected: expected.to_string(),
                    });
                }
            }
            return Err(Error::Count {
                what: "parameters".into(),
                got: parameters.iter().count(),
                expected: expected.names().collect::<Vec<_>>().join(", "),
            });
        }
        let vector = parameters.to_vec();
        self.0.conditions.iter().try_for_each(|condition| condition.check(&vector, &self.0.hilbert))?;
        let values = self.0.forms.finite_values(&parameters, self.name())?;
        self.expect_sums_fit(&values, f64::MAX, f64::NAME)?;
        Ok(Definition {
            structure: self.clone(),
            parameters: Arc::new(parameters),
            values: values.into(),
            hermitian: Arc::default(),
        })
    }

    /// Checks that sums of slots with these values are at most `limit`, the largest number of the type `element`.
    fn expect_sums_fit(&self, values: &[Complex64], limit: f64, element: &str) -> Result<()> {
        let sizes: Vec<f64> = values.iter().map(|value| value.norm()).collect();
        if self.0.kernel.is_bounded_by(limit, &sizes) {
            return Ok(());
        }
        let what =
            format!("the sum of terms of {} that add up to one matrix element, in {element},", self.name());
        Err(Error::NotFinite { what, value: f64::INFINITY.into() })
    }

    /// The spec without parameter values, where the model has one.
    #[cfg(feature = "serde")]
    pub(crate) fn spec(&self) -> Option<&ModelSpec> {
        self.0.spec.as_ref()
    }
}

impl PartialEq for Structure {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.hilbert == other.0.hilbert
                && self.0.cutoff == other.0.cutoff
                && self.0.parameters.same_shape(&other.0.parameters)
                && self.0.terms == other.0.terms)
    }
}

impl Definition {
    /// Checks and lowers terms.
    ///
    /// Terms that lead to the same states are merged first. Coefficients that are only rounding beside the largest
    /// one are dropped; see [`with_cutoff`](Self::with_cutoff). On a constrained space, terms may leave it as long as
    /// their sum does not, whatever the values of the parameters: XX + YY with one parameter keeps the magnetisation,
    /// XX and YY with a parameter each do not.
    ///
    /// # Errors
    /// [`Error::LeavesHilbert`] if terms leave a constrained space; [`Error::WrongHilbert`] and
    /// [`Error::TooLarge`] for terms that have no kernel; [`Error::NotFinite`] if a matrix element, such as a product
    /// of a factor and a parameter, overflows.
    pub fn new(name: impl Into<String>, terms: Terms) -> Result<Self> {
        Self::build(name.into(), terms, None, Lowering { keeps: Keeps::Always, ..Lowering::default() })
    }

    /// As [`new`](Self::new) with another [cutoff](Self::with_cutoff).
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`Error::Cutoff`].
    pub fn new_with_cutoff(name: impl Into<String>, terms: Terms, cutoff: f64) -> Result<Self> {
        Self::build(
            name.into(),
            terms,
            None,
            Lowering { cutoff, keeps: Keeps::Always, ..Lowering::default() },
        )
    }

    /// Checks and lowers a model, as [`Model::definition`] does.
    ///
    /// A [list of terms](Model::is_list_of_terms) need keep to a constrained space only for its present weights: the
    /// strings XX and YY of [`PauliStrings`](crate::PauliStrings) keep the magnetisation while their weights are equal.
    /// [`Structure::pack`] then refuses values for which it does not.
    ///
    /// # Errors
    /// As [`Model::terms`] and [`new`](Self::new).
    pub fn of(model: &(impl Model + ?Sized)) -> Result<Self> {
        let mut terms = Terms::new(model.hilbert()?);
        model.terms(&mut terms)?;
        let keeps = if model.is_list_of_terms() { Keeps::AtPresent } else { Keeps::Always };
        Self::build(model.name(), terms, model.spec(), Lowering { keeps, ..Lowering::default() })
    }

    /// The same operator with another cutoff, 1e-14 by default, 0 to keep everything.
    ///
    /// Where like terms are merged, coefficients of at most the cutoff times the operator's largest coefficient are
    /// dropped. Parameters are not compared with constants or with each other: what multiplies a parameter is compared
    /// with the largest number that multiplies it. A multiple of the identity does not count as largest.
    /// [`dropped`](Self::dropped) says what was left out.
    ///
    /// ```
    /// use operator_core::{Definition, hilbert::Qubit, terms::{Pauli, Terms}};
    /// let mut terms = Terms::new(Qubit::new(2)?);
    /// terms.pauli(1.0, &[(0, Pauli::X)])?.pauli(3e-17, &[(1, Pauli::X)])?;
    /// let clean = Definition::new("clean", terms)?;
    /// assert_eq!((clean.max_conn_size(), clean.dropped().count), (1, 1));
    /// assert_eq!(clean.with_cutoff(0.0)?.max_conn_size(), 2);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Cutoff`] unless it is from 0 to below 1; [`Error::LeavesHilbert`] if what a lower cutoff keeps leaves
    /// a constrained space.
    pub fn with_cutoff(&self, cutoff: f64) -> Result<Self> {
        let spec = self.structure.0.spec.clone();
        Self::build(self.name().to_owned(), self.to_terms(), spec, Lowering { cutoff, ..Lowering::default() })
    }

    /// The fraction of the largest coefficient up to which others are dropped.
    pub fn cutoff(&self) -> f64 {
        self.structure.0.cutoff
    }

    /// The coefficients that were left out because of the [cutoff](Self::with_cutoff).
    pub fn dropped(&self) -> Dropped {
        self.structure.0.dropped
    }

    /// Terms that keep to a constrained space at least for the present values of their parameters, such as the results
    /// of the algebra.
    #[cfg(feature = "serde")]
    pub(crate) fn at_present(name: impl Into<String>, terms: Terms) -> Result<Self> {
        Self::build(name.into(), terms, None, Lowering::default())
    }

    /// A result of the algebra, with this operator's cutoff.
    fn derived(&self, name: impl Into<String>, terms: Terms) -> Result<Self> {
        Self::build(name.into(), terms, None, Lowering { cutoff: self.cutoff(), ..Lowering::default() })
    }

    /// The same operator in another kernel, to test that on small spaces.
    #[cfg(feature = "testing")]
    pub(crate) fn lowered_with(&self, limits: Limits) -> Result<Self> {
        let lowering = Lowering { limits, ..Lowering::default() };
        Self::build(self.name().to_owned(), self.to_terms(), None, lowering)
    }

    fn build(
        name: String,
        terms: Terms,
        spec: Option<ModelSpec>,
        Lowering { cutoff, keeps, limits }: Lowering,
    ) -> Result<Self> {
        if !(0.0..1.0).contains(&cutoff) {
            return Err(Error::Cutoff { cutoff });
        }
        let (hilbert, parameters, terms) = terms.into_parts();
        let values = parameters.to_vec();
        let conservation = match keeps {
            Keeps::Always => Conservation::Always,
            Keeps::AtPresent => Conservation::at(&values),
        };
        let Lowered { kernel, forms, dropped, conditions } =
            Kernel::build(&hilbert, &terms, cutoff, conservation, limits)?;
        let structure = Structure(Arc::new(StructureData {
            name,
            hilbert,
            terms,
            parameters: parameters.clone(),
            kernel: Arc::new(kernel),
            forms,
            cutoff,
            dropped,
            conditions,
            spec,
        }));
        structure.pack(parameters)
    }

    /// Name of the model.
    pub fn name(&self) -> &str {
        self.structure.name()
    }

    /// The Hilbert space.
    pub fn hilbert(&self) -> &HilbertSpace {
        self.structure.hilbert()
    }

    /// The terms, in the order they were written.
    pub fn terms(&self) -> &[Term] {
        &self.structure.0.terms
    }

    /// The terms as they were written, with the present values of the parameters.
    pub fn to_terms(&self) -> Terms {
        Terms::from_parts(self.hilbert().clone(), self.parameters().clone(), self.terms().to_vec())
    }

    /// The parameters and their values.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The static part.
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Splits the operator into dynamic and static data; [`Structure::pack`] is the inverse.
    pub fn unpack(&self) -> (Parameters, Structure) {
        (self.parameters.as_ref().clone(), self.structure.clone())
    }

    /// The same operator with other values of its parameters.
    ///
    /// # Errors
    /// See [`Structure::pack`].
    pub fn with_parameters(&self, parameters: Parameters) -> Result<Self> {
        self.structure.pack(parameters)
    }

    /// The linear forms that give the values of the kernel's slots, [`Engine::values`].
    #[doc(hidden)]
    pub fn forms(&self) -> &Forms {
        &self.structure.0.forms
    }

    /// Whether all matrix elements are real, whatever the parameters.
    pub fn is_real(&self) -> bool {
        self.forms().is_real()
    }

    /// Whether the operator is Hermitian for the present parameters, on the space without its constraint.
    ///
    /// The matrix elements decide, up to rounding.
    pub fn is_hermitian(&self) -> bool {
        *self.hermitian.get_or_init(|| {
            let mut values = self.values.to_vec();
            self.structure.0.kernel.extend_values(&mut values);
            self.structure.0.kernel.is_hermitian(&values)
        })
    }

    /// A bound of the norm: `|<ψ|O|ψ>| ≤ norm_bound <ψ|ψ>` for every ψ, for the present parameters.
    ///
    /// It is the sum of the norms of the terms, each `|coefficient|` times 1 for strings, and at most
    /// `sqrt(‖A‖₁ ‖A‖∞)` for a matrix A. So no eigenvalue is below `−norm_bound`, and no energy that was sampled well.
    ///
    /// ```
    /// use operator_core::{Boundary, Graph, Heisenberg, Model, hilbert::Spin};
    /// let ring = Graph::chain(4, Boundary::Periodic)?;
    /// let heisenberg = Heisenberg::new(Spin::half(4)?, &ring, 1.0)?.definition()?;
    /// // The ground state has the energy −8; a single bond has −3 at least.
    /// assert_eq!(heisenberg.norm_bound(), 12.0);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    pub fn norm_bound(&self) -> f64 {
        let parameters = self.parameters.to_vec();
        self.terms().iter().map(|term| term.norm_bound(&parameters)).sum()
    }

    /// Upper bound of the number of connected elements of any configuration, for any parameters.
    ///
    /// It is the number of groups of terms with different x'. Some configuration reaches it unless groups exclude
    /// each other: the bonds of a Heisenberg model cannot all be antiparallel on a frustrated lattice. If few
    /// modes are filled, or few are empty, it counts the hops that can start from that many.
    pub fn max_conn_size(&self) -> usize {
        self.structure.0.kernel.max_conn_size()
    }

    /// The kernel with its values, for backends.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if `T` is real and the operator is not; [`Error::NotFinite`] if a value does not
    /// fit `T`.
    #[doc(hidden)]
    pub fn engine<T: Element>(&self) -> Result<Engine<T>> {
        if !T::IS_COMPLEX && !self.is_real() {
            return Err(Error::ComplexElements { operator: self.to_string(), element: T::NAME });
        }
        let values: Vec<T> = self.values.iter().map(|&z| T::from_complex(z)).collect();
        if let Some(slot) = values.iter().position(|value| !value.to_complex().is_finite()) {
            let what = format!("a matrix element of {self}, lowered to {},", T::NAME);
            return Err(Error::NotFinite { what, value: self.values[slot] });
        }
        if size_of::<T::Real>() == size_of::<f32>() {
            self.structure.expect_sums_fit(&self.values, f32::MAX.into(), T::NAME)?;
        }
        Ok(Engine::new(self.structure.0.kernel.clone(), values))
    }

    /// The operator on backend `B` with `f64` matrix elements, on the backend's default device.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if it is not real; [`Error::Backend`] if the device fails.
    pub fn lower<B: Lower<f64>>(&self) -> Result<B::Operator> {
        self.lower_as::<B, f64>()
    }

    /// The operator on backend `B` with matrix elements of type `T`, on the backend's default device.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if `T` is real and the operator is not; [`Error::Backend`] if the device
    /// fails.
    pub fn lower_as<B: Lower<T>, T: Element>(&self) -> Result<B::Operator> {
        B::lower(self, &B::default_device())
    }

    /// The operator on a given device.
    ///
    /// # Errors
    /// As [`lower_as`](Self::lower_as).
    pub fn lower_on<B: Lower<T>, T: Element>(&self, device: &<B as Backend>::Device) -> Result<B::Operator> {
        B::lower(self, device)
    }
}

/// Equal if terms, their order, spaces and parameters are equal. Names do not count.
impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.parameters == other.parameters && self.structure == other.structure
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())?;
        if self.parameters.n_values() > 0 {
            write!(f, "({})", self.parameters)?;
        }
        write!(f, " on {}", self.hilbert())
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("name", &self.name())
            .field("hilbert", self.hilbert())
            .field("n_terms", &self.terms().len())
            .field("parameters", &self.parameters)
            .field("max_conn_size", &self.max_conn_size())
            .field("dropped", &self.dropped())
            .finish()
    }
}

impl fmt::Debug for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Structure").field("name", &self.name()).field("hilbert", self.hilbert()).finish()
    }
}
