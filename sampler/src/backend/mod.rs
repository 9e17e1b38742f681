//! The wall between this crate and the backends: what each does for
//! [`HamiltonianSampler`](crate::HamiltonianSampler).

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

use operator_core::{Backend, DiscreteOperator, Result};

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
