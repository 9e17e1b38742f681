//! The trait of backends that estimate operators on samples.

use std::num::NonZeroUsize;

use ndarray::Array1;
use num_complex::Complex64;
use operator_core::{Backend, Result, WaveFunction};

/// A backend that can estimate an operator of type `O` on samples.
///
/// The backends' own operators have their kernels here. Implement it for the marker of a backend you write, or for
/// an operator that is not a [`DiscreteOperator`](operator_core::DiscreteOperator), such as a density matrix or a
/// swap: then every state of this crate can measure it.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` has no local estimators for operators of type `{O}`",
    note = "turn on the feature of the backend in the crate `variational`: `flat` for `backend_flat::Flat` (on by default), `padded` for `backend_padded::Padded`",
    note = "or implement `variational::LocalKernel<{O}>` for your backend"
)]
pub trait LocalKernel<O: ?Sized>: Backend {
    /// `O_loc(x) = Σ_x' <x|O|x'> ψ(x') / ψ(x)` of every configuration, shape `(batch,)`.
    ///
    /// At most `chunk_size` configurations are passed to the wave function at a time.
    ///
    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) or
    /// [`DeviceMismatch`](operator_core::Error::DeviceMismatch) if wave function and operator live on different
    /// spaces or devices; [`LogPsiNotFinite`](operator_core::Error::LogPsiNotFinite), which names the sample;
    /// errors of the operator and of the wave function.
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<Array1<Complex64>>;

    /// The largest size that an expectation value of the operator can have, if that is known without much work. Runs and
    /// diagnoses compare energies with it.
    fn norm_bound(_operator: &O) -> Option<f64> {
        None
    }
}
