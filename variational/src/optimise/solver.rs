//! Solvers for the linear equations of stochastic reconfiguration.

use faer::prelude::Solve;
use faer::{Mat, Side};
use ndarray::Array1;
use operator_core::memory;

use crate::derivatives::{Response, expect_bytes_of_derivatives_fit, lower_product};
use crate::error::{Error, Result};

/// The largest matrix that [`SrSolver::Auto`] forms: 128 MiB.
const MAX_MATRIX: usize = 4096;

/// How [`Sr`](super::Sr) solves `(Jᵀ J + ε) δ = Jᵀ r`. All solvers give the same step, up to rounding or the
/// tolerance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub enum SrSolver {
    /// The smaller of the two matrices if it has up to 4096 rows, otherwise conjugate gradients.
    #[default]
    Auto,
    /// Cholesky's method on the quantum geometric tensor `Jᵀ J + ε`, `(n_parameters, n_parameters)`.
    Dense,
    /// Cholesky's method on `J Jᵀ + ε`, with one row per sample (two for complex ψ). The step `Jᵀ (J Jᵀ + ε)⁻¹ r`
    /// is the same. Chen and Heyl, Nature Physics 20, 1476 (2024).
    MinSr,
    /// Conjugate gradients, which multiply by J and Jᵀ without forming a matrix.
    ConjugateGradients {
        /// Size of the residual at which to stop, relative to `Jᵀ r`.
        tolerance: f64,
        /// Iterations before it gives up.
        max_iterations: usize,
    },
}

impl SrSolver {
    /// Conjugate gradients to a relative residual of 10⁻⁸, in at most 1000 iterations.
    pub fn conjugate_gradients() -> Self {
        SrSolver::ConjugateGradients { tolerance: 1e-8, max_iterations: 1000 }
    }

    /// The solver to use; resolves `Auto`.
    fn chosen_for(self, response: &Response) -> Self {
        let (n_rows, n_parameters) = response.dim();
        match self {
            SrSolver::Auto if n_rows.min(n_parameters) > MAX_MATRIX => SrSolver::conjugate_gradients(),
            SrSolver::Auto if n_parameters <= n_rows => SrSolver::Dense,
            SrSolver::Auto => SrSolver::MinSr,
            chosen => chosen,
        }
    }

    /// `(Jᵀ J + ε)⁻¹ Jᵀ r`.
    pub(super) fn solve(self, response: &Response, diag_shift: f64) -> Result<Array1<f64>> {
        match self.chosen_for(response) {
            SrSolver::ConjugateGradients { tolerance, max_iterations } => {
                conjugate_gradients(response, diag_shift, tolerance, max_iterations)
            }
            SrSolver::MinSr => {
                expect_matrix_fits(response.dim().0)?;
                let z = cholesky(response.gram(), response.residual(), diag_shift)?;
                Ok(response.vjp(&z))
            }
            SrSolver::Dense | SrSolver::Auto => {
                let (n_rows, n_parameters) = response.dim();
                expect_bytes_of_derivatives_fit(n_rows, 16.0 * n_rows as f64 * n_parameters as f64)?;
                expect_matrix_fits(n_parameters)?;
                // Rows of Jᵀ are parameters.
                let metric = lower_product(&response.jacobian().t().to_owned());
                cholesky(metric, &response.vjp(response.residual()), diag_shift)
            }
        }
    }
}

/// Checks that a square matrix and its Cholesky factor fit into memory.
fn expect_matrix_fits(n_rows: usize) -> Result<()> {
    let what = || format!("the metric of {n_rows} rows");
    let remedy = "use SrSolver::conjugate_gradients(), which forms no matrix";
    Ok(memory::expect_fits(what, 16.0 * (n_rows as f64).powi(2), remedy)?)
}

/// `(matrix + ε)⁻¹ rhs` for a matrix whose lower triangle is filled.
fn cholesky(mut matrix: Mat<f64>, rhs: &Array1<f64>, diag_shift: f64) -> Result<Array1<f64>> {
    let size = matrix.nrows();
    for k in 0..size {
        matrix[(k, k)] += diag_shift;
    }
    let Ok(factor) = matrix.llt(Side::Lower) else {
        return Err(Error::NotPositiveDefinite { size, diag_shift });
    };
    let rhs = Mat::from_fn(rhs.len(), 1, |row, _| rhs[row]);
    Ok(factor.solve(&rhs).col(0).iter().copied().collect())
}

