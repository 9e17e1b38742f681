//! Energies that are none: what a run finds, and what it does then.

use ndarray::Array1;

use crate::error::Error;
use crate::statistics::Problem;
use crate::storage::Snapshot;

/// R̂ above which the chains of a step have broken down, rather than being short.
const BROKEN_R_HAT: f64 = 1.5;

/// The fraction of accepted moves below which they have.
const BROKEN_ACCEPTANCE: f64 = 0.005;

/// What a run does when the energy of a step is none: it is NaN, outside of what the operator allows, or its variance is,
/// chains disagree (R̂ above 1.5) or hardly move (fewer than 0.5 % of the moves are accepted).
///
/// What was found is in [`Step::problems`](super::Step::problems) and in the [log](super::RunLog), and above the
/// progress bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBreakdown {
    /// The run goes on, and says so. NaN ends it, as it ends any run.
    #[default]
    Warn,
    /// The step is an error, [`Error::NoEnergy`]. Parameters stay as they are.
    Stop,
    /// The last change of the parameters is halved, chains start again, and the energy is measured anew, up to 10 times
    /// a step. Then, or if there was no change before, the step is an error, and the parameters are those before the
    /// last change. Holds for NaN, too.
    StepBack,
}

/// Halvings of a change before a run gives up.
pub(super) const MAX_HALVINGS: usize = 10;

/// The last change of the parameters, to take back.
#[derive(Clone, Debug)]
pub(super) struct LastChange {
    /// The parameters before it.
    pub(super) before: Array1<f64>,
    pub(super) change: Array1<f64>,
    /// The optimiser's memory before it.
    pub(super) memory: Snapshot,
}

impl LastChange {
    pub(super) fn save(&self, snapshot: &mut Snapshot) {
        snapshot.insert("before", self.before.view());
        snapshot.insert("change", self.change.view());
        snapshot.insert_part("memory", self.memory.clone());
    }

    /// `None` from the snapshot of a run that does not step back, or has not taken a step.
    pub(super) fn restore(snapshot: &Snapshot, n_parameters: usize) -> crate::error::Result<Option<Self>> {
        if !snapshot.has_array("before") {
            return Ok(None);
        }
        let array = |name| snapshot.array_of_shape(name, &[n_parameters]);
        let memory = snapshot.part("memory");
        Ok(Some(LastChange { before: array("before")?, change: array("change")?, memory }))
    }
}

/// Whether this means that the energy is none.
pub(super) fn is_breakdown(problem: &Problem) -> bool {
    match problem {
        Problem::NotFinite { .. } | Problem::OutsideRange { .. } | Problem::Variance { .. } => true,
        Problem::NotConverged { r_hat } => *r_hat > BROKEN_R_HAT,
        Problem::LowAcceptance { acceptance } => *acceptance < BROKEN_ACCEPTANCE,
        Problem::FewSamples { .. } | Problem::Correlated { .. } | Problem::Sector(_) => false,
    }
}

/// Whether a step failed because the wave function or the energy is no number.
pub(super) fn is_no_number(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFinite { .. }
            | Error::ZeroWaveFunction { .. }
            | Error::Core(operator_core::Error::LogPsiNotFinite { .. })
            | Error::Sampler(
                sampler::Error::LogPsi { .. }
                    | sampler::Error::ZeroWaveFunction { .. }
                    | sampler::Error::Core(operator_core::Error::LogPsiNotFinite { .. })
            )
    )
}

/// Problems in one line each.
pub(super) fn in_words(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
