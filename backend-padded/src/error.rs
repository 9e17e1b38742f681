//! Errors of candle as errors of this backend.

use operator_core::Error;

/// The backend's name in messages.
pub(crate) const BACKEND: &str = "padded";

/// An error of candle as [`Error::Backend`], for `map_err`.
///
/// ```
/// use backend_padded::failed;
/// use candle_core::{Device, Tensor};
///
/// fn total(x: &Tensor) -> operator_core::Result<f64> {
///     x.sum_all().and_then(|sum| sum.to_scalar()).map_err(failed)
/// }
/// let x = Tensor::new(&[1.0, 2.0], &Device::Cpu).map_err(failed)?;
/// assert_eq!(total(&x)?, 3.0);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub fn failed(error: candle_core::Error) -> Error {
    Error::backend(BACKEND, error)
}
