//! Files: snapshots of runs, and parameters of wave functions.

mod file;
mod parameter_file;
mod snapshot;

pub(crate) use file::write_atomically;
pub(crate) use parameter_file::{insert_parameters, read_parameters};
pub use parameter_file::{load_parameters, save_parameters};
pub use snapshot::{Snapshot, Storable};
