//! Derivatives of expectation values in the operator's own parameters.

use std::fmt;
use std::num::NonZeroUsize;

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Parameters, Result, WaveFunction};
use rayon::prelude::*;

use super::LocalKernel;
use crate::statistics::Stats;

/// A backend that can differentiate operators of type `O` in their own parameters.
///
/// The flat backend uses the matrix elements of the derivatives, the padded one goes backwards through its tensors.
/// Both give the same result.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` does not differentiate operators of type `{O}` in their parameters",
    note = "turn on the feature of the backend in the crate `variational`: `flat` for `backend_flat::Flat` (on by default), `padded` for `backend_padded::Padded`",
    note = "or implement `variational::OperatorGradKernel<{O}>` for your backend"
)]
pub trait OperatorGradKernel<O: ?Sized>: LocalKernel<O> {
    /// Local estimators of every configuration, shape `(batch,)`, and their derivatives
    /// `∂O_loc(x)/∂λ_k = Σ_x' <x|∂O/∂λ_k|x'> ψ(x') / ψ(x)`, shape `(batch, n_values)` in the order of
    /// [`Parameters::to_vec`].
    ///
    /// # Errors
    /// [`NoDefinition`](operator_core::Error::NoDefinition) for kernels without terms; otherwise as
    /// [`LocalKernel::local_estimators`].
    fn local_estimators_and_operator_grad<W: WaveFunction<Self>>(
        operator: &O,
        wave_function: &W,
        x: &Self::Configurations,
        chunk_size: Option<NonZeroUsize>,
    ) -> Result<(Array1<Complex64>, Array2<Complex64>)>;
}

/// The gradient of an expectation value in the operator's own parameters, with the error of each component.
///
/// Prints one line per parameter, such as `dE/dh = -5.46 ± 0.02 [σ²=…]`.
#[derive(Clone, Debug)]
pub struct OperatorGradient {
    parameters: Parameters,
    stats: Vec<Stats>,
}

impl OperatorGradient {
    /// One of `stats` for each value of the parameters.
    pub(crate) fn new(parameters: Parameters, stats: Vec<Stats>) -> Self {
        OperatorGradient { parameters, stats }
    }

    /// The derivatives in all values of the parameters, in the order of [`Parameters::to_vec`].
    pub fn stats(&self) -> &[Stats] {
        &self.stats
    }

    /// The derivatives in the values of one parameter.
    ///
    /// # Errors
    /// [`UnknownParameter`](operator_core::Error::UnknownParameter), which lists the known names.
    pub fn get(&self, name: &str) -> Result<&[Stats]> {
        Ok(&self.stats[self.parameters.range(name)?])
    }

    /// The real parts of all means, shape `(n_values,)`. For a Hermitian operator with real parameters this is the
    /// whole gradient.
    pub fn means(&self) -> Array1<f64> {
        self.stats.iter().map(|stats| stats.mean.re).collect()
    }

    /// The parameters where the gradient was taken.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

impl fmt::Display for OperatorGradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, (name, stats)) in self.parameters.value_names().zip(&self.stats).enumerate() {
            let newline = if line == 0 { "" } else { "\n" };
            write!(f, "{newline}dE/d{name} = {stats}")?;
        }
        Ok(())
    }
}

/// Statistics of each column, in parallel, as there may be many parameters.
pub(crate) fn column_stats(
    values: &Array2<Complex64>,
    stats: impl Fn(&Array1<Complex64>) -> crate::Result<Stats> + Sync,
) -> crate::Result<Vec<Stats>> {
    (0..values.ncols()).into_par_iter().map(|k| stats(&values.column(k).to_owned())).collect()
}
