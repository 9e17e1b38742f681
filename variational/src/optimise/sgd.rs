use ndarray::Array1;

use super::{Optimiser, check_positive};
use crate::error::Result;
use crate::response::Response;

/// Gradient descent with momentum, `v ← β v + ∇E`, `θ ← θ − η v`.
#[derive(Clone, Debug)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
    velocity: Option<Array1<f64>>,
}

impl Sgd {
    /// Plain descent with learning rate η.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless η is positive.
    pub fn new(learning_rate: f64) -> Result<Self> {
        let learning_rate = check_positive("the learning rate", learning_rate)?;
        Ok(Sgd { learning_rate, momentum: 0.0, velocity: None })
    }

    /// Keeps a part β of the last step's velocity.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless 0 ≤ β < 1.
    pub fn with_momentum(mut self, momentum: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&momentum) {
            return Err(crate::Error::Setting {
                what: "the momentum",
                value: momentum.to_string(),
                expected: "it must be at least 0 and less than 1",
            });
        }
        self.momentum = momentum;
        Ok(self)
    }
}

impl Optimiser for Sgd {
    fn step(&mut self, response: &Response) -> Result<Array1<f64>> {
        let gradient = response.gradient();
        let velocity = match self.velocity.take() {
            Some(velocity) if velocity.len() == gradient.len() => self.momentum * velocity + gradient,
            _ => gradient,
        };
        let step = -self.learning_rate * &velocity;
        self.velocity = Some(velocity);
        Ok(step)
    }
}
