//! What samplers and estimators ask of a wave function.

use num_complex::Complex64;
use std::num::NonZeroUsize;

use crate::backend::Backend;
use crate::change_sets::ChangeSets;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::in_chunks::amplitudes_in_chunks;

/// A wave function that is evaluated in batches on backend `B`.
///
/// One method is enough to be sampled and measured; gradients and incremental evaluation are extensions.
pub trait WaveFunction<B: Backend>: Send + Sync {
    /// The space it is defined on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Where its parameters are, and where configurations must be for [`log_psi`](Self::log_psi): the backend's
    /// default device unless it is said here. States and samplers go there by themselves.
    fn device(&self) -> B::Device {
        B::default_device()
    }

    /// ln ψ(x) for a batch of configurations, shape `(batch,)`.
    ///
    /// Zero amplitudes are −∞. Implementations may assume that configurations are states of the space.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) if the device fails.
    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes>;

    /// ln ψ of configurations that differ in a few sites from others, such as those that an operator connects
    /// to samples: row k of `connected` differs from row `origins[k]` of `x`. The values are those of
    /// [`log_psi`](Self::log_psi), up to rounding.
    ///
    /// Local estimators on the host ask for it where there is no [`Walker`]. It is worth writing where much of
    /// what leads to ln ψ(x') follows from the same for x, as the first layer of a network does.
    ///
    /// # Shapes
    /// `x` is `(n_samples, n_sites)`, `connected` is `(batch, n_sites)`, and there are `batch` origins, each
    /// less than `n_samples`; returns `(batch,)`.
    ///
    /// # Errors
    /// As [`log_psi`](Self::log_psi). What looks at the origins has [`Error::Count`](crate::Error::Count) if
    /// there is not one for each row, and [`Error::OriginOutOfRange`](crate::Error::OriginOutOfRange).
    fn log_psi_connected(
        &self,
        x: &B::Configurations,
        connected: &B::Configurations,
        origins: &[usize],
    ) -> Result<B::Amplitudes> {
        let _ = (x, origins);
        self.log_psi(connected)
    }

    /// [`log_psi`](Self::log_psi) of a batch, of at most `chunk_size` configurations at a time; of all at once if
    /// it is `None`.
    ///
    /// # Errors
    /// [`Error::Count`](crate::Error::Count) if `log_psi` gives another number of values than configurations; otherwise as [`log_psi`](Self::log_psi).
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
    /// Worth writing where making a walker takes time; it must agree with [`walker`](Self::walker).
    fn has_walker(&self) -> bool {
        self.walker().is_some()
    }

    /// A [`Walker`], where following one configuration through changes of a few sites is cheaper than
    /// evaluating each anew.
    ///
    /// Samplers and local estimators on the host use it by themselves, one for each thread. A walker may be made
    /// only to find out whether there is one, unless [`has_walker`](Self::has_walker) says so; keep expensive
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

/// Follows a wave function from one configuration to the next, with what it needs in memory.
///
/// It stands at a configuration x, where [`start`](Self::start) puts it. [`ratio`](Self::ratio) asks for the
/// amplitude of an x' that differs in a few sites, and [`accept`](Self::accept) goes there. Rounding adds up
/// from move to move, so whoever walks far starts anew now and then.
///
/// Values are those of [`WaveFunction::log_psi`], and NaN where they are NaN. What a walker says depends only
/// on the calls since `start`, so that a walker may serve one chain after another.
pub trait Walker: Send {
    /// Goes to x, a state of the space, and returns ln ψ(x); −∞ for a zero amplitude.
    fn start(&mut self, x: &[i8]) -> Complex64;

    /// ψ(x') / ψ(x) for the x' that has these new quantum numbers, (site, value), and is a state of the space.
    ///
    /// No site comes twice, and each value is new. Not asked where ψ(x) is zero.
    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64;

    /// ψ(x') / ψ(x) for several x', each as [`ratio`](Self::ratio) gives it, one of `out` for each; 1 where
    /// nothing changes.
    ///
    /// Local estimators ask for all that an operator connects to x at once. It is worth writing where several
    /// take less time together than one after another. There is no last ratio after it, to be accepted.
    fn ratios(&mut self, changes: &ChangeSets, out: &mut [Complex64]) {
        for (changes, out) in changes.iter().zip(out) {
            *out = if changes.is_empty() { Complex64::ONE } else { self.ratio(changes) };
        }
    }

    /// Goes to the x' of the last [`ratio`](Self::ratio), which was not zero.
    fn accept(&mut self);
}
