//! Stochastic reconfiguration.

use ndarray::Array1;

use super::solver::SrSolver;
use super::{Optimiser, Schedule, restore_steps, save_steps};
use crate::derivatives::Response;
use crate::error::{Error, Result};
use crate::storage::Snapshot;

/// Stochastic reconfiguration, `θ ← θ − η (S + ε)⁻¹ F` with `F = Jᵀ r = ∇E / 2` and `S = Jᵀ J`: a step η in
/// imaginary time, projected onto the variational wave functions.
///
/// With more parameters than rows of J, the same step is `−η Jᵀ (J Jᵀ + ε)⁻¹ r`, which needs a smaller matrix
/// (minSR). If both are large, conjugate gradients form neither matrix. [`SrSolver`] selects the method.
///
/// ```
/// use variational::{Schedule, Sr, SrSolver};
/// let sr = Sr::new(0.05, Schedule::exponential(0.1, 1e-3, 200))?.with_solver(SrSolver::MinSr)?;
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Source
/// Sorella, PRL 80, 4558 (1998).
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(try_from = "super::settings::SrSettings", into = "super::settings::SrSettings")
)]
pub struct Sr {
    pub(super) learning_rate: Schedule,
    pub(super) diag_shift: Schedule,
    pub(super) solver: SrSolver,
    n_steps: usize,
}

impl Sr {
    /// Sets the learning rate η and the diagonal shift ε; `Sr::new(0.05, 0.01)` is a good start.
    ///
    /// # Errors
    /// [`Error::Setting`] unless both are positive.
    pub fn new(learning_rate: impl Into<Schedule>, diag_shift: impl Into<Schedule>) -> Result<Self> {
        let learning_rate = learning_rate.into().check_positive("the learning rate")?;
        let diag_shift = diag_shift.into().check_positive("the diagonal shift")?;
        Ok(Sr { learning_rate, diag_shift, solver: SrSolver::Auto, n_steps: 0 })
    }

    /// Sets how the equations are solved; the default is [`SrSolver::Auto`].
    ///
    /// # Errors
    /// [`Error::Setting`] if the tolerance is not between 0 and 1 or the number of iterations is 0.
    pub fn with_solver(mut self, solver: SrSolver) -> Result<Self> {
        if let SrSolver::ConjugateGradients { tolerance, max_iterations } = solver {
            if !(tolerance > 0.0 && tolerance < 1.0) {
                let (what, expected) = ("the tolerance", "it must be greater than 0 and less than 1");
                return Err(Error::Setting { what, value: tolerance.to_string(), expected });
            }
            if max_iterations == 0 {
                let (what, expected) = ("max_iterations", "it must be at least 1");
                return Err(Error::Setting { what, value: "0".into(), expected });
            }
        }
        self.solver = solver;
        Ok(self)
    }

    /// `(S + ε)⁻¹ F`, with the shift of the next step.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] if rounding swallows the shift; [`Error::NotSolved`] if conjugate
    /// gradients do not converge.
    pub fn natural_gradient(&self, response: &Response) -> Result<Array1<f64>> {
        self.solver.solve(response, self.diag_shift.at(self.n_steps))
    }
}

impl Optimiser for Sr {
    fn step(&mut self, response: &Response) -> Result<Array1<f64>> {
        let step = -self.learning_rate.at(self.n_steps) * self.natural_gradient(response)?;
        self.n_steps += 1;
        Ok(step)
    }

    fn save(&self, snapshot: &mut Snapshot) {
        save_steps(snapshot, "Sr", self.n_steps);
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.n_steps = restore_steps(snapshot, "Sr")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::super::testing::{assert_close, path};
    use super::*;
    use crate::statistics::Stats;

    /// Here `S = 1/n` for n parameters and F is half the gradient, so each component shrinks by
    /// `1 − η_t a_k / 2 / (1/n + ε_t)` in step t.
    #[test]
    fn rate_and_shift_follow_their_schedules() -> Result<()> {
        let (rate, shift) = (Schedule::linear(0.2, 0.1, 4), Schedule::exponential(1.0, 1e-3, 6));
        for solver in [SrSolver::Dense, SrSolver::MinSr, SrSolver::conjugate_gradients()] {
            let mut theta = ndarray::array![1.0, -2.0, 3.0];
            let steps = path(&mut Sr::new(rate, shift)?.with_solver(solver)?, 10)?;
            for (t, found) in steps.into_iter().enumerate() {
                let factor = rate.at(t) * 0.5 / (1.0 / 3.0 + shift.at(t));
                theta.iter_mut().enumerate().for_each(|(k, x)| *x *= 1.0 - factor * (k + 1) as f64);
                assert_close(&found, &theta);
            }
        }
        Ok(())
    }

    #[test]
    fn shifts_and_rates_that_are_not_positive_are_refused() {
        for (rate, shift) in [(0.0, 1.0), (1.0, 0.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (-1.0, 1.0)] {
            assert!(matches!(Sr::new(rate, shift), Err(Error::Setting { .. })));
        }
        assert!(matches!(Sr::new(Schedule::linear(0.1, 0.0, 5), 1.0), Err(Error::Setting { .. })));
    }

    #[test]
    fn solvers_without_tolerance_or_iterations_are_refused() -> Result<()> {
        for (tolerance, max_iterations) in [(0.0, 10), (f64::NAN, 10), (1.5, 10), (1e-8, 0)] {
            let solver = SrSolver::ConjugateGradients { tolerance, max_iterations };
            assert!(matches!(Sr::new(0.1, 0.1)?.with_solver(solver), Err(Error::Setting { .. })));
        }
        Ok(())
    }

    /// One iteration of conjugate gradients does not solve equations with two eigenvalues.
    #[test]
    fn a_step_that_fails_does_not_count() -> Result<()> {
        let derivatives = ndarray::array![[1.0, 0.0], [-1.0, 0.0], [0.0, 5.0], [0.0, -5.0]];
        let energies = ndarray::array![1.0, -1.0, 1.0, -1.0].mapv(Complex64::from);
        let weights = Array1::from_elem(4, 0.25);
        let stats = Stats::exact(&energies, &weights).unwrap();
        let response = Response::new(stats, &energies, &weights, derivatives.into())?;
        let solver = SrSolver::ConjugateGradients { tolerance: 1e-8, max_iterations: 1 };
        let mut sr = Sr::new(0.1, 0.1)?.with_solver(solver)?;
        assert!(matches!(sr.step(&response), Err(Error::NotSolved { .. })));
        assert_eq!(sr.n_steps, 0);
        Ok(())
    }
}
