//! Runs: steps of an optimiser, with what is measured, written and decided along the way.

mod breakdown;
mod callback;
mod checkpoint;
mod interrupt;
mod log;
mod step;
mod vmc;

pub use breakdown::OnBreakdown;
pub use callback::{Callback, Control, ConvergenceStopping, EarlyStopping, Event};
pub use log::RunLog;
pub use step::{End, History, Step};
pub use vmc::Vmc;
