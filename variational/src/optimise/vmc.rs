use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use operator_core::DiscreteOperator;

use super::Optimiser;
use crate::error::{Error, Result};
use crate::local_kernel::LocalKernel;
use crate::state::VariationalState;
use crate::statistics::Stats;
use crate::trainable::Trainable;

/// One step of an optimisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its number, from 0.
    pub number: usize,
    /// The energy before the parameters were changed.
    pub energy: Stats,
}

/// Variational Monte Carlo: lowers the energy of a state, step by step.
///
/// With a [`FullSumState`](crate::FullSumState) the same without noise.
#[derive(Clone, Debug)]
pub struct Vmc<'a, S, O, P> {
    state: S,
    operator: &'a O,
    optimiser: P,
    n_steps: usize,
}

impl<'a, S, O, P> Vmc<'a, S, O, P>
where
    S: VariationalState,
    S::Backend: LocalKernel<O>,
    S::WaveFunction: Trainable<S::Backend>,
    O: DiscreteOperator<Backend = S::Backend>,
    P: Optimiser,
{
    /// Of a state, the operator whose mean is to be lowered, and a rule for the steps.
    pub fn new(state: S, operator: &'a O, optimiser: P) -> Self {
        Vmc { state, operator, optimiser, n_steps: 0 }
    }

    /// Measures the energy and changes the parameters once. After an error they are as before.
    ///
    /// # Errors
    /// Those of [`VariationalState::response`] and of the optimiser; [`Error::NotFinite`] if a parameter
    /// would become NaN or infinite.
    pub fn step(&mut self) -> Result<Step> {
        let response = self.state.response(self.operator)?;
        let change = self.optimiser.step(&response)?;
        let mut parameters = self.state.wave_function().parameters();
        if change.len() != parameters.len() {
            let (got, expected) = (vec![change.len()], vec![parameters.len()]);
            return Err(Error::Shape { what: "changes of parameters", got, expected });
        }
        parameters += &change;
        if let Some(index) = parameters.iter().position(|parameter| !parameter.is_finite()) {
            return Err(Error::NotFinite { what: "parameters", index });
        }
        self.state.wave_function_mut().set_parameters(&parameters)?;
        self.n_steps += 1;
        Ok(Step { number: self.n_steps - 1, energy: response.stats() })
    }

    /// Takes `n_steps` steps and returns them; with `progress`, a bar on the terminal shows the energy.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(&mut self, n_steps: usize, progress: bool) -> Result<Vec<Step>> {
        let bar = if progress { progress_bar(n_steps) } else { ProgressBar::hidden() };
        let mut history = Vec::with_capacity(n_steps);
        for _ in 0..n_steps {
            let step = self.step()?;
            bar.set_message(step.energy.to_string());
            bar.inc(1);
            history.push(step);
        }
        bar.finish();
        Ok(history)
    }

    /// The state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The state, to be measured.
    pub fn state_mut(&mut self) -> &mut S {
        &mut self.state
    }

    /// Ends the optimisation and returns the state.
    pub fn into_state(self) -> S {
        self.state
    }
}

fn progress_bar(n_steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} {wide_bar} {pos}/{len} E = {msg}");
    let bar = ProgressBar::new(n_steps as u64);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
