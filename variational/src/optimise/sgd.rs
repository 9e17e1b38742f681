//! Gradient descent with momentum.

use ndarray::Array1;

use super::{Optimiser, Schedule, check_decay, restore_steps, save_steps};
use crate::derivatives::Response;
use crate::error::Result;
use crate::storage::Snapshot;

/// Gradient descent with momentum, `v ← β v + ∇E`, `θ ← θ − η v`.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(try_from = "super::settings::SgdSettings", into = "super::settings::SgdSettings")
)]
pub struct Sgd {
    pub(super) learning_rate: Schedule,
    pub(super) momentum: f64,
    velocity: Option<Array1<f64>>,
    n_steps: usize,
}

impl Sgd {
    /// Plain descent with learning rate η.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless η is positive.
    pub fn new(learning_rate: impl Into<Schedule>) -> Result<Self> {
        let learning_rate = learning_rate.into().check_positive("the learning rate")?;
        Ok(Sgd { learning_rate, momentum: 0.0, velocity: None, n_steps: 0 })
    }

    /// Sets the part β of the velocity that each step keeps.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless 0 ≤ β < 1.
    pub fn with_momentum(mut self, momentum: f64) -> Result<Self> {
        self.momentum = check_decay("the momentum", momentum)?;
        Ok(self)
    }

    /// The step for a gradient of shape `(n_parameters,)`, for functions other than energies.
    pub fn step_from_gradient(&mut self, gradient: &Array1<f64>) -> Array1<f64> {
        let velocity = match self.velocity.take() {
            Some(velocity) if velocity.len() == gradient.len() => self.momentum * velocity + gradient,
            _ => gradient.clone(),
        };
        let step = -self.learning_rate.at(self.n_steps) * &velocity;
        self.velocity = Some(velocity);
        self.n_steps += 1;
        step
    }
}

impl Optimiser for Sgd {
    fn step(&mut self, response: &Response) -> Result<Array1<f64>> {
        Ok(self.step_from_gradient(&response.gradient()))
    }

    fn save(&self, snapshot: &mut Snapshot) {
        save_steps(snapshot, "Sgd", self.n_steps);
        if let Some(velocity) = &self.velocity {
            snapshot.insert("velocity", velocity.view());
        }
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let n_steps = restore_steps(snapshot, "Sgd")?;
        self.velocity = match n_steps {
            0 => None,
            _ => Some(snapshot.array("velocity")?),
        };
        self.n_steps = n_steps;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, gradient, path};
    use super::*;

    /// Polyak's form with differences of parameters in place of a velocity:
    /// `θ' = θ − η ∇E + β (θ − θ_before)`.
    #[test]
    fn steps_with_momentum_are_those_of_the_heavy_ball() -> Result<()> {
        let (eta, beta) = (0.05, 0.8);
        let path = path(&mut Sgd::new(eta)?.with_momentum(beta)?, 20)?;
        let mut before = ndarray::array![1.0, -2.0, 3.0];
        let mut theta = &before - eta * gradient(&before);
        for found in path {
            assert_close(&found, &theta);
            let next = &theta - eta * gradient(&theta) + beta * (&theta - &before);
            before = std::mem::replace(&mut theta, next);
        }
        Ok(())
    }

    /// Without momentum each component shrinks by `1 − η_t a_k` in step t.
    #[test]
    fn the_learning_rate_follows_its_schedule() -> Result<()> {
        let rate = Schedule::linear(0.2, 0.1, 5);
        let mut theta = ndarray::array![1.0, -2.0, 3.0];
        for (step, found) in path(&mut Sgd::new(rate)?, 8)?.into_iter().enumerate() {
            theta.iter_mut().enumerate().for_each(|(k, x)| *x *= 1.0 - rate.at(step) * (k + 1) as f64);
            assert_close(&found, &theta);
        }
        Ok(())
    }
}