/// Hestenes and Stiefel's method from δ = 0. It never starts from an earlier step, so it has no memory to save.
fn conjugate_gradients(
    response: &Response,
    diag_shift: f64,
    tolerance: f64,
    max_iterations: usize,
) -> Result<Array1<f64>> {
    let mut residual = response.vjp(response.residual());
    let mut solution = Array1::zeros(residual.len());
    let mut direction = residual.clone();
    let mut square = residual.dot(&residual);
    let goal = square.sqrt() * tolerance;
    let start = square.sqrt();
    for _ in 0..max_iterations {
        if square.sqrt() <= goal {
            return Ok(solution);
        }
        let mut image = response.vjp(&response.jvp(&direction));
        image.scaled_add(diag_shift, &direction);
        let length = square / direction.dot(&image);
        solution.scaled_add(length, &direction);
        residual.scaled_add(-length, &image);
        let next = residual.dot(&residual);
        direction *= next / square;
        direction += &residual;
        square = next;
    }
    if square.sqrt() <= goal {
        return Ok(solution);
    }
    Err(Error::NotSolved { residual: square.sqrt() / start, iterations: max_iterations })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use num_complex::Complex64;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::derivatives::LogDerivatives;
    use crate::statistics::Stats;

    fn random(batch: usize, n_parameters: usize, complex: bool, seed: u64) -> Result<Response> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut number = || rng.random::<f64>() - 0.5;
        let energies = Array1::from_shape_simple_fn(batch, || Complex64::new(number(), number()));
        let shape = (batch, n_parameters);
        let weights = Array1::from_elem(batch, 1.0 / batch as f64);
        let derivatives: LogDerivatives = if complex {
            Array2::from_shape_simple_fn(shape, || Complex64::new(number(), number())).into()
        } else {
            Array2::from_shape_simple_fn(shape, number).into()
        };
        Response::new(Stats::exact(&energies, &weights).unwrap(), &energies, &weights, derivatives)
    }

    fn largest(values: &Array1<f64>) -> f64 {
        values.iter().fold(0.0f64, |max, value| max.max(value.abs()))
    }

    proptest! {
        /// The equation itself is checked too, by products that no solver uses.
        #[test]
        fn all_solvers_give_the_same_step(
            batch in 2usize..20, n_parameters in 1usize..20, complex: bool, seed: u64, log_shift in -4.0..0.0f64
        ) {
            let shift = 10f64.powf(log_shift);
            let response = random(batch, n_parameters, complex, seed).unwrap();
            let j = response.jacobian();
            let right = 0.5 * response.gradient();
            let precise = SrSolver::ConjugateGradients { tolerance: 1e-12, max_iterations: 1000 };
            let expected = SrSolver::Dense.solve(&response, shift).unwrap();
            for solver in [SrSolver::Dense, SrSolver::MinSr, SrSolver::Auto, precise] {
                let step = solver.solve(&response, shift).unwrap();
                let left = j.t().dot(&j.dot(&step)) + shift * &step;
                prop_assert!(largest(&(left - &right)) <= 1e-10 * largest(&right), "{solver:?}");
                prop_assert!(largest(&(step - &expected)) <= 1e-8 * largest(&expected), "{solver:?}");
            }
        }
    }

    #[test]
    fn the_smaller_matrix_is_chosen_and_none_where_both_are_large() -> Result<()> {
        let chosen = |batch, n_parameters, complex| -> Result<SrSolver> {
            Ok(SrSolver::Auto.chosen_for(&random(batch, n_parameters, complex, 1)?))
        };
        assert_eq!(chosen(20, 10, false)?, SrSolver::Dense);
        assert_eq!(chosen(10, 20, false)?, SrSolver::MinSr);
        assert_eq!(chosen(10, 20, true)?, SrSolver::Dense, "20 rows");
        assert_eq!(chosen(MAX_MATRIX + 1, MAX_MATRIX + 1, false)?, SrSolver::conjugate_gradients());
        Ok(())
    }

    #[test]
    fn an_iteration_that_does_not_converge_says_how_far_it_came() -> Result<()> {
        let few = SrSolver::ConjugateGradients { tolerance: 1e-10, max_iterations: 2 };
        let error = few.solve(&random(30, 20, false, 3)?, 1e-6).unwrap_err();
        assert!(matches!(error, Error::NotSolved { residual, iterations: 2 } if residual > 1e-10), "{error}");
        Ok(())
    }
}
