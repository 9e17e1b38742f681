//! Adam.

use ndarray::{Array1, Zip};

use super::{Optimiser, Schedule, check_decay, restore_steps, save_steps};
use crate::derivatives::Response;
use crate::error::Result;
use crate::storage::Snapshot;

/// Gradient descent with a step size for each parameter, from running means of the gradient g and its square:
/// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`, and at step t = 1, 2, …
/// `θ ← θ − η m̂ / (√v̂ + ε)` with `m̂ = m / (1 − β₁ᵗ)`, `v̂ = v / (1 − β₂ᵗ)`.
///
/// # Source
/// Kingma and Ba, ICLR 2015 (arXiv:1412.6980), algorithm 1.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(try_from = "super::settings::AdamSettings", into = "super::settings::AdamSettings")
)]
pub struct Adam {
    pub(super) learning_rate: Schedule,
    pub(super) betas: (f64, f64),
    pub(super) epsilon: f64,
    /// m and v.
    moments: Option<(Array1<f64>, Array1<f64>)>,
    n_steps: usize,
}

impl Adam {
    /// Sets the learning rate η; `β₁ = 0.9`, `β₂ = 0.999` and `ε = 10⁻⁸`. `Adam::new(0.001)` is a good start.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless η is positive.
    pub fn new(learning_rate: impl Into<Schedule>) -> Result<Self> {
        let learning_rate = learning_rate.into().check_positive("the learning rate")?;
        Ok(Adam { learning_rate, betas: (0.9, 0.999), epsilon: 1e-8, moments: None, n_steps: 0 })
    }

    /// Sets how much of the running means of g and g² each step keeps.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless both are at least 0 and less than 1.
    pub fn with_betas(mut self, beta1: f64, beta2: f64) -> Result<Self> {
        self.betas = (check_decay("beta1", beta1)?, check_decay("beta2", beta2)?);
        Ok(self)
    }

    /// Sets ε, which prevents division by zero.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) unless it is positive.
    pub fn with_epsilon(mut self, epsilon: f64) -> Result<Self> {
        self.epsilon = Schedule::constant(epsilon).check_positive("epsilon")?.at(0);
        Ok(self)
    }

    /// The step for a gradient of shape `(n_parameters,)`, for functions other than energies.
    ///
    /// ```
    /// // The minimum of (θ − 3)²
    /// let (mut adam, mut theta) = (variational::Adam::new(0.1)?, ndarray::array![0.0]);
    /// for _ in 0..500 {
    ///     theta += &adam.step_from_gradient(&(2.0 * (&theta - 3.0)));
    /// }
    /// assert!((theta[0] - 3.0_f64).abs() < 1e-3);
    /// # Ok::<(), variational::Error>(())
    /// ```
    pub fn step_from_gradient(&mut self, gradient: &Array1<f64>) -> Array1<f64> {
        let zeros = || Array1::zeros(gradient.len());
        let (beta1, beta2) = self.betas;
        let (mut m, mut v) = match self.moments.take() {
            Some((m, v)) if m.len() == gradient.len() => (m, v),
            // New parameters start with new means.
            _ => {
                self.n_steps = 0;
                (zeros(), zeros())
            }
        };
        Zip::from(&mut m).and(&mut v).and(gradient).for_each(|m, v, g| {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
        });
        let rate = self.learning_rate.at(self.n_steps);
        self.n_steps += 1;
        let t = self.n_steps as f64;
        let (bias1, bias2) = (1.0 - beta1.powf(t), 1.0 - beta2.powf(t));
        let size = |m: &f64, v: &f64| -rate * (m / bias1) / ((v / bias2).sqrt() + self.epsilon);
        let step = Zip::from(&m).and(&v).map_collect(size);
        self.moments = Some((m, v));
        step
    }
}

impl Optimiser for Adam {
    fn step(&mut self, response: &Response) -> Result<Array1<f64>> {
        Ok(self.step_from_gradient(&response.gradient()))
    }

    fn save(&self, snapshot: &mut Snapshot) {
        save_steps(snapshot, "Adam", self.n_steps);
        if let Some((m, v)) = &self.moments {
            snapshot.insert("m", m.view());
            snapshot.insert("v", v.view());
        }
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        let n_steps = restore_steps(snapshot, "Adam")?;
        self.moments = match n_steps {
            0 => None,
            _ => {
                let m: Array1<f64> = snapshot.array("m")?;
                let v = snapshot.array_of_shape("v", &[m.len()])?;
                Some((m, v))
            }
        };
        self.n_steps = n_steps;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, gradient, path};
    use super::*;
    use crate::error::Error;

    /// The running means written out: `m̂_t = Σ_s β₁^(t−s) g_s / Σ_s β₁^(t−s)`, and so for the squares.
    #[test]
    fn steps_are_those_of_weighted_means_of_all_gradients() -> Result<()> {
        let (eta, beta1, beta2, epsilon) = (0.1, 0.7, 0.9, 1e-3);
        let mut adam = Adam::new(eta)?.with_betas(beta1, beta2)?.with_epsilon(epsilon)?;
        let mut theta = ndarray::array![1.0, -2.0, 3.0];
        let mut gradients: Vec<Array1<f64>> = Vec::new();
        for found in path(&mut adam, 25)? {
            gradients.push(gradient(&theta));
            let mean = |beta: f64, power: i32| -> Array1<f64> {
                let weights = (0..gradients.len() as i32).rev().map(|age| beta.powi(age));
                let total: f64 = weights.clone().sum();
                let terms = gradients.iter().zip(weights);
                let zero = Array1::zeros(theta.len());
                terms.fold(zero, |sum, (g, weight)| sum + weight * g.mapv(|g| g.powi(power))) / total
            };
            let (m, v) = (mean(beta1, 1), mean(beta2, 2));
            theta = theta - eta * m / (v.mapv(f64::sqrt) + epsilon);
            assert_close(&found, &theta);
        }
        Ok(())
    }

    /// The first step is η in the direction of each component's sign, whatever the gradient's size.
    #[test]
    fn the_first_step_has_the_size_of_the_learning_rate() -> Result<()> {
        let first = path(&mut Adam::new(0.01)?.with_epsilon(1e-300)?, 1)?;
        assert_close(&first[0], &ndarray::array![0.99, -1.99, 2.99]);
        Ok(())
    }

    #[test]
    fn settings_out_of_range_are_refused() -> Result<()> {
        assert!(matches!(Adam::new(0.0), Err(Error::Setting { .. })));
        assert!(matches!(Adam::new(0.1)?.with_betas(1.0, 0.5), Err(Error::Setting { .. })));
        assert!(matches!(Adam::new(0.1)?.with_betas(0.5, f64::NAN), Err(Error::Setting { .. })));
        assert!(matches!(Adam::new(0.1)?.with_epsilon(-1.0), Err(Error::Setting { .. })));
        Ok(())
    }
}
