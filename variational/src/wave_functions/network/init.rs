//! The distributions that initial parameters are drawn from.

use ndarray::Array1;
use operator_core::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::architecture::Architecture;
use super::numbers::Scalar;

/// How initial parameters are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub enum Init {
    /// Every parameter is normally distributed with this standard deviation; its sign does not matter.
    Normal(f64),
    /// Biases are 0. Weights are normally distributed; their variance is 1 / (number of inputs of an output)
    /// (LeCun et al., Efficient BackProp, 1998).
    LecunNormal,
}

impl Init {
    pub(super) fn check(self) -> Result<()> {
        match self {
            Init::Normal(sigma) if !sigma.is_finite() => {
                Err(Error::NotFinite { what: "sigma".into(), value: sigma.into() })
            }
            _ => Ok(()),
        }
    }
}

/// All parameters in their order. Both parts of a complex parameter have half the variance.
pub(super) fn random_parameters<T: Scalar>(
    architecture: &Architecture,
    init: Init,
    seed: u64,
) -> Array1<f64> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let half = if T::IS_COMPLEX { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
    // Box and Muller: a Rayleigh radius and a uniform angle. 1 − u is never 0.
    let mut normal = |sigma: f64| {
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        half * sigma * radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
    };
    let parts = if T::IS_COMPLEX { 2 } else { 1 };
    let mut values = Vec::with_capacity(parts * architecture.n_values());
    for _ in 0..parts {
        for linear in architecture.linear_layers() {
            let n_bias = linear.bias.as_ref().map_or(0, |bias| bias.n_values);
            let (bias, weight) = match init {
                Init::Normal(sigma) => (Some(sigma), sigma),
                Init::LecunNormal => (None, 1.0 / linear.fan_in().max(1.0).sqrt()),
            };
            values.extend((0..n_bias).map(|_| bias.map_or(0.0, &mut normal)));
            values.extend((0..linear.kernel.n_values).map(|_| normal(weight)));
        }
    }
    values.into()
}
