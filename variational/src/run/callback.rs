//! Callbacks: after each step they decide whether a run continues.

use std::collections::VecDeque;

use ndarray::Array1;

use super::step::Step;
use crate::error::{Error, Result};
use crate::storage::Snapshot;

/// What a callback gets after each step.
#[derive(Debug)]
#[non_exhaustive]
pub struct Event<'e, S> {
    /// The step just taken.
    pub step: &'e Step,
    /// The state, with its new parameters.
    pub state: &'e S,
}

/// A callback's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// Continue the run.
    Continue,
    /// End the run after this step for this reason.
    Stop(String),
}

/// Follows a run and may end it.
///
/// [`Vmc::on_step`](super::Vmc::on_step) takes a closure instead, whose memory checkpoints do not hold.
pub trait Callback<S> {
    /// Called after each step, before checkpoints are written.
    fn on_step(&mut self, event: &Event<'_, S>) -> Control;

    /// Saves what the callback remembers from step to step. By default it saves nothing.
    fn save(&self, _snapshot: &mut Snapshot) {}

    /// Reads back what [`save`](Self::save) saved.
    ///
    /// # Errors
    /// [`Error::Content`] if it is missing.
    fn restore(&mut self, _snapshot: &Snapshot) -> Result<()> {
        Ok(())
    }
}

/// A closure as a callback.
pub(super) struct Closure<F>(pub(super) F);

impl<S, F: FnMut(&Event<'_, S>) -> Control> Callback<S> for Closure<F> {
    fn on_step(&mut self, event: &Event<'_, S>) -> Control {
        (self.0)(event)
    }
}

/// Ends a run once its energy stops falling.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyStopping {
    patience: usize,
    min_delta: f64,
    best: Option<f64>,
    waited: usize,
}

impl EarlyStopping {
    /// Stops after `patience` steps in a row that do not lower the best energy by more than `min_delta`.
    ///
    /// # Errors
    /// [`Error::Setting`] if `patience` is 0, or `min_delta` negative or NaN.
    pub fn new(patience: usize, min_delta: f64) -> Result<Self> {
        if min_delta.is_nan() || min_delta < 0.0 {
            let (what, expected) = ("min_delta", "it must be at least 0");
            return Err(Error::Setting { what, value: min_delta.to_string(), expected });
        }
        Ok(EarlyStopping { patience: at_least_one("patience", patience)?, min_delta, best: None, waited: 0 })
    }
}

impl<S> Callback<S> for EarlyStopping {
    fn on_step(&mut self, event: &Event<'_, S>) -> Control {
        let energy = event.step.energy.mean.re;
        let best = match self.best {
            Some(best) if energy >= best - self.min_delta => best,
            _ => {
                (self.best, self.waited) = (Some(energy), 0);
                return Control::Continue;
            }
        };
        self.waited += 1;
        if self.waited < self.patience {
            return Control::Continue;
        }
        Control::Stop(format!("the energy has not fallen below {best} for {} steps", self.waited))
    }

    fn save(&self, snapshot: &mut Snapshot) {
        snapshot.note("waited", self.waited);
        if let Some(best) = self.best {
            snapshot.note("best", best);
        }
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let waited = snapshot.read_count("waited")?;
        self.best = snapshot.has_note("best").then(|| snapshot.read_note("best")).transpose()?;
        self.waited = waited;
        Ok(())
    }
}

/// Ends a run once its energy has reached a target.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvergenceStopping {
    target: f64,
    window: usize,
    patience: usize,
    energies: VecDeque<f64>,
    reached: usize,
}

impl ConvergenceStopping {
    /// Stops once the mean energy of the last 10 steps has been at most `target` 10 times in a row.
    pub fn new(target: f64) -> Self {
        ConvergenceStopping { target, window: 10, patience: 10, energies: VecDeque::new(), reached: 0 }
    }

    /// Sets the number of steps to average.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is 0.
    pub fn with_smoothing_window(mut self, window: usize) -> Result<Self> {
        self.window = at_least_one("the smoothing window", window)?;
        Ok(self)
    }

    /// Sets how many means in a row must be low enough.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is 0.
    pub fn with_patience(mut self, patience: usize) -> Result<Self> {
        self.patience = at_least_one("patience", patience)?;
        Ok(self)
    }
}

