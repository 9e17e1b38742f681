//! An energy, its gradient and the metric of its parameters, from one batch of samples.

use faer::Mat;
use ndarray::{Array1, Array2, s};
use num_complex::Complex64;

use super::block::DerivativeBlock;
use super::jacobian::Jacobian;
use super::trainable::LogDerivatives;
use crate::error::{Error, Result};
use crate::statistics::Stats;

/// An energy and its response to the parameters, from one batch of samples.
///
/// It holds the rows `J = √w (O − <O>)` and `r = √w (E − <E>)` with weights w (1/n for samples, |ψ|² for sums
/// over all states), derivatives O of ln ψ and local energies E. For complex O, all real parts stand above
/// all imaginary parts. Then
/// - the gradient of the energy is `2 Re <(O − <O>)* (E − <E>)> = 2 Jᵀ r`,
/// - the quantum geometric tensor, the metric of stochastic reconfiguration, is `S = Jᵀ J`.
#[derive(Clone, Debug)]
pub struct Response {
    stats: Stats,
    jacobian: Jacobian,
    residual: Array1<f64>,
}

impl Response {
    /// From local energies and weights `(batch,)` and derivatives `(batch, n_parameters)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the batches differ; [`Error::NotFinite`] for NaN or infinite values.
    pub fn new(
        stats: Stats,
        local_energies: &Array1<Complex64>,
        weights: &Array1<f64>,
        derivatives: LogDerivatives,
    ) -> Result<Self> {
        let (batch, n_parameters) = derivatives.dim();
        if batch != weights.len() || batch != local_energies.len() {
            let (got, expected) = (vec![batch, n_parameters], vec![weights.len(), n_parameters]);
            return Err(Error::Shape { what: "log derivatives", got, expected });
        }
        derivatives.expect_rows(batch)?;
        let residual = |part: fn(&Complex64) -> f64| -> Array1<f64> {
            let deviations = local_energies.iter().zip(weights);
            deviations.map(|(energy, weight)| weight.sqrt() * part(&(energy - stats.mean))).collect()
        };
        let residual = match derivatives {
            LogDerivatives::Real(_) | LogDerivatives::Blocks(_) => residual(|z| z.re),
            LogDerivatives::Complex(_) => {
                let mut stacked = Array1::zeros(2 * batch);
                stacked.slice_mut(s![..batch]).assign(&residual(|z| z.re));
                stacked.slice_mut(s![batch..]).assign(&residual(|z| z.im));
                stacked
            }
        };
        check_finite("local energies", residual.iter())?;
        let jacobian = match derivatives {
            LogDerivatives::Real(derivatives) => Jacobian::of_real(derivatives, weights),
            LogDerivatives::Complex(derivatives) => Jacobian::of_complex(&derivatives, weights),
            LogDerivatives::Blocks(blocks) => {
                check_finite("log derivatives", blocks.iter().flat_map(DerivativeBlock::arrays).flatten())?;
                return Ok(Response { stats, jacobian: Jacobian::of_blocks(blocks, weights), residual });
            }
        };
        check_finite("log derivatives", jacobian.whole().iter())?;
        Ok(Response { stats, jacobian, residual })
    }

    /// Statistics of the local energies.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// J, shape `(n_rows, n_parameters)`. For derivatives in [blocks](LogDerivatives::Blocks) it is formed by
    /// the first call.
    pub fn jacobian(&self) -> &Array2<f64> {
        self.jacobian.whole()
    }

    /// Shape of J, `(n_rows, n_parameters)`.
    pub fn dim(&self) -> (usize, usize) {
        self.jacobian.dim()
    }

    /// r, shape `(n_rows,)`.
    pub fn residual(&self) -> &Array1<f64> {
        &self.residual
    }

    /// The gradient of the energy by the parameters, `2 Jᵀ r`, shape `(n_parameters,)`.
    pub fn gradient(&self) -> Array1<f64> {
        2.0 * self.vjp(&self.residual)
    }

    /// `J v` for one value per parameter, shape `(n_rows,)`.
    pub(crate) fn jvp(&self, vector: &Array1<f64>) -> Array1<f64> {
        self.jacobian.times(vector)
    }

    /// `Jᵀ u` for one value per row, shape `(n_parameters,)`.
    pub(crate) fn vjp(&self, vector: &Array1<f64>) -> Array1<f64> {
        self.jacobian.transposed_times(vector)
    }

    /// The lower triangle of `J Jᵀ`, the rest 0, shape `(n_rows, n_rows)`.
    pub(crate) fn gram(&self) -> Mat<f64> {
        self.jacobian.gram()
    }
}

fn check_finite<'a>(what: &'static str, mut values: impl Iterator<Item = &'a f64>) -> Result<()> {
    match values.position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index }),
        None => Ok(()),
    }
}
