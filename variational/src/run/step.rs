//! What a run tells of its steps and of its end.

use crate::statistics::Stats;

/// One step of an optimisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its number, from 0.
    pub number: usize,
    /// The energy before the parameters were changed.
    pub energy: Stats,
    /// Names and means of the observables, from the same samples.
    pub observables: Vec<(String, Stats)>,
}

/// The steps of a run, and how it came to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Why there are no more of them.
    pub end: End,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All steps were taken.
    Finished,
    /// A callback stopped it, for this reason.
    Stopped(String),
    /// Ctrl-C was pressed.
    Interrupted,
}