impl<S> Callback<S> for ConvergenceStopping {
    fn on_step(&mut self, event: &Event<'_, S>) -> Control {
        self.energies.push_back(event.step.energy.mean.re);
        if self.energies.len() > self.window {
            self.energies.pop_front();
        }
        let mean = self.energies.iter().sum::<f64>() / self.energies.len() as f64;
        self.reached = if mean <= self.target { self.reached + 1 } else { 0 };
        if self.reached < self.patience {
            return Control::Continue;
        }
        Control::Stop(format!("the energy has reached {mean}; the target was {}", self.target))
    }

    fn save(&self, snapshot: &mut Snapshot) {
        snapshot.insert("energies", self.energies.iter().copied().collect::<Array1<f64>>().view());
        snapshot.note("reached", self.reached);
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let energies: Array1<f64> = snapshot.array("energies")?;
        self.reached = snapshot.read_count("reached")?;
        self.energies = energies.into_iter().collect();
        Ok(())
    }
}

pub(super) fn at_least_one(what: &'static str, value: usize) -> Result<usize> {
    if value == 0 {
        return Err(Error::Setting { what, value: "0".into(), expected: "it must be at least 1" });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;
    use crate::statistics::Stats;

    /// The number of steps after which the callback stops, on these energies; through a snapshot after each
    /// step, if one is asked for.
    fn stops_after<C: Callback<()> + Clone>(new: &C, energies: &[f64], resumed: bool) -> Option<usize> {
        let mut callback = new.clone();
        for (number, &energy) in energies.iter().enumerate() {
            let energy =
                Stats::exact(&ndarray::array![Complex64::from(energy)], &ndarray::array![1.0]).unwrap();
            let step = Step { number, energy, observables: vec![], problems: vec![], n_steps_back: 0 };
            if let Control::Stop(_) = callback.on_step(&Event { step: &step, state: &() }) {
                return Some(number + 1);
            }
            if resumed {
                let mut snapshot = Snapshot::new();
                callback.save(&mut snapshot);
                callback = new.clone();
                callback.restore(&snapshot).unwrap();
            }
        }
        None
    }

    #[test]
    fn early_stopping_waits_for_a_lower_energy() -> Result<()> {
        for resumed in [false, true] {
            let stops = |patience, min_delta, energies: &[f64]| -> Result<Option<usize>> {
                Ok(stops_after(&EarlyStopping::new(patience, min_delta)?, energies, resumed))
            };
            let falling = [3.0, 2.0, 2.5, 2.1, 1.9, 1.9, 1.9, 1.9];
            assert_eq!(stops(2, 0.0, &falling)?, Some(4));
            assert_eq!(stops(3, 0.0, &falling)?, Some(8));
            assert_eq!(stops(3, 0.2, &falling)?, Some(5), "0.1 lower is not low enough");
            assert_eq!(stops(4, 0.0, &falling)?, None);
        }
        Ok(())
    }

    #[test]
    fn convergence_stopping_waits_for_the_target() -> Result<()> {
        for resumed in [false, true] {
            let stops = |window, patience, energies: &[f64]| -> Result<Option<usize>> {
                let stopping = ConvergenceStopping::new(1.0);
                let stopping = stopping.with_smoothing_window(window)?.with_patience(patience)?;
                Ok(stops_after(&stopping, energies, resumed))
            };
            let energies = [2.0, 0.9, 1.2, 0.8, 0.8, 0.8];
            assert_eq!(stops(1, 1, &energies)?, Some(2));
            assert_eq!(stops(1, 3, &energies)?, Some(6));
            // Means of two: 2, 1.45, 1.05, 1, 0.8, 0.8.
            assert_eq!(stops(2, 1, &energies)?, Some(4));
            assert_eq!(stops(2, 4, &energies)?, None);
        }
        Ok(())
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        assert!(matches!(EarlyStopping::new(0, 0.1), Err(Error::Setting { .. })));
        assert!(matches!(EarlyStopping::new(3, f64::NAN), Err(Error::Setting { .. })));
        assert!(matches!(ConvergenceStopping::new(0.0).with_patience(0), Err(Error::Setting { .. })));
        assert!(matches!(ConvergenceStopping::new(0.0).with_smoothing_window(0), Err(Error::Setting { .. })));
    }
}
