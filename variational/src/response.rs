use ndarray::{Array1, Array2, ArrayView1, ArrayViewMut2, Axis, s};
use num_complex::Complex64;

use crate::error::{Error, Result};
use crate::statistics::Stats;
use crate::trainable::LogDerivatives;

/// What one batch of samples says about an energy and its dependence on the parameters.
///
/// With weights w (1/n for samples, |ψ|² for sums over all states), derivatives O of ln ψ and local energies
/// E, the rows are `J = √w (O − <O>)` and `r = √w (E − <E>)`, for complex O the real parts above the
/// imaginary parts. Then
/// - the gradient of the energy is `2 Re <(O − <O>)* (E − <E>)> = 2 Jᵀ r`,
/// - the quantum geometric tensor, the metric of stochastic reconfiguration, is `S = Jᵀ J`.
#[derive(Clone, Debug)]
pub struct Response {
    stats: Stats,
    jacobian: Array2<f64>,
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
        derivatives: &LogDerivatives,
    ) -> Result<Self> {
        let (batch, n_parameters) = derivatives.dim();
        if batch != weights.len() || batch != local_energies.len() {
            let (got, expected) = (vec![batch, n_parameters], vec![weights.len(), n_parameters]);
            return Err(Error::Shape { what: "log derivatives", got, expected });
        }
        let residual = |part: fn(&Complex64) -> f64| -> Array1<f64> {
            let deviations = local_energies.iter().zip(weights);
            deviations.map(|(energy, weight)| weight.sqrt() * part(&(energy - stats.mean))).collect()
        };
        let (jacobian, residual) = match derivatives {
            LogDerivatives::Real(derivatives) => {
                let mut jacobian = derivatives.clone();
                center(jacobian.view_mut(), weights.view());
                (jacobian, residual(|z| z.re))
            }
            LogDerivatives::Complex(derivatives) => {
                let mut jacobian = Array2::zeros((2 * batch, n_parameters));
                let (mut above, mut below) = jacobian.view_mut().split_at(Axis(0), batch);
                above.zip_mut_with(derivatives, |to, z| *to = z.re);
                below.zip_mut_with(derivatives, |to, z| *to = z.im);
                center(above, weights.view());
                center(below, weights.view());
                let mut stacked = Array1::zeros(2 * batch);
                stacked.slice_mut(s![..batch]).assign(&residual(|z| z.re));
                stacked.slice_mut(s![batch..]).assign(&residual(|z| z.im));
                (jacobian, stacked)
            }
        };
        check_finite("local energies", residual.iter())?;
        check_finite("log derivatives", jacobian.iter())?;
        Ok(Response { stats, jacobian, residual })
    }

    /// Statistics of the local energies.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// J, shape `(n_rows, n_parameters)`.
    pub fn jacobian(&self) -> &Array2<f64> {
        &self.jacobian
    }

    /// r, shape `(n_rows,)`.
    pub fn residual(&self) -> &Array1<f64> {
        &self.residual
    }

    /// The gradient of the energy by the parameters, `2 Jᵀ r`, shape `(n_parameters,)`.
    pub fn gradient(&self) -> Array1<f64> {
        2.0 * self.vjp(&self.residual)
    }

    /// `J v` of one value a parameter, shape `(n_rows,)`.
    pub(crate) fn jvp(&self, vector: &Array1<f64>) -> Array1<f64> {
        self.jacobian.dot(vector)
    }

    /// `Jᵀ u` of one value a row, shape `(n_parameters,)`.
    pub(crate) fn vjp(&self, vector: &Array1<f64>) -> Array1<f64> {
        // Row by row, as they lie in memory.
        let mut out = Array1::zeros(self.jacobian.ncols());
        for (row, &factor) in self.jacobian.rows().into_iter().zip(vector) {
            out.scaled_add(factor, &row);
        }
        out
    }
}

/// Subtracts the weighted mean of the rows and scales each by the root of its weight.
fn center(mut rows: ArrayViewMut2<'_, f64>, weights: ArrayView1<'_, f64>) {
    let mean = weights.dot(&rows);
    for (mut row, weight) in rows.rows_mut().into_iter().zip(weights) {
        row -= &mean;
        row *= weight.sqrt();
    }
}

fn check_finite<'a>(what: &'static str, mut values: impl Iterator<Item = &'a f64>) -> Result<()> {
    match values.position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index }),
        None => Ok(()),
    }
}
