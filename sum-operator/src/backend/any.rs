//! Operators whose backend is chosen at run time.

use std::fmt;
use std::str::FromStr;

use enum_dispatch::enum_dispatch;
use ndarray::ArrayView2;
use num_complex::Complex64;
use operator_core::{
    Backend, Definition, DiscreteOperator, Element, HilbertSpace, HostBackend, Lower, PackedConn,
};

use super::as_complex::AsComplex;
#[cfg(feature = "flat")]
use super::as_complex::ToComplex;
use crate::composite::forward_answers;
use crate::error::Error;
use crate::with_operator;

#[cfg(feature = "flat")]
use backend_flat::{Flat, FlatOperator, VisitConn};
#[cfg(feature = "padded")]
use backend_padded::{Padded, PaddedOperator};

/// Marker of operators whose backend is chosen at run time.
///
/// Batches are passed on the host, whatever the operator's own backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Any;

impl HostBackend for Any {
    const NAME: &'static str = "any";
}

/// The backends by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BackendKind {
    /// Dynamic shapes on ndarray.
    #[default]
    Flat,
    /// Static shapes on candle tensors.
    Padded,
}

impl FromStr for BackendKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "flat" => Ok(BackendKind::Flat),
            "padded" => Ok(BackendKind::Padded),
            other => Err(Error::UnknownBackend(other.to_owned())),
        }
    }
}

impl BackendKind {
    /// The name by which it is read, `flat` or `padded`.
    pub fn name(self) -> &'static str {
        match self {
            BackendKind::Flat => "flat",
            BackendKind::Padded => "padded",
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What stands in an operator as it is, whatever its elements.
#[enum_dispatch]
trait Chosen {
    fn space(&self) -> &HilbertSpace;
    fn defined_by(&self) -> Option<&Definition>;
    fn kind(&self) -> BackendKind;
}

macro_rules! chosen {
    ($operator:ident, $kind:expr) => {
        impl<T: Element> Chosen for $operator<T> {
            fn space(&self) -> &HilbertSpace {
                self.hilbert()
            }
            fn defined_by(&self) -> Option<&Definition> {
                self.definition()
            }
            fn kind(&self) -> BackendKind {
                $kind
            }
        }
    };
}
#[cfg(feature = "flat")]
chosen!(FlatOperator, BackendKind::Flat);
#[cfg(feature = "padded")]
chosen!(PaddedOperator, BackendKind::Padded);

/// An operator on a backend, and with an element type, that are known at run time only.
///
/// Its matrix elements are complex and its marker is [`Any`]. Samplers and local kernels work on it as on
/// any operator; they choose by its variant instead of its type. [`with_operator!`] opens it.
#[derive(Clone, Debug)]
#[enum_dispatch(Chosen)]
pub enum AnyOperator {
    /// Real, on the flat backend.
    #[cfg(feature = "flat")]
    Flat(FlatOperator<f64>),
    /// Complex, on the flat backend.
    #[cfg(feature = "flat")]
    FlatComplex(FlatOperator<Complex64>),
    /// Real, on the padded backend.
    #[cfg(feature = "padded")]
    Padded(PaddedOperator<f64>),
    /// Complex, on the padded backend.
    #[cfg(feature = "padded")]
    PaddedComplex(PaddedOperator<Complex64>),
}

impl AnyOperator {
    /// Lowers a definition to a backend; elements are real where the operator is.
    ///
    /// # Errors
    /// [`Error::BackendDisabled`]; those of [`Definition::lower`].
    pub fn lower(definition: &Definition, kind: BackendKind) -> Result<Self, Error> {
        match kind {
            #[cfg(feature = "flat")]
            BackendKind::Flat => Ok(lower_on::<Flat>(definition, &Flat::default_device())?),
            #[cfg(feature = "padded")]
            BackendKind::Padded => Ok(lower_on::<Padded>(definition, &Padded::default_device())?),
            #[cfg(not(all(feature = "flat", feature = "padded")))]
            off => Err(Error::BackendDisabled(off.name())),
        }
    }

    /// The backend it runs on.
    pub fn backend(&self) -> BackendKind {
        self.kind()
    }

    /// Connected elements with states packed into words, one bit a site; see
    /// [`PackedConn`](operator_core::PackedConn).
    ///
    /// # Errors
    /// [`Error::Backend`](operator_core::Error::Backend) on the padded backend, which packs nothing; on the flat
    /// one those of `FlatOperator::get_conn_packed_into`.
    pub fn get_conn_packed_into(
        &self,
        x: ArrayView2<'_, i8>,
        conn: &mut PackedConn<Complex64>,
    ) -> operator_core::Result<()> {
        with_operator!(
            self,
            flat(operator) => packed(operator, x, conn),
            padded(_operator) => not_packed(x, conn)
        )
    }
}

#[cfg(feature = "flat")]
fn packed<O: VisitConn<Element: ToComplex>>(
    operator: &O,
    x: ArrayView2<'_, i8>,
    conn: &mut PackedConn<Complex64>,
) -> operator_core::Result<()> {
    ToComplex::fill(conn, |conn| operator.get_conn_packed_into(x, conn))
}

#[cfg(feature = "padded")]
fn not_packed(_: ArrayView2<'_, i8>, _: &mut PackedConn<Complex64>) -> operator_core::Result<()> {
    let reason = "states are packed on the flat backend; lower the operator to it";
    Err(operator_core::Error::backend("padded", reason))
}

/// Lowers a definition to a device; elements are real where the operator is.
pub(super) fn lower_on<B>(definition: &Definition, device: &B::Device) -> operator_core::Result<AnyOperator>
where
    B: Lower<f64, Operator: Into<AnyOperator>> + Lower<Complex64, Operator: Into<AnyOperator>>,
{
    if definition.is_real() {
        Ok(definition.lower_on::<B, f64>(device)?.into())
    } else {
        Ok(definition.lower_on::<B, Complex64>(device)?.into())
    }
}

/// Asks the operator inside, as one with complex elements.
macro_rules! inside {
    ($any:ident, $name:ident $args:tt) => {
        with_operator!($any, operator => AsComplex(operator).$name $args)
    };
}

impl DiscreteOperator for AnyOperator {
    type Backend = Any;
    type Element = Complex64;

    fn hilbert(&self) -> &HilbertSpace {
        self.space()
    }

    fn definition(&self) -> Option<&Definition> {
        self.defined_by()
    }

    forward_answers!(inside, Complex64);
}

impl fmt::Display for AnyOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
