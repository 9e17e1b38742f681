//! The trait of backends that evaluate networks.

use std::ops::Range;

use ndarray::Array2;
use operator_core::{Backend, Result};

use super::matrix::{Field, Matrix};
use super::numbers::Real;

/// A backend that evaluates networks.
///
/// Networks and their derivatives are written once, in the operations of its [`Matrix`].
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` does not evaluate networks",
    note = "turn on the feature of the backend in the crate `variational`: `flat` (on by default) or `padded`"
)]
pub trait NetworkBackend: Backend {
    /// A matrix on the device, of numbers in single or double precision.
    type Matrix<R: Real>: Matrix<Double = Self::Matrix<f64>>;

    /// Whether [`product_of_changed`](Matrix::product_of_changed) is faster than the whole product.
    const ADDS_CHANGES: bool = false;

    /// Brings a matrix to the device.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails, here and in all other methods.
    fn matrix<R: Real>(values: Array2<f64>, device: &Self::Device) -> Result<Self::Matrix<R>>;

    /// Calls `f` with the numbers of some rows and their quantum numbers, shape `(rows, n_sites)`, and returns
    /// its results in the order of the rows: for the whole batch at once, or for blocks of rows in parallel.
    /// Blocks do not depend on the number of threads.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix), and those of `f`.
    fn by_blocks<R: Real, T: Send, F>(x: &Self::Configurations, f: F) -> Result<Vec<T>>
    where
        F: Fn(Range<usize>, &Self::Matrix<R>) -> Result<T> + Send + Sync;

    /// Amplitudes from ln ψ, shape `(batch, 1)`.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn amplitudes(log_psi: &Field<Self::Matrix<f64>>) -> Result<Self::Amplitudes>;
}
