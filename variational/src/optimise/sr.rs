use faer::prelude::Solve;
use faer::{Mat, Side};
use ndarray::{Array1, Array2};

use super::{Optimiser, check_positive};
use crate::error::{Error, Result};
use crate::response::Response;

/// Stochastic reconfiguration, `θ ← θ − η (S + ε)⁻¹ F` with `F = Jᵀ r = ∇E / 2` and `S = Jᵀ J`: a step η of
/// imaginary time, projected on the wave functions that there are (Sorella, PRL 80, 4558 (1998)).
///
/// With more parameters than rows of J the same step is `−η Jᵀ (J Jᵀ + ε)⁻¹ r`, whose matrix is smaller
/// (minSR: Chen and Heyl, Nature Physics 20, 1476 (2024)). Either system is solved by Cholesky's method.
#[derive(Clone, Debug)]
pub struct Sr {
    learning_rate: f64,
    diag_shift: f64,
}

impl Sr {
    /// With learning rate η and diagonal shift ε; `Sr::new(0.05, 0.01)` is a start.
    ///
    /// # Errors
    /// [`Error::Setting`] unless both are positive.
    pub fn new(learning_rate: f64, diag_shift: f64) -> Result<Self> {
        let learning_rate = check_positive("the learning rate", learning_rate)?;
        Ok(Sr { learning_rate, diag_shift: check_positive("the diagonal shift", diag_shift)? })
    }

    /// `(S + ε)⁻¹ F`, by whichever matrix is the smaller.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] if the shift is lost in rounding.
    pub fn natural_gradient(&self, response: &Response) -> Result<Array1<f64>> {
        let (n_rows, n_parameters) = response.jacobian().dim();
        match n_parameters <= n_rows {
            true => self.in_parameter_space(response),
            false => self.in_sample_space(response),
        }
    }

    fn in_parameter_space(&self, response: &Response) -> Result<Array1<f64>> {
        let (j, r) = (to_faer(response.jacobian()), column(response.residual()));
        let z = self.solve(j.transpose() * &j, &(j.transpose() * &r))?;
        Ok(z.col(0).iter().copied().collect())
    }

    fn in_sample_space(&self, response: &Response) -> Result<Array1<f64>> {
        let (j, r) = (to_faer(response.jacobian()), column(response.residual()));
        let z = j.transpose() * self.solve(&j * j.transpose(), &r)?;
        Ok(z.col(0).iter().copied().collect())
    }

    /// `(matrix + ε)⁻¹ rhs`.
    fn solve(&self, mut matrix: Mat<f64>, rhs: &Mat<f64>) -> Result<Mat<f64>> {
        let size = matrix.nrows();
        for k in 0..size {
            matrix[(k, k)] += self.diag_shift;
        }
        match matrix.llt(Side::Lower) {
            Ok(factor) => Ok(factor.solve(rhs)),
            Err(_) => Err(Error::NotPositiveDefinite { size, diag_shift: self.diag_shift }),
        }
    }
}

impl Optimiser for Sr {
    fn step(&mut self, response: &Response) -> Result<Array1<f64>> {
        Ok(-self.learning_rate * self.natural_gradient(response)?)
    }
}

fn to_faer(matrix: &Array2<f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |row, col| matrix[[row, col]])
}

fn column(vector: &Array1<f64>) -> Mat<f64> {
    Mat::from_fn(vector.len(), 1, |row, _| vector[row])
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;
    use crate::statistics::Stats;
    use crate::trainable::LogDerivatives;

    fn response(derivatives: impl Into<LogDerivatives>, batch: usize) -> Result<Response> {
        let energies = Array1::from_shape_fn(batch, |k| Complex64::new((k as f64).sin(), 0.3 * k as f64));
        let weights = Array1::from_elem(batch, 1.0 / batch as f64);
        Response::new(Stats::exact(&energies, &weights), &energies, &weights, &derivatives.into())
    }

    #[test]
    fn parameter_space_and_sample_space_give_the_same_step() -> Result<()> {
        let sr = Sr::new(0.1, 1e-3)?;
        for (batch, n_parameters) in [(5, 12), (12, 5)] {
            let shape = (batch, n_parameters);
            let derivative = |(k, p): (usize, usize)| ((3 * k + 7 * p * p) as f64).sin();
            let complex = |at: (usize, usize)| Complex64::new(derivative(at), derivative((at.1, at.0)));
            for response in [
                response(Array2::from_shape_fn(shape, derivative), batch)?,
                response(Array2::from_shape_fn(shape, complex), batch)?,
            ] {
                let (a, b) = (sr.in_parameter_space(&response)?, sr.in_sample_space(&response)?);
                let scale = a.iter().fold(0.0f64, |max, a| max.max(a.abs()));
                assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9 * scale), "{a} {b}");
                // The step solves (JᵀJ + ε) δ = Jᵀ r.
                let j = response.jacobian();
                let left = j.t().dot(&j.dot(&a)) + 1e-3 * &a;
                let right = 0.5 * response.gradient();
                assert!(left.iter().zip(&right).all(|(a, b)| (a - b).abs() < 1e-10), "{left} {right}");
            }
        }
        Ok(())
    }

    #[test]
    fn shifts_and_rates_that_are_not_positive_are_refused() {
        for (rate, shift) in [(0.0, 1.0), (1.0, 0.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (-1.0, 1.0)] {
            assert!(matches!(Sr::new(rate, shift), Err(Error::Setting { .. })));
        }
    }
}
