//! What a model is.

use std::fmt::Debug;

use crate::backend::{Backend, Lower};
use crate::definition::Definition;
use crate::element::Element;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::terms::Terms;

/// An operator that writes itself as terms. Every backend can run it.
///
/// Implement two methods:
///
/// ```
/// use operator_core::{Error, Model, hilbert::{HilbertSpace, Spin}, terms::{Pauli, Terms}};
///
/// /// A chain of spins in a field that turns from x to z.
/// #[derive(Debug)]
/// struct TiltedField { n_sites: usize, angle: f64 }
///
/// impl Model for TiltedField {
///     fn hilbert(&self) -> Result<HilbertSpace, Error> {
///         Ok(Spin::half(self.n_sites)?.into())
///     }
///     fn terms(&self, terms: &mut Terms) -> Result<(), Error> {
///         for site in 0..self.n_sites {
///             terms.pauli(self.angle.cos(), &[(site, Pauli::X)])?;
///             terms.pauli(self.angle.sin(), &[(site, Pauli::Z)])?;
///         }
///         Ok(())
///     }
/// }
///
/// let field = TiltedField { n_sites: 4, angle: 0.3 }.definition()?;
/// assert_eq!(field.max_conn_size(), 5);
/// # Ok::<(), Error>(())
/// ```
///
/// `Definition::to_json` (feature `serde`) writes such a model term by term. It can be read back without the type
/// that made it.
pub trait Model: Debug {
    /// The space the operator acts on.
    ///
    /// # Errors
    /// Whatever keeps the space from being built.
    fn hilbert(&self) -> Result<HilbertSpace>;

    /// Writes the operator's terms and parameters.
    ///
    /// # Errors
    /// Whatever is wrong with the model, and the errors of [`Terms`]' methods.
    fn terms(&self, terms: &mut Terms) -> Result<()>;

    /// Whether the parameters are weights of terms that were given one by one, as those of
    /// [`PauliStrings`](crate::PauliStrings) are. Such terms need keep to a constrained space only together and for
    /// their present weights. Other models must keep to it whatever the values of their parameters; that is the default.
    fn is_list_of_terms(&self) -> bool {
        false
    }

    /// Name for messages; by default the name of the type, as the compiler prints it.
    fn name(&self) -> String {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path).to_owned()
    }

    /// What the models of this crate write to JSON besides their parameters.
    #[doc(hidden)]
    fn spec(&self) -> Option<ModelSpec> {
        None
    }

    /// The operator, checked and ready for any backend.
    ///
    /// # Errors
    /// As [`terms`](Self::terms) and [`Definition::new`].
    fn definition(&self) -> Result<Definition> {
        Definition::of(self)
    }

    /// The operator on the default device of backend `B`, with `f64` matrix elements.
    ///
    /// # Errors
    /// As [`definition`](Self::definition) and [`Definition::lower`].
    fn lower<B: Lower<f64>>(&self) -> Result<B::Operator> {
        self.definition()?.lower::<B>()
    }

    /// The operator on the default device of backend `B`, with matrix elements of type `T`.
    ///
    /// # Errors
    /// As [`definition`](Self::definition) and [`Definition::lower_as`].
    fn lower_as<B: Lower<T>, T: Element>(&self) -> Result<B::Operator> {
        self.definition()?.lower_as::<B, T>()
    }

    /// The operator on a device of backend `B`, with matrix elements of type `T`.
    ///
    /// # Errors
    /// As [`definition`](Self::definition) and [`Definition::lower_as`].
    fn lower_on<B: Lower<T>, T: Element>(&self, device: &<B as Backend>::Device) -> Result<B::Operator> {
        self.definition()?.lower_on::<B, T>(device)
    }
}

/// A model of this crate as JSON, without the values of its parameters. Empty without the feature `serde`.
///
/// Only this crate makes one, because the file of each model also has its reader.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct ModelSpec {
    #[cfg(feature = "serde")]
    pub(crate) entries: serde_json::Map<String, serde_json::Value>,
}
