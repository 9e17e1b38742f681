use ndarray::Array1;
use num_complex::Complex64;
#[cfg(any(feature = "flat", feature = "padded"))]
use operator_core::DiscreteOperator;
use operator_core::{Backend, Result, WaveFunction};

/// A backend that can estimate an operator of type `O` on samples.
///
/// The backends' own operators have their kernels here; whoever writes a backend, or an operator that is no
/// [`DiscreteOperator`](operator_core::DiscreteOperator) (a density matrix, a swap), implements it for the
/// marker and their type, and every state of this crate can measure it.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` has no local estimators for operators of type `{O}`",
    note = "turn on the feature of the backend in the crate `variational`: `flat` for `backend_flat::Flat` (on by default), `padded` for `backend_padded::Padded`",
    note = "or implement `variational::LocalKernel<{O}>` for your backend"
)]
pub trait LocalKernel<O: ?Sized>: Backend {
    /// `O_loc(x) = Σ_x' <x|O|x'> ψ(x') / ψ(x)` of every configuration, shape `(batch,)`.
    ///
    /// With a `chunk_size`, the wave function is never given more configurations at once.
    ///
    /// # Errors
    /// [`HilbertMismatch`](operator_core::Error::HilbertMismatch) if wave function and operator live on
    /// different spaces; [`ZeroChunkSize`](operator_core::Error::ZeroChunkSize);
    /// [`LogPsiNotFinite`](operator_core::Error::LogPsiNotFinite), which names the sample; those of the
    /// operator and of the wave function.
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<usize>,
    ) -> Result<Array1<Complex64>>;
}

#[cfg(feature = "flat")]
impl<O> LocalKernel<O> for backend_flat::Flat
where
    O: backend_flat::VisitConn + ?Sized,
{
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<usize>,
    ) -> Result<Array1<Complex64>> {
        check_spaces::<Self, O, W>(operator, wave_function)?;
        backend_flat::local_estimators(operator, wave_function, x.view(), chunk_size)
    }
}

#[cfg(feature = "padded")]
impl<O> LocalKernel<O> for backend_padded::Padded
where
    O: backend_padded::TensorConn + ?Sized,
{
    fn local_estimators<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<usize>,
    ) -> Result<Array1<Complex64>> {
        check_spaces::<Self, O, W>(operator, wave_function)?;
        backend_padded::local_estimators(operator, wave_function, x, chunk_size)
    }
}

#[cfg(any(feature = "flat", feature = "padded"))]
pub(crate) fn check_spaces<B, O, W>(operator: &O, wave_function: &W) -> Result<()>
where
    B: Backend,
    O: DiscreteOperator<Backend = B> + ?Sized,
    W: WaveFunction<B>,
{
    operator.hilbert().expect_same(wave_function.hilbert())
}
