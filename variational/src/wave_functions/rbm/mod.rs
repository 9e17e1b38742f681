//! The restricted Boltzmann machine.

#[cfg(feature = "flat")]
mod flat;
#[cfg(feature = "padded")]
mod padded;

#[cfg(feature = "padded")]
pub use padded::{Weights, log_cosh};

use std::fmt::Debug;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};
use operator_core::{Backend, Error, HilbertSpace, WaveFunction};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::trainable::{LogDerivatives, Trainable};

/// A restricted Boltzmann machine with real parameters, a positive wave function.
///
/// `ln ψ(x) = Σ_i a_i x_i + Σ_j ln cosh(b_j + Σ_i W_ji x_i)`, i over sites and j over hidden units, with x the
/// quantum numbers as they stand in samples (Carleo and Troyer, Science 355, 602 (2017)).
///
/// Parameters lie in one vector: a, `(n_sites,)`; b, `(n_hidden,)`; W, `(n_hidden, n_sites)` by rows. They
/// are the same numbers on every backend.
///
/// ```
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::{Flat, Rbm, Trainable};
///
/// let rbm = Rbm::<Flat>::new(Spin::half(4)?, 2.0, 42, 0.01)?;
/// assert_eq!(rbm.n_parameters(), 4 + 8 + 8 * 4);
/// let log_psi = rbm.log_psi(&ndarray::array![[1, 1, -1, -1]])?;
/// assert!(log_psi[0].norm() < 1.0);
/// # Ok::<(), variational::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rbm<B: RbmBackend> {
    hilbert: HilbertSpace,
    parameters: RbmParameters,
    device: B::Device,
    weights: B::Weights,
}

