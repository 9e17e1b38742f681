//! What each backend does for [`HamiltonianSampler`](crate::HamiltonianSampler).

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(feature = "flat")]
mod flat;
#[cfg(not(all(feature = "flat", feature = "padded")))]
mod off;
#[cfg(feature = "padded")]
mod padded;

#[cfg(not(feature = "flat"))]
#[allow(unused_imports, reason = "sum-operator may have the backend all the same")]
use off as flat;
#[cfg(not(feature = "padded"))]
#[allow(unused_imports, reason = "sum-operator may have the backend all the same")]
use off as padded;

use operator_core::{Backend, DiscreteOperator, Result};

/// A backend on which [`HamiltonianSampler`](crate::HamiltonianSampler) runs for operators `O`.
///
/// Implemented for the markers: for `Flat` and operators with `VisitConn` under the feature `flat`, for
/// `Padded` and operators with `TensorConn` under the feature `padded`, and for `Any`, where the operator's
/// variant chooses.
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
    /// [`Custom`](operator_core::Error::Custom) if a custom kernel breaks its promises;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn n_off_diagonal(operator: &O, x: &Self::Configurations) -> Result<Vec<usize>>;

    /// For each configuration of a batch, the one of these x' that `numbers`, of length `batch`, says, in a
    /// fixed order. Shape `(batch, n_sites)`.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) if a number is beyond the last x', or numbers are missing;
    /// otherwise as [`n_off_diagonal`](Self::n_off_diagonal).
    fn select_off_diagonal(
        operator: &O,
        x: &Self::Configurations,
        numbers: &[usize],
    ) -> Result<Self::Configurations>;

    /// The same for one configuration at a time, where the backend can: for chains that follow a
    /// [`Walker`](operator_core::Walker).
    fn connections(_operator: &O) -> Option<Box<dyn Connections + '_>> {
        None
    }

    /// Where the operator runs, and chains with it.
    fn device(_operator: &O) -> Self::Device {
        Self::default_device()
    }
}

/// The x' ≠ x with `<x|O|x'>` ≠ 0, of one x after another. One for each thread.
///
/// For authors of a [`HamiltonianBackend`]. It stands at a configuration x, where [`go_to`](Self::go_to) puts it, as a
/// [`Walker`](operator_core::Walker) does.
pub trait Connections: Send {
    /// Goes to x, a state of the space, and returns the number of its x'. Mostly x is where it stands, or
    /// where the last [`propose`](Self::propose) led.
    ///
    /// # Errors
    /// As [`HamiltonianBackend::n_off_diagonal`].
    fn go_to(&mut self, x: &[i8]) -> Result<usize>;

    /// Adds the sites on which one of the x' differs from x, where it stands, to `changes`, which is empty:
    /// (site, new quantum number). `number` says which, in the order of
    /// [`HamiltonianBackend::select_off_diagonal`].
    ///
    /// # Errors
    /// As [`HamiltonianBackend::select_off_diagonal`].
    fn select(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()>;

    /// The number that the x' with these changes has itself.
    ///
    /// # Errors
    /// As [`HamiltonianBackend::n_off_diagonal`].
    fn propose(&mut self, changes: &[(usize, i8)]) -> Result<usize>;
}
