//! The trait of backends that evaluate networks.

use std::ops::Range;

use ndarray::Array2;
use operator_core::{Backend, Result};

use super::matrix::{Field, Matrix};
use super::numbers::{Activation, Real};
use super::sealed::Sealed;

/// A backend that evaluates networks: `Flat` or `Padded`, with the feature of that name. Sealed; use it as a
/// bound.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` does not evaluate networks",
    note = "turn on the feature of the backend in the crate `variational`: `flat` (on by default) or `padded`"
)]
// Networks and their derivatives are written once, in terms of `Matrix`.
pub trait NetworkBackend: Backend + Sealed {
    /// A matrix on the device, of numbers in single or double precision.
    #[doc(hidden)]
    type Matrix<R: Real>: Matrix<Double = Self::Matrix<f64>>;

    /// Whether [`product_of_changed`](Matrix::product_of_changed) is faster than the whole product.
    #[doc(hidden)]
    fn adds_changes(device: &Self::Device) -> bool;

    /// Brings a matrix to the device.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails, here and in all other methods.
    #[doc(hidden)]
    fn matrix<R: Real>(values: Array2<f64>, device: &Self::Device) -> Result<Self::Matrix<R>>;

    /// Calls `f` with a range of rows and their quantum numbers, shape `(rows, n_sites)`, and returns its
    /// results in the order of the rows. There is one call for the whole batch, or one for each block of
    /// rows, in parallel. The blocks do not depend on the number of threads.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix), and any error of `f`.
    #[doc(hidden)]
    fn by_blocks<R: Real, T: Send, F>(x: &Self::Configurations, f: F) -> Result<Vec<T>>
    where
        F: Fn(Range<usize>, &Self::Matrix<R>) -> Result<T> + Send + Sync;

    /// `z[b, m] + Σ_i (x'_i − x_i) w[i, m]` for each state x' that is connected to sample b, shape
    /// `(batch · width, n_units)`; `None` if the backend has no kernel for it. `z` is `(batch, n_units)`, and `w` is
    /// `(n_sites, n_units)`.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    #[doc(hidden)]
    fn changed_layer<R: Real>(
        states: &Self::ConnStates,
        z: &Field<Self::Matrix<R>>,
        w: &Field<Self::Matrix<R>>,
    ) -> Result<Option<Field<Self::Matrix<R>>>> {
        let _ = (states, z, w);
        Ok(None)
    }

    /// `Σ_m f(z[b, m] + Σ_i (x'_i − x_i) w[i, m])` for each state x' that is connected to sample b, shape
    /// `(batch · width, 1)`, where f is an activation or the identity; `None` if the backend has no kernel for it.
    /// `z` is `(batch, n_units)`, and `w` is `(n_sites, n_units)`.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    #[doc(hidden)]
    fn sums_of_units<R: Real>(
        states: &Self::ConnStates,
        activation: Option<Activation>,
        z: &Field<Self::Matrix<R>>,
        w: &Field<Self::Matrix<R>>,
    ) -> Result<Option<Field<Self::Matrix<f64>>>> {
        let _ = (states, activation, z, w);
        Ok(None)
    }

    /// Amplitudes from ln ψ, shape `(batch, 1)`.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    #[doc(hidden)]
    fn amplitudes(log_psi: &Field<Self::Matrix<f64>>) -> Result<Self::Amplitudes>;
}
