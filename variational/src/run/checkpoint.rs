//! Checkpoints: a run in a file, from which it continues to the bit.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use operator_core::{DiscreteOperator, WaveFunction};

use super::breakdown::LastChange;
use super::vmc::Vmc;
use crate::derivatives::Trainable;
use crate::error::{Error, Result};
use crate::estimate::LocalKernel;
use crate::optimise::Optimiser;
use crate::state::VariationalState;
use crate::storage::Snapshot;
use crate::storage::{insert_parameters, read_parameters};

/// The format note in checkpoints.
const FORMAT: &str = "variational checkpoint 1";

impl<S, O, P> Vmc<S, O, P>
where
    S: VariationalState,
    S::Backend: LocalKernel<O>,
    S::WaveFunction: Trainable<S::Backend>,
    O: DiscreteOperator<Backend = S::Backend>,
    P: Optimiser,
{
    /// Everything the run holds: the parameters under their own names, and the memory of the state, the optimiser,
    /// the log and the callbacks.
    ///
    /// # Errors
    /// [`Error::Layout`] if the wave function's layout does not fit its parameters; otherwise as
    /// [`VariationalState::save`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        fn part(snapshot: &mut Snapshot, name: &str, save: impl FnOnce(&mut Snapshot)) {
            let mut inner = Snapshot::new();
            save(&mut inner);
            snapshot.insert_part(name, inner);
        }
        let mut snapshot = Snapshot::new();
        snapshot.note("format", FORMAT);
        snapshot.note("hilbert", self.state.wave_function().hilbert());
        snapshot.note("operator", self.operator.describe());
        snapshot.note("n_steps", self.n_steps);
        insert_parameters(&mut snapshot, self.state.wave_function())?;
        let mut state = Snapshot::new();
        self.state.save(&mut state)?;
        snapshot.insert_part("state", state);
        part(&mut snapshot, "optimiser", |inner| self.optimiser.save(inner));
        part(&mut snapshot, "log", |inner| self.log.save(inner));
        if let Some(last) = &self.last_change {
            part(&mut snapshot, "last_change", |inner| last.save(inner));
        }
        for (k, callback) in self.callbacks.iter().enumerate() {
            part(&mut snapshot, &format!("callback.{k}"), |inner| callback.save(inner));
        }
        Ok(snapshot)
    }

    /// Returns to a snapshot of the same run: one with the same kinds of wave function, state, optimiser and
    /// callbacks, in the same order and with the same settings. An error leaves the run as it was.
    ///
    /// # Errors
    /// [`Error::Content`] if the snapshot is of something else.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let before = self.snapshot()?;
        let restored = self.restore_parts(snapshot);
        if restored.is_err() {
            // The snapshot taken a moment ago fits. The first error is the one to report.
            let _ = self.restore_parts(&before);
        }
        restored
    }

    /// Writes a checkpoint: a safetensors file for [`load_checkpoint`](Self::load_checkpoint), which
    /// [`load_parameters`](crate::load_parameters) can read too. If the program ends while writing, the old file
    /// is intact.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written; otherwise as [`snapshot`](Self::snapshot).
    pub fn save_checkpoint(&self, path: impl AsRef<Path>) -> Result<()> {
        self.snapshot()?.write(path)
    }

    /// Reads a checkpoint; the run continues from it to the bit.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read; [`Error::Content`] if it is damaged or the checkpoint of something
    /// else.
    pub fn load_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.restore(&Snapshot::read(path)?)
    }

    /// Reads the file given to [`with_checkpoint`](Self::with_checkpoint) if it exists, and returns whether it did.
    ///
    /// # Errors
    /// [`Error::Setting`] without [`with_checkpoint`](Self::with_checkpoint); otherwise as
    /// [`load_checkpoint`](Self::load_checkpoint).
    pub fn resume(&mut self) -> Result<bool> {
        let Some(checkpoint) = &self.checkpoint else {
            let (what, value) = ("the checkpoint to resume from", "not set".into());
            return Err(Error::Setting { what, value, expected: "call with_checkpoint first" });
        };
        match Snapshot::read(&checkpoint.path) {
            Ok(snapshot) => self.restore(&snapshot).map(|()| true),
            Err(Error::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn restore_parts(&mut self, snapshot: &Snapshot) -> Result<()> {
        match snapshot.read_note::<String>("format") {
            Ok(format) if format == FORMAT => {}
            _ => return Err(snapshot.error(format!("not a {FORMAT:?}"))),
        }
        let (found, expected): (String, _) =
            (snapshot.read_note("hilbert")?, self.state.wave_function().hilbert().to_string());
        if found != expected {
            return Err(snapshot.error(format!("the run was on {found}; expected {expected}")));
        }
        let parameters = read_parameters(snapshot, self.state.wave_function())?;
        let n_steps = snapshot.read_count("n_steps")?;
        let last_change = LastChange::restore(&snapshot.part("last_change"), parameters.len())?;
        self.optimiser.restore(&snapshot.part("optimiser"))?;
        self.log.restore(&snapshot.part("log"))?;
        for (k, callback) in self.callbacks.iter_mut().enumerate() {
            callback.restore(&snapshot.part(&format!("callback.{k}")))?;
        }
        self.state.wave_function_mut().set_parameters(&parameters)?;
        self.state.restore(&snapshot.part("state"))?;
        (self.n_steps, self.last_change) = (n_steps, last_change);
        Ok(())
    }
}

/// Where and how often a run is saved.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    pub(super) path: PathBuf,
    /// In steps.
    pub(super) every: usize,
}

impl Checkpoint {
    /// The file for the state before a failed step, beside the last good one.
    pub(super) fn failed_path(&self) -> PathBuf {
        self.path.with_extension("failed.safetensors")
    }
}
