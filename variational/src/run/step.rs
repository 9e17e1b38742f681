//! What a run reports: its steps and its end.

use crate::statistics::{Problem, Stats};

/// One step of an optimisation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// Its number, from 0.
    pub number: usize,
    /// The energy before the parameters changed.
    pub energy: Stats,
    /// Names and means of the observables, from the same samples as the energy.
    pub observables: Vec<(String, Stats)>,
    /// What says that the energy is none; see [`OnBreakdown`](super::OnBreakdown). The first step also says what chains
    /// cannot leave.
    pub problems: Vec<Problem>,
    /// How often the change before was halved, if the run [steps back](super::OnBreakdown::StepBack).
    pub n_steps_back: usize,
}

/// The steps of a run, and why it ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Why the run ended.
    pub end: End,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It took all its steps.
    Finished,
    /// A callback stopped it for this reason.
    Stopped(String),
    /// Ctrl-C was pressed.
    Interrupted,
}
