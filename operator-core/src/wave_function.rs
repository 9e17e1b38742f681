//! What samplers and estimators ask of a wave function.

use std::num::NonZeroUsize;
use std::sync::Arc;

use num_complex::Complex64;

use crate::backend::Backend;
use crate::change_sets::ChangeSets;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::in_chunks::amplitudes_in_chunks;

/// A wave function that is evaluated in batches on backend `B`.
///
/// Two methods are enough for sampling and measurement. Gradients and incremental evaluation are extensions.
pub trait WaveFunction<B: Backend>: Send + Sync {
    /// The space it is defined on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Where its parameters are, and where [`log_psi`](Self::log_psi) expects configurations; by default the
    /// backend's default device. States and samplers follow the wave function there.
    fn device(&self) -> B::Device {
        B::default_device()
    }

    /// ln ψ(x) for a batch of configurations, shape `(batch,)`.
    ///
    /// A zero amplitude gives −∞. Implementations may assume that configurations are states of the space.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes>;

    /// ln ψ of configurations that differ from others in a few sites, such as the x' that an operator connects to
    /// samples. Row k of `connected` differs from row `origins[k]` of `x`. The values equal those of
    /// [`log_psi`](Self::log_psi) up to rounding.
    ///
    /// Local estimators on the host call it if there is no [`Walker`]. Override it if ln ψ(x') can reuse much of the
    /// work for x, as the first layer of a network can.
    ///
    /// # Shapes
    /// `x` is `(n_samples, n_sites)`, `connected` is `(batch, n_sites)`, and there are `batch` origins, each
    /// less than `n_samples`; returns `(batch,)`.
    ///
    /// # Errors
    /// As [`log_psi`](Self::log_psi). Implementations that use the origins also return
    /// [`Error::Count`](crate::Error::Count) unless there is one for each row, and
    /// [`Error::OriginOutOfRange`](crate::Error::OriginOutOfRange).
    fn log_psi_connected(
        &self,
        x: &B::Configurations,
        connected: &B::Configurations,
        origins: &[usize],
    ) -> Result<B::Amplitudes> {
        let _ = (x, origins);
        self.log_psi(connected)
    }

    /// ln ψ of the states that an operator connects to `x`, as operators of the backend hold them, shape
    /// `(batch · width,)`. The values equal those of [`log_psi`](Self::log_psi) up to rounding.
    ///
    /// Local estimators on other devices than the host call it, and those that are tensors with gradients, which flow
    /// through it as through [`log_psi`](Self::log_psi). The default makes rows of all states. Override it if ln ψ follows
    /// from the sites that change.
    ///
    /// # Errors
    /// As [`log_psi`](Self::log_psi).
    fn log_psi_conn(&self, x: &B::Configurations, states: &B::ConnStates) -> Result<B::Amplitudes> {
        let _ = x;
        self.log_psi(&B::conn_rows(states)?)
    }

    /// [`log_psi`](Self::log_psi) of a batch, at most `chunk_size` configurations at a time. `None` means all at
    /// once.
    ///
    /// # Errors
    /// As [`log_psi`](Self::log_psi), and [`Error::Count`](crate::Error::Count) if `log_psi` does not give one value
    /// for each configuration.
    fn log_psi_in_chunks(
        &self,
        x: &B::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<B::Amplitudes> {
        let n = B::batch_len(x);
        amplitudes_in_chunks::<B>(n, chunk_size, |rows| {
            if rows == (0..n) { self.log_psi(x) } else { self.log_psi(&B::rows(x, rows)?) }
        })
    }

    /// Whether there is a [`walker`](Self::walker).
    ///
    /// Override it if a walker takes time to make. It must agree with [`walker`](Self::walker).
    fn has_walker(&self) -> bool {
        self.walker().is_some()
    }

    /// A [`Walker`], if it is cheaper to follow one configuration through changes of a few sites than to evaluate
    /// each configuration anew.
    ///
    /// Samplers and local estimators on the host use one walker a thread. The default
    /// [`has_walker`](Self::has_walker) makes a walker only to find out whether there is one, so keep expensive
    /// set-up in the wave function.
    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        None
    }
}

/// Implements [`WaveFunction`] for a pointer to a wave function.
macro_rules! forward_to_target {
    ($pointer:ty) => {
        impl<B: Backend, W: WaveFunction<B> + ?Sized> WaveFunction<B> for $pointer {
            fn hilbert(&self) -> &HilbertSpace {
                (**self).hilbert()
            }

            fn device(&self) -> B::Device {
                (**self).device()
            }

            fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
                (**self).log_psi(x)
            }

            fn log_psi_connected(
                &self,
                x: &B::Configurations,
                connected: &B::Configurations,
                origins: &[usize],
            ) -> Result<B::Amplitudes> {
                (**self).log_psi_connected(x, connected, origins)
            }

            fn log_psi_conn(&self, x: &B::Configurations, states: &B::ConnStates) -> Result<B::Amplitudes> {
                (**self).log_psi_conn(x, states)
            }

            fn log_psi_in_chunks(
                &self,
                x: &B::Configurations,
                chunk_size: Option<NonZeroUsize>,
            ) -> Result<B::Amplitudes> {
                (**self).log_psi_in_chunks(x, chunk_size)
            }

            fn has_walker(&self) -> bool {
                (**self).has_walker()
            }

            fn walker(&self) -> Option<Box<dyn Walker + '_>> {
                (**self).walker()
            }
        }
    };
}

forward_to_target!(&W);
forward_to_target!(&mut W);
forward_to_target!(Box<W>);
forward_to_target!(Arc<W>);

/// Follows a wave function from one configuration to the next and keeps intermediate results in memory.
///
/// It is at a configuration x. [`start`](Self::start) sets x, [`ratio`](Self::ratio) asks for the amplitude of
/// an x' that differs in a few sites, and [`accept`](Self::accept) moves there. Rounding errors add up from move to
/// move, so callers start anew from time to time.
///
/// Values agree with [`WaveFunction::log_psi`], NaN included. They depend only on the calls since `start`, so one
/// walker can serve several chains in turn.
pub trait Walker: Send {
    /// Moves to x, a state of the space, and returns ln ψ(x): −∞ for a zero amplitude.
    fn start(&mut self, x: &[i8]) -> Complex64;

    /// ψ(x') / ψ(x), where x' has these new quantum numbers, (site, value), and is a state of the space.
    ///
    /// Callers list no site twice, give only values that differ from those of x, and do not ask if ψ(x) is zero.
    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64;

    /// Writes ψ(x') / ψ(x) of several x' to `out`, each as [`ratio`](Self::ratio) gives it: 1 for no changes.
    ///
    /// Local estimators ask for all x' that an operator connects to x at once. Override it if several ratios
    /// together take less time than one after another. Callers do not [`accept`](Self::accept) after it.
    fn ratios(&mut self, changes: &ChangeSets, out: &mut [Complex64]) {
        for (changes, out) in changes.iter().zip(out) {
            *out = if changes.is_empty() { Complex64::ONE } else { self.ratio(changes) };
        }
    }

    /// Moves to the x' of the last [`ratio`](Self::ratio), which was not zero.
    fn accept(&mut self);
}
