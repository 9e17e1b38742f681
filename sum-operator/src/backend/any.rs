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
use crate::error::{Error, Result};
use crate::with_operator;

#[cfg(feature = "flat")]
use backend_flat::{Flat, FlatOperator, VisitConn};
#[cfg(feature = "padded")]
use backend_padded::{Padded, PaddedOperator};

/// Marker of operators whose backend is chosen at run time.
///
/// Batches are on the host, whatever the operator's own backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Any;

impl HostBackend for Any {
    const NAME: &'static str = "any";
}

/// The name of a backend: `flat` or `padded`, as it prints and is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum BackendKind {
    /// Dynamic shapes on ndarray.
    #[default]
    Flat,
    /// Static shapes on candle tensors.
    Padded,
}

impl FromStr for BackendKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "flat" => Ok(BackendKind::Flat),
            "padded" => Ok(BackendKind::Padded),
            other => Err(Error::UnknownBackend(other.to_owned())),
        }
    }
}

impl BackendKind {
    /// The name, `flat` or `padded`.
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

/// What an operator answers without its element type.
#[enum_dispatch]
trait Untyped {
    fn space(&self) -> &HilbertSpace;
    fn defined_by(&self) -> Option<&Definition>;
    fn kind(&self) -> BackendKind;
}

macro_rules! untyped {
    ($operator:ident, $kind:expr) => {
        impl<T: Element> Untyped for $operator<T> {
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
untyped!(FlatOperator, BackendKind::Flat);
#[cfg(feature = "padded")]
untyped!(PaddedOperator, BackendKind::Padded);

/// An operator whose backend and element type are known only at run time.
///
/// Its matrix elements are complex and its marker is [`Any`]. Samplers and local kernels take it like any other
/// operator. [`with_operator!`] opens it, and `From` wraps an operator of one backend.
///
/// ```
/// use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, hilbert::Spin};
/// use sum_operator::{AnyOperator, BackendKind};
///
/// let chain = Graph::chain(4, Boundary::Periodic)?;
/// let ising = Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.definition()?;
/// let operator = AnyOperator::new(&ising, "flat".parse()?)?;
/// assert_eq!(operator.backend(), BackendKind::Flat);
/// assert_eq!(operator.max_conn_size(), 5);
/// # Ok::<(), sum_operator::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AnyOperator {
    inner: Inner,
}

/// What an [`AnyOperator`] holds, for [`with_operator!`]. Its variants depend on features.
#[doc(hidden)]
#[derive(Clone, Debug)]
#[enum_dispatch(Untyped)]
pub enum Inner {
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

macro_rules! wraps {
    ($($operator:ty),*) => {
        $(impl From<$operator> for AnyOperator {
            fn from(operator: $operator) -> Self {
                AnyOperator { inner: operator.into() }
            }
        })*
    };
}
#[cfg(feature = "flat")]
wraps!(FlatOperator<f64>, FlatOperator<Complex64>);
#[cfg(feature = "padded")]
wraps!(PaddedOperator<f64>, PaddedOperator<Complex64>);

impl AnyOperator {
    /// Lowers a definition to a backend, on its default device. Elements are real if the operator is.
    ///
    /// # Errors
    /// [`Error::BackendDisabled`]; [`Error::Core`] as [`Definition::lower`].
    pub fn new(definition: &Definition, kind: BackendKind) -> Result<Self> {
        match kind {
            #[cfg(feature = "flat")]
            BackendKind::Flat => Self::lower_on::<Flat>(definition, &Flat::default_device()),
            #[cfg(feature = "padded")]
            BackendKind::Padded => Self::lower_on::<Padded>(definition, &Padded::default_device()),
            #[cfg(not(all(feature = "flat", feature = "padded")))]
            off => Err(Error::BackendDisabled(off.name())),
        }
    }

    /// Lowers a definition to a device of a backend. Elements are real if the operator is.
    ///
    /// # Errors
    /// [`Error::Core`] as [`Definition::lower_on`].
    pub fn lower_on<B>(definition: &Definition, device: &B::Device) -> Result<Self>
    where
        B: Lower<f64, Operator: Into<Self>> + Lower<Complex64, Operator: Into<Self>>,
    {
        Ok(lower_on::<B>(definition, device)?)
    }

    /// The backend it runs on.
    pub fn backend(&self) -> BackendKind {
        self.inner.kind()
    }

    /// The operator inside, for [`with_operator!`].
    #[doc(hidden)]
    pub fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Connected elements with states packed into words, one bit a site; see
    /// [`PackedConn`](operator_core::PackedConn).
    ///
    /// # Errors
    /// On the padded backend, which packs nothing, [`Error::Backend`](operator_core::Error::Backend). On the flat
    /// backend as `FlatOperator::get_conn_packed_into`.
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

/// [`AnyOperator::lower_on`] with the core's error.
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

/// Asks the operator inside, with its answers as complex numbers.
macro_rules! inside {
    ($any:ident, $name:ident $args:tt) => {
        with_operator!($any, operator => AsComplex(operator).$name $args)
    };
}

impl DiscreteOperator for AnyOperator {
    type Backend = Any;
    type Element = Complex64;

    fn hilbert(&self) -> &HilbertSpace {
        self.inner.space()
    }

    fn definition(&self) -> Option<&Definition> {
        self.inner.defined_by()
    }

    forward_answers!(inside, Complex64);
}

impl fmt::Display for AnyOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
