use std::fmt::Debug;

use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;

use crate::definition::Definition;
use crate::element::Element;
use crate::error::Result;
use crate::operator::DiscreteOperator;

/// Marks where and how an operator runs.
///
/// Markers are zero-sized types, `Flat` in `backend-flat` and `Padded` in `backend-padded`. An operator
/// names its marker as [`DiscreteOperator::Backend`], and all that works on operators (samplers, local
/// kernels, expectation values, sums) finds its implementation through it. Code that is generic over
/// `B: Backend` runs on all of them.
pub trait Backend: Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// Name for messages and tables.
    const NAME: &'static str;

    /// Where the backend can run.
    type Device: Clone + Debug + Send + Sync;

    /// A batch of configurations of quantum numbers, shape `(batch, n_sites)`.
    type Configurations: Clone + Debug + Send + Sync;

    /// A complex number for each configuration of a batch, shape `(batch,)`.
    type Amplitudes: Clone + Debug + Send + Sync;

    /// Where to run when nothing else is said.
    fn default_device() -> Self::Device;

    /// Brings a batch from the host.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn from_host(x: ArrayView2<'_, i8>, device: &Self::Device) -> Result<Self::Configurations>;

    /// Brings a batch to the host.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn to_host(x: &Self::Configurations) -> Result<Array2<i8>>;

    /// Brings amplitudes to the host.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn amplitudes_to_host(amplitudes: &Self::Amplitudes) -> Result<Array1<Complex64>>;

    /// Brings amplitudes from the host, for wave functions that are evaluated there.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn amplitudes_from_host(amplitudes: Array1<Complex64>, device: &Self::Device)
    -> Result<Self::Amplitudes>;

    /// Number of configurations in a batch.
    fn batch_len(x: &Self::Configurations) -> usize;

    /// Some consecutive configurations of a batch, clamped to those there are.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn rows(x: &Self::Configurations, range: std::ops::Range<usize>) -> Result<Self::Configurations>;

    /// Replaces those rows of `x` whose entry in `replace` is true by the same rows of `y`.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn replace_rows(x: &mut Self::Configurations, y: &Self::Configurations, replace: &[bool]) -> Result<()>;
}

/// A backend that can run operators with matrix elements of type `T`.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` cannot lower operators with `{T}` matrix elements",
    note = "the backends are `backend_flat::Flat` and `backend_padded::Padded`; elements are f32, f64, Complex32, Complex64"
)]
pub trait Lower<T: Element>: Backend {
    /// The backend's operator.
    type Operator: DiscreteOperator<Backend = Self, Element = T> + Clone + Debug;

    /// Lowers a definition to this backend.
    ///
    /// # Errors
    /// [`Error::ComplexElements`](crate::Error::ComplexElements) if `T` is real and the operator is not;
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn lower(definition: &Definition, device: &Self::Device) -> Result<Self::Operator>;
}
