use crate::backend::Backend;
use crate::error::Result;
use crate::hilbert::HilbertSpace;

/// A wave function that is evaluated in batches on backend `B`.
///
/// One method is enough to be sampled and measured; gradients and incremental evaluation are extensions.
pub trait WaveFunction<B: Backend>: Send + Sync {
    /// The space it is defined on.
    fn hilbert(&self) -> &HilbertSpace;

    /// ln ψ(x) for a batch of configurations, shape `(batch,)`.
    ///
    /// Zero amplitudes are −∞. Implementations may assume that configurations are states of the space.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes>;
}

impl<B: Backend, W: WaveFunction<B> + ?Sized> WaveFunction<B> for &W {
    fn hilbert(&self) -> &HilbertSpace {
        (**self).hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        (**self).log_psi(x)
    }
}

impl<B: Backend, W: WaveFunction<B> + ?Sized> WaveFunction<B> for Box<W> {
    fn hilbert(&self) -> &HilbertSpace {
        (**self).hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        (**self).log_psi(x)
    }
}