/// What a backend does for [`Rbm`].
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` does not evaluate the RBM",
    note = "turn on the feature of the backend in the crate `variational`: `flat` (on by default) or `padded`"
)]
pub trait RbmBackend: Backend {
    /// The parameters in the form that is evaluated, on the device.
    type Weights: Clone + Debug + Send + Sync;

    /// Brings parameters to the device.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn weights(parameters: &RbmParameters, device: &Self::Device) -> Result<Self::Weights, Error>;

    /// ln ψ of a batch, shape `(batch,)`.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn log_psi(weights: &Self::Weights, x: &Self::Configurations) -> Result<Self::Amplitudes, Error>;

    /// Derivatives of ln ψ, shape `(batch, n_parameters)`: x, `tanh θ` and `tanh θ_j x_i`, where
    /// `θ = b + W x`.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn log_derivatives(weights: &Self::Weights, x: &Self::Configurations) -> Result<Array2<f64>, Error>;
}

/// The parameters of an RBM and where in their vector each array is.
#[derive(Clone, Debug, PartialEq)]
pub struct RbmParameters {
    n_sites: usize,
    n_hidden: usize,
    values: Array1<f64>,
}

impl RbmParameters {
    /// Normally distributed parameters of standard deviation `sigma`, the same for the same seed.
    pub fn random(n_sites: usize, n_hidden: usize, seed: u64, sigma: f64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let n_parameters = n_sites + n_hidden + n_hidden * n_sites;
        // Box and Muller: a Rayleigh radius and a uniform angle. 1 − u is never 0.
        let normal = |_| {
            let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
            sigma * radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
        };
        RbmParameters { n_sites, n_hidden, values: (0..n_parameters).map(normal).collect() }
    }

    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.n_sites
    }

    /// Number of hidden units.
    pub fn n_hidden(&self) -> usize {
        self.n_hidden
    }

    /// All parameters, shape `(n_parameters,)`.
    pub fn values(&self) -> &Array1<f64> {
        &self.values
    }

    /// a, shape `(n_sites,)`.
    pub fn visible_bias(&self) -> ArrayView1<'_, f64> {
        self.values.slice(s![..self.n_sites])
    }

    /// b, shape `(n_hidden,)`.
    pub fn hidden_bias(&self) -> ArrayView1<'_, f64> {
        self.values.slice(s![self.n_sites..self.n_sites + self.n_hidden])
    }

    /// W, shape `(n_hidden, n_sites)`.
    pub fn kernel(&self) -> ArrayView2<'_, f64> {
        let row_starts = self.n_sites + self.n_hidden;
        self.values
            .slice(s![row_starts..])
            .into_shape_with_order((self.n_hidden, self.n_sites))
            .unwrap_or_else(|_| ndarray::aview2::<f64, 0>(&[]))
    }
}

impl<B: RbmBackend> Rbm<B> {
    /// An RBM with `alpha · n_sites` hidden units (rounded) on the default device; parameters are normally
    /// distributed with standard deviation `sigma`.
    ///
    /// # Errors
    /// [`Error::Count`] if that makes no hidden unit; [`Error::NotFinite`] for a NaN or infinite `alpha` or
    /// `sigma`; [`Error::Backend`] if the device fails.
    pub fn new(hilbert: impl Into<HilbertSpace>, alpha: f64, seed: u64, sigma: f64) -> Result<Self, Error> {
        Self::new_on(hilbert, alpha, seed, sigma, B::default_device())
    }

    /// The same on another device.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_on(
        hilbert: impl Into<HilbertSpace>,
        alpha: f64,
        seed: u64,
        sigma: f64,
        device: B::Device,
    ) -> Result<Self, Error> {
        let hilbert = hilbert.into();
        for (what, value) in [("alpha", alpha), ("sigma", sigma)] {
            if !value.is_finite() {
                return Err(Error::NotFinite { what: what.into(), value: value.into() });
            }
        }
        let n_hidden = (alpha * hilbert.n_sites() as f64).round().max(0.0) as usize;
        if n_hidden == 0 {
            return Err(Error::Count {
                what: "hidden units".into(),
                got: n_hidden,
                expected: format!("at least 1; alpha = {alpha} is too small for {hilbert}"),
            });
        }
        let parameters = RbmParameters::random(hilbert.n_sites(), n_hidden, seed, sigma);
        let weights = B::weights(&parameters, &device)?;
        Ok(Rbm { hilbert, parameters, device, weights })
    }

    /// Number of hidden units.
    pub fn n_hidden(&self) -> usize {
        self.parameters.n_hidden
    }

    /// Where it is evaluated.
    pub fn device(&self) -> &B::Device {
        &self.device
    }
}

impl<B: RbmBackend> WaveFunction<B> for Rbm<B> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes, Error> {
        B::log_psi(&self.weights, x)
    }
}

impl<B: RbmBackend> Trainable<B> for Rbm<B> {
    fn n_parameters(&self) -> usize {
        self.parameters.values.len()
    }

    fn parameters(&self) -> Array1<f64> {
        self.parameters.values.clone()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<(), Error> {
        let expected = self.n_parameters();
        if parameters.len() != expected {
            let (what, got) = ("RBM parameters".to_owned(), parameters.len());
            return Err(Error::Count { what, got, expected: expected.to_string() });
        }
        // On a failure of the device, weights and parameters still belong together.
        let values = RbmParameters { values: parameters.clone(), ..self.parameters };
        self.weights = B::weights(&values, &self.device)?;
        self.parameters = values;
        Ok(())
    }

    fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives, Error> {
        Ok(B::log_derivatives(&self.weights, x)?.into())
    }
}

/// `ln cosh θ`, which neither overflows nor loses digits at large |θ|.
#[cfg(any(feature = "flat", feature = "padded", test))]
pub(crate) fn ln_cosh(theta: f64) -> f64 {
    let magnitude = theta.abs();
    magnitude + (-2.0 * magnitude).exp().ln_1p() - std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::ln_cosh;

    #[test]
    fn ln_cosh_is_right_from_tiny_to_huge_arguments() {
        for theta in [1e-3, 0.1, 1.0, -3.0, 20.0] {
            assert!((ln_cosh(theta) - f64::cosh(theta).ln()).abs() < 1e-15 * theta.abs().max(1.0));
        }
        assert_eq!(ln_cosh(-1e6), 1e6 - std::f64::consts::LN_2);
        assert!(ln_cosh(1e300).is_finite() && ln_cosh(f64::NAN).is_nan());
    }
}
