//! The wall between this crate and the backends: what each does for
//! [`HamiltonianSampler`](crate::HamiltonianSampler), and for chains that stay on its device.

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(feature = "flat")]
mod flat;
#[cfg(any(feature = "flat", feature = "padded"))]
mod moves;
#[cfg(not(all(feature = "flat", feature = "padded")))]
mod off;
#[cfg(feature = "padded")]
mod padded;

#[cfg(not(feature = "flat"))]
#[allow(unused_imports, reason = "sum-operator may have the backend nevertheless")]
use off as flat;
#[cfg(not(feature = "padded"))]
#[allow(unused_imports, reason = "sum-operator may have the backend nevertheless")]
use off as padded;

use operator_core::{Backend, DiscreteOperator, HilbertSpace, Result};

use crate::rule::SiteMoves;

/// A backend on which [`HamiltonianSampler`](crate::HamiltonianSampler) runs for operators `O`.
///
/// Implemented for `Flat` and operators with `VisitConn` under the feature `flat`, for `Padded` and operators with
/// `TensorConn` under the feature `padded`, and for `Any`, where the operator's own backend does the work.
#[diagnostic::on_unimplemented(
    message = "the sampler has no implementation for backend `{Self}`",
    label = "`HamiltonianSampler` does not run `{O}`",
    note = "turn on the feature of the operator's backend: `sampler = {{ package = \"lattice-sampler\", features = [\"flat\"] }}` or `[\"padded\"]`"
)]
pub trait HamiltonianBackend<O>: Backend
where
    O: DiscreteOperator<Backend = Self> + ?Sized,
{
    /// For each configuration of a batch, the number of x' ≠ x with `<x|O|x'>` ≠ 0. Length `batch`.
    ///
    /// # Errors
    /// [`SampleWidth`](operator_core::Error::SampleWidth), [`NotALocalState`](operator_core::Error::NotALocalState)
    /// and [`OutsideConstraint`](operator_core::Error::OutsideConstraint) for rows that are not states of the
    /// operator's space; [`Custom`](operator_core::Error::Custom) if a custom kernel breaks its promises;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn n_off_diagonal(operator: &O, x: &Self::Configurations) -> Result<Vec<usize>>;

    /// For each configuration of a batch, one of these x', shape `(batch, n_sites)`. `numbers`, of length `batch`,
    /// says which, in a fixed order.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) if a number is beyond the last x', or numbers are missing;
    /// otherwise as [`n_off_diagonal`](Self::n_off_diagonal).
    fn select_off_diagonal(
        operator: &O,
        x: &Self::Configurations,
        numbers: &[usize],
    ) -> Result<Self::Configurations>;

    /// The same for one configuration at a time, if the backend can, for chains that follow a
    /// [`Walker`](operator_core::Walker).
    fn connections(_operator: &O) -> Option<Box<dyn Connections + '_>> {
        None
    }

    /// Chains at `x`, states of the space, that stay on their device and move by the operator's elements, if the backend
    /// has kernels for them.
    ///
    /// # Errors
    /// As [`n_off_diagonal`](Self::n_off_diagonal).
    #[doc(hidden)]
    fn device_chains<'a>(
        _operator: &'a O,
        _x: &Self::Configurations,
    ) -> Result<Option<Box<dyn DeviceChains<Self> + 'a>>> {
        Ok(None)
    }
}

/// ln ψ of a batch of configurations.
pub type LogPsi<'a, B> = dyn Fn(&<B as Backend>::Configurations) -> Result<<B as Backend>::Amplitudes> + 'a;

/// All chains as one batch that stays on a device. Nothing is copied to the host but by [`read`](Self::read).
///
/// Random numbers are counted: a chain's numbers in a sweep follow from its key, the step and the draw.
#[doc(hidden)]
pub trait DeviceChains<B: Backend> {
    /// Evaluates ln ψ where the chains are. Called before the first step.
    ///
    /// # Errors
    /// Those of ln ψ; [`Error::Count`](crate::Error::Count) unless it has one value a chain;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn weigh(&mut self, log_psi: &LogPsi<'_, B>) -> crate::Result<()>;

    /// Takes each chain through the first `n_steps` steps of a sweep, for which it has a key.
    ///
    /// # Errors
    /// As [`weigh`](Self::weigh).
    fn sweep(&mut self, keys: &[u64], n_steps: usize, log_psi: &LogPsi<'_, B>) -> crate::Result<()>;

    /// What is proposed in a step of a sweep, if that is the next one.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn propose(&self, keys: &[u64], step: usize) -> Result<B::Configurations>;

    /// Where the chains are.
    fn configurations(&self) -> &B::Configurations;

    /// The samples of several times, those of each chain together in their order.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn samples(&self, times: &[B::Configurations]) -> Result<B::Configurations>;

    /// What the chains know, in one copy to the host.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn read(&self) -> Result<ReadChains>;
}

/// What chains on a device know, on the host.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct ReadChains {
    /// ln |ψ|² where each chain is.
    pub log_weights: Vec<f64>,
    /// Moves that all chains accepted since they were weighed.
    pub n_accepted: u64,
    /// The first step, counted from 1, at which a chain had no amplitude or no move; 0 if that was where it started.
    pub failed_step: Option<usize>,
}

/// Whether chains on this device had better stay there.
#[allow(unused_variables, reason = "there may be no backend with devices")]
pub(crate) fn has_chains_of_its_own<B: Backend>(device: &B::Device) -> bool {
    #[cfg(feature = "padded")]
    if let Some(device) = padded::device(device) {
        return padded::has_chains_of_its_own(device);
    }
    false
}

/// Chains at `x` that stay on their device and change sites, if the backend has kernels for them.
#[allow(unused_variables, reason = "there may be no backend with devices")]
pub(crate) fn device_chains<B: Backend>(
    hilbert: &HilbertSpace,
    moves: &SiteMoves,
    x: &B::Configurations,
) -> Result<Option<Box<dyn DeviceChains<B>>>> {
    #[cfg(feature = "padded")]
    if let Some(x) = padded::tensor(x) {
        return padded::device_chains(hilbert, moves, x).map(padded::of_backend);
    }
    Ok(None)
}

/// The x' ≠ x with `<x|O|x'>` ≠ 0, for one x after another. Each thread has its own.
///
/// For authors of a [`HamiltonianBackend`]. Like a [`Walker`](operator_core::Walker) it is at a configuration x,
/// where [`go_to`](Self::go_to) puts it.
pub trait Connections: Send {
    /// Goes to x, a state of the space, and returns the number of its x'. Usually x is where it stands, or the x' of
    /// the last [`propose`](Self::propose).
    ///
    /// # Errors
    /// As [`HamiltonianBackend::n_off_diagonal`].
    fn go_to(&mut self, x: &[i8]) -> Result<usize>;

    /// Adds the sites on which one of the x' differs from x, as (site, new quantum number), to `changes`, which is
    /// empty. `number` says which x', in the order of [`HamiltonianBackend::select_off_diagonal`].
    ///
    /// # Errors
    /// As [`HamiltonianBackend::select_off_diagonal`].
    fn select(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()>;

    /// The number of states connected to the x' with these changes.
    ///
    /// # Errors
    /// As [`HamiltonianBackend::n_off_diagonal`].
    fn propose(&mut self, changes: &[(usize, i8)]) -> Result<usize>;
}
