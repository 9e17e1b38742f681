//! Settings that change along a run: learning rates and shifts.

use std::f64::consts::PI;

use crate::error::{Error, Result};

/// A setting that depends on the step, such as a learning rate or a diagonal shift.
///
/// A plain number converts into a constant schedule: `Sgd::new(0.01)`. The other schedules go from a first value to a
/// last one in `n_steps` steps and stay there. The optimiser counts the steps, from 0.
///
/// ```
/// use variational::{Schedule, Sr};
///
/// let shift = Schedule::exponential(1e-1, 1e-4, 300);
/// assert!((shift.at(100) - 1e-2).abs() < 1e-15);
/// let sr = Sr::new(Schedule::cosine(0.05, 0.005, 300), shift)?;
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
pub struct Schedule {
    from: f64,
    to: f64,
    n_steps: usize,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
enum Shape {
    Linear,
    Exponential,
    Cosine,
}

impl Schedule {
    /// The same value at every step.
    pub fn constant(value: f64) -> Self {
        Schedule::linear(value, value, 0)
    }

    /// `from + (to − from) t / n_steps`.
    pub fn linear(from: f64, to: f64, n_steps: usize) -> Self {
        Schedule { from, to, n_steps, shape: Shape::Linear }
    }

    /// `from (to / from)^(t / n_steps)`.
    pub fn exponential(from: f64, to: f64, n_steps: usize) -> Self {
        Schedule { from, to, n_steps, shape: Shape::Exponential }
    }

    /// `to + (from − to) (1 + cos(π t / n_steps)) / 2`.
    pub fn cosine(from: f64, to: f64, n_steps: usize) -> Self {
        Schedule { from, to, n_steps, shape: Shape::Cosine }
    }

    /// The value at a step.
    pub fn at(&self, step: usize) -> f64 {
        let Schedule { from, to, n_steps, shape } = *self;
        if step >= n_steps {
            return to;
        }
        let part = step as f64 / n_steps as f64;
        match shape {
            Shape::Linear => from + (to - from) * part,
            Shape::Exponential => from * (to / from).powf(part),
            Shape::Cosine => to + (from - to) * 0.5 * (1.0 + (PI * part).cos()),
        }
    }

    /// Checks that the value is a positive number at every step. All shapes are monotonic, so the ends decide.
    pub(super) fn check_positive(self, what: &'static str) -> Result<Self> {
        let wrong = [self.from, self.to].into_iter().find(|value| !(*value > 0.0 && value.is_finite()));
        match wrong {
            None => Ok(self),
            Some(value) => Err(Error::Setting {
                what,
                value: value.to_string(),
                expected: "it must be a positive number",
            }),
        }
    }
}

impl From<f64> for Schedule {
    fn from(value: f64) -> Self {
        Schedule::constant(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn schedules_go_from_end_to_end_and_stay(
            from in 1e-6..1.0f64, to in 1e-6..1.0f64, n_steps in 1usize..100, step in 0usize..200
        ) {
            let shapes = [Schedule::linear, Schedule::exponential, Schedule::cosine];
            for schedule in shapes.map(|shape| shape(from, to, n_steps)) {
                prop_assert!((schedule.at(0) - from).abs() < 1e-15);
                prop_assert_eq!(schedule.at(n_steps + step), to);
                let (value, next) = (schedule.at(step), schedule.at(step + 1));
                prop_assert!((from - to) * (value - next) >= -1e-15, "monotonous");
                prop_assert!(value >= from.min(to) * 0.999999 && value <= from.max(to) * 1.000001);
            }
        }
    }

    #[test]
    fn the_middle_of_each_shape_is_its_mean() {
        let middle = |shape: fn(f64, f64, usize) -> Schedule| shape(4.0, 1.0, 10).at(5);
        assert_eq!(middle(Schedule::linear), 2.5);
        assert!((middle(Schedule::exponential) - 2.0).abs() < 1e-15);
        assert!((middle(Schedule::cosine) - 2.5).abs() < 1e-15);
        // A quarter of the way the cosine has gone (1 − cos 45°) / 2 of it.
        let quarter = 4.0 - 3.0 * 0.5 * (1.0 - 0.5f64.sqrt());
        assert!((Schedule::cosine(4.0, 1.0, 8).at(2) - quarter).abs() < 1e-15);
    }
}
