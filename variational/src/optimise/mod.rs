//! Optimisers: they turn what a batch says about the energy into a step of the parameters.

mod adam;
mod schedule;
#[cfg(feature = "serde")]
mod settings;
mod sgd;
mod solver;
mod sr;

pub use adam::Adam;
pub use schedule::Schedule;
pub use sgd::Sgd;
pub use solver::SrSolver;
pub use sr::Sr;

use ndarray::Array1;

use crate::derivatives::Response;
use crate::error::{Error, Result};
use crate::storage::Snapshot;

/// A rule for the next step of the parameters.
///
/// An optimiser that remembers anything from step to step must implement [`save`](Self::save) and
/// [`restore`](Self::restore). Otherwise a resumed run differs from an uninterrupted one.
pub trait Optimiser {
    /// The change to add to the parameters, shape `(n_parameters,)`.
    ///
    /// # Errors
    /// Whatever prevents the step.
    fn step(&mut self, response: &Response) -> Result<Array1<f64>>;

    /// Saves what the optimiser remembers. By default it saves nothing.
    fn save(&self, _snapshot: &mut Snapshot) {}

    /// Reads back what [`save`](Self::save) saved.
    ///
    /// # Errors
    /// [`Error::Content`] if it is missing or belongs to another optimiser.
    fn restore(&mut self, _snapshot: &Snapshot) -> Result<()> {
        Ok(())
    }
}

/// Saves the number of steps taken and the optimiser's name.
fn save_steps(snapshot: &mut Snapshot, optimiser: &str, n_steps: usize) {
    snapshot.note("kind", optimiser);
    snapshot.note("n_steps", n_steps);
}

/// Reads the number of steps taken; an error if another optimiser took them.
fn restore_steps(snapshot: &Snapshot, optimiser: &str) -> Result<usize> {
    let found: String = snapshot.read_note("kind")?;
    if found != optimiser {
        let reason = format!("the optimiser was {found}; resume with it instead of {optimiser}");
        return Err(snapshot.error(reason));
    }
    snapshot.read_count("n_steps")
}

/// Checks that a decay factor is at least 0 and less than 1.
fn check_decay(what: &'static str, value: f64) -> Result<f64> {
    if !(0.0..1.0).contains(&value) {
        let expected = "it must be at least 0 and less than 1";
        return Err(Error::Setting { what, value: value.to_string(), expected });
    }
    Ok(value)
}

#[cfg(test)]
mod testing {
    //! A quadratic energy, whose gradient is known, as a [`Response`].

    use ndarray::{Array1, Array2};
    use num_complex::Complex64;

    use super::Optimiser;
    use crate::derivatives::LogDerivatives;
    use crate::derivatives::Response;
    use crate::error::Result;
    use crate::statistics::Stats;

    /// The response of `E = Σ_k a_k θ_k² / 2` with `a_k = k + 1`.
    ///
    /// Two samples a parameter, ±1 in its column, have centred derivatives and energies, and with
    /// `E_loc = ±n g_k / 2` the gradient `2 Jᵀ r` is g.
    pub(super) fn quadratic(theta: &Array1<f64>) -> Result<Response> {
        let n = theta.len();
        let sign = |row: usize| if row.is_multiple_of(2) { 1.0 } else { -1.0 };
        let derivatives =
            Array2::from_shape_fn((2 * n, n), |(row, k)| if row / 2 == k { sign(row) } else { 0.0 });
        let gradient = gradient(theta);
        let energies = Array1::from_shape_fn(2 * n, |row| {
            Complex64::from(sign(row) * 0.5 * n as f64 * gradient[row / 2])
        });
        let weights = Array1::from_elem(2 * n, 0.5 / n as f64);
        let stats = Stats::exact(&energies, &weights).unwrap();
        Response::new(stats, &energies, &weights, LogDerivatives::Real(derivatives))
    }

    pub(super) fn gradient(theta: &Array1<f64>) -> Array1<f64> {
        theta.iter().enumerate().map(|(k, theta)| (k + 1) as f64 * theta).collect()
    }

    /// The parameters after each of some steps from θ = (1, −2, 3).
    pub(super) fn path(optimiser: &mut impl Optimiser, n_steps: usize) -> Result<Vec<Array1<f64>>> {
        let mut theta = ndarray::array![1.0, -2.0, 3.0];
        (0..n_steps)
            .map(|_| {
                theta += &optimiser.step(&quadratic(&theta)?)?;
                Ok(theta.clone())
            })
            .collect()
    }

    pub(super) fn assert_close(a: &Array1<f64>, b: &Array1<f64>) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a} {b}");
    }
}
