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
use crate::kernel::{Engine, Forms, Kernel};
use crate::models::{Model, ModelSpec};
use crate::parameters::Parameters;
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
    hermitian: Arc<OnceLock<bool>>,
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
    /// What its model writes to JSON, if the model has a form of its own.
    #[cfg_attr(not(feature = "serde"), expect(dead_code))]
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
    /// [`Error::UnknownParameter`] or [`Error::ParameterLength`] if names or lengths differ.
    pub fn pack(&self, parameters: Parameters) -> Result<Definition> {
        let expected = &self.0.parameters;
        if !parameters.same_shape(expected) {
            for (name, value) in parameters.iter() {
                let (got, expected) = (value.as_slice().len(), expected.get(name)?.len());
                if got != expected {
                    return Err(Error::ParameterLength { name: name.to_owned(), got, expected });
                }
            }
            return Err(Error::Count {
                what: "parameters".into(),
                got: parameters.iter().count(),
                expected: expected.names().collect::<Vec<_>>().join(", "),
            });
        }
        Ok(Definition {
            structure: self.clone(),
            parameters: Arc::new(parameters),
            hermitian: Arc::default(),
        })
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
                && self.0.parameters.same_shape(&other.0.parameters)
                && self.0.terms == other.0.terms)
    }
}

impl Definition {
    /// Checks and lowers terms.
    ///
    /// # Errors
    /// [`Error::LeavesHilbert`] if a term leaves a constrained space; [`Error::WrongHilbert`] and
    /// [`Error::TooLarge`] for terms that have no kernel.
    pub fn new(name: impl Into<String>, terms: Terms) -> Result<Self> {
        Self::build(name.into(), terms, None)
    }

    /// Checks and lowers a model, as [`Model::definition`] does.
    ///
    /// # Errors
    /// As [`Model::terms`] and [`new`](Self::new).
    pub fn of(model: &(impl Model + ?Sized)) -> Result<Self> {
        let mut terms = Terms::new(model.hilbert()?);
        model.terms(&mut terms)?;
        Self::build(model.name(), terms, model.spec())
    }

    fn build(name: String, terms: Terms, spec: Option<ModelSpec>) -> Result<Self> {
        let (hilbert, parameters, terms) = terms.into_parts();
        let (kernel, forms) = Kernel::build(&hilbert, &terms)?;
        let structure = Structure(Arc::new(StructureData {
            name,
            hilbert,
            terms,
            parameters: parameters.clone(),
            kernel: Arc::new(kernel),
            forms,
            spec,
        }));
        Ok(Definition { structure, parameters: Arc::new(parameters), hermitian: Arc::default() })
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
            let values: Vec<Complex64> = self.forms().values(&self.parameters.to_vec());
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
    /// [`Error::ComplexElements`] if `T` is real and the operator is not.
    #[doc(hidden)]
    pub fn engine<T: Element>(&self) -> Result<Engine<T>> {
        if !T::IS_COMPLEX && !self.is_real() {
            return Err(Error::ComplexElements { operator: self.to_string(), element: T::NAME });
        }
        let values = self.forms().values(&self.parameters.to_vec());
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
            .finish()
    }
}

impl fmt::Debug for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Structure").field("name", &self.name()).field("hilbert", self.hilbert()).finish()
    }
}
