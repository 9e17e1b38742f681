//! What each backend does for [`HamiltonianSampler`](crate::HamiltonianSampler).

#[cfg(any(feature = "flat", feature = "padded"))]
mod any;
#[cfg(feature = "flat")]
mod flat;
#[cfg(feature = "padded")]
mod padded;

use operator_core::{Backend, DiscreteOperator, Result};

/// A backend on which [`HamiltonianSampler`](crate::HamiltonianSampler) runs for operators `O`.
///
/// Implemented for the markers: for `Flat` and operators with `VisitConn` under the feature `flat`, for
/// `Padded` and operators with `TensorConn` under the feature `padded`, and for `Any`, where the operator's
/// variant chooses.
#[diagnostic::on_unimplemented(
    message = "the sampler has no implementation for backend `{Self}`",
    label = "`HamiltonianSampler` does not run `{O}`",
    note = "turn on the feature of the operator's backend: `sampler = {{ features = [\"flat\"] }}` or `[\"padded\"]`"
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

/// The x' ≠ x with `<x|O|x'>` ≠ 0 of one configuration at a time. One for each thread.
pub trait Connections: Send {
    /// Their number.
    ///
    /// # Errors
    /// As [`HamiltonianBackend::n_off_diagonal`].
    fn n_off_diagonal(&mut self, x: &[i8]) -> Result<usize>;

    /// Adds the sites on which one of them differs from `x`, (site, new quantum number), to `changes`, which
    /// is empty; `number` says which, in the order of [`HamiltonianBackend::select_off_diagonal`].
    ///
    /// # Errors
    /// As [`HamiltonianBackend::select_off_diagonal`].
    fn select_off_diagonal(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()>;

    /// Lists all of them in that order. `moves` is cleared first.
    ///
    /// Unless a backend knows it better, they are selected one after another.
    ///
    /// # Errors
    /// As [`HamiltonianBackend::select_off_diagonal`].
    fn list_off_diagonal(&mut self, x: &[i8], moves: &mut ConnectedMoves) -> Result<()> {
        moves.clear();
        let mut changes = Vec::new();
        for number in 0..self.n_off_diagonal(x)? {
            changes.clear();
            self.select_off_diagonal(x, number, &mut changes)?;
            moves.push(changes.iter().copied());
        }
        Ok(())
    }
}

/// A list of x' ≠ x by what they change, (site, new quantum number), in memory that is used again.
#[derive(Clone, Debug, Default)]
pub struct ConnectedMoves {
    changes: Vec<(usize, i8)>,
    /// Where the changes of each move end.
    ends: Vec<usize>,
}

impl ConnectedMoves {
    /// Forgets all moves.
    pub fn clear(&mut self) {
        self.changes.clear();
        self.ends.clear();
    }

    /// Adds a move.
    pub fn push(&mut self, changes: impl IntoIterator<Item = (usize, i8)>) {
        self.changes.extend(changes);
        self.ends.push(self.changes.len());
    }

    /// Number of moves.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What a move changes, if there are so many.
    pub fn get(&self, number: usize) -> Option<&[(usize, i8)]> {
        let start = number.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.changes.get(start..*self.ends.get(number)?)
    }
}
