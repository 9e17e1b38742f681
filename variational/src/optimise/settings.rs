//! Optimisers in serde's formats: their settings, checked on reading. The memory of a run goes into snapshots.

use serde::{Deserialize, Serialize};

use super::{Adam, Schedule, Sgd, Sr, SrSolver};
use crate::error::{Error, Result};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SrSettings {
    learning_rate: Schedule,
    diag_shift: Schedule,
    solver: SrSolver,
}

impl From<Sr> for SrSettings {
    fn from(sr: Sr) -> Self {
        SrSettings { learning_rate: sr.learning_rate, diag_shift: sr.diag_shift, solver: sr.solver }
    }
}

impl TryFrom<SrSettings> for Sr {
    type Error = Error;

    fn try_from(settings: SrSettings) -> Result<Self> {
        Sr::new(settings.learning_rate, settings.diag_shift)?.with_solver(settings.solver)
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SgdSettings {
    learning_rate: Schedule,
    momentum: f64,
}

impl From<Sgd> for SgdSettings {
    fn from(sgd: Sgd) -> Self {
        SgdSettings { learning_rate: sgd.learning_rate, momentum: sgd.momentum }
    }
}

impl TryFrom<SgdSettings> for Sgd {
    type Error = Error;

    fn try_from(settings: SgdSettings) -> Result<Self> {
        Sgd::new(settings.learning_rate)?.with_momentum(settings.momentum)
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdamSettings {
    learning_rate: Schedule,
    betas: (f64, f64),
    epsilon: f64,
}

impl From<Adam> for AdamSettings {
    fn from(adam: Adam) -> Self {
        AdamSettings { learning_rate: adam.learning_rate, betas: adam.betas, epsilon: adam.epsilon }
    }
}

impl TryFrom<AdamSettings> for Adam {
    type Error = Error;

    fn try_from(settings: AdamSettings) -> Result<Self> {
        let (beta1, beta2) = settings.betas;
        Adam::new(settings.learning_rate)?.with_betas(beta1, beta2)?.with_epsilon(settings.epsilon)
    }
}
