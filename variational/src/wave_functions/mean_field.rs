//! The product of one wave function a site.

use std::marker::PhantomData;

use operator_core::{HilbertSpace, Result};

use super::network::{Architecture, Branch, Init, Network, NetworkBackend, NetworkKind, Scalar};

/// A product state, `ln ψ(x) = Σ_i φ_i(x_i)`, with parameters of type `T`: `f64`, which makes it positive, or
/// `Complex64`; or either in [single precision](super::network::Scalar).
///
/// Parameters are φ, site by site and for each site in the order of its local states. They hold the norm and
/// a phase a site too, which no expectation value depends on.
///
/// ```
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::{Flat, MeanField, Trainable};
///
/// let mut product = MeanField::<Flat>::new(Spin::half(2)?, 1, 0.01)?;
/// product.set_parameters(&ndarray::array![1.0, 2.0, 10.0, 20.0])?;
/// // Up is the first local state.
/// assert_eq!(product.log_psi(&ndarray::array![[1, -1]])?[0].re, 1.0 + 20.0);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type MeanField<B, T = f64> = Network<B, MeanFieldKind<T>>;

/// Marks [`MeanField`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanFieldKind<T>(PhantomData<T>);

impl<T: Scalar> NetworkKind for MeanFieldKind<T> {
    type Scalar = T;
    const NAME: &'static str = "product state";
}

impl<B: NetworkBackend, T: Scalar> MeanField<B, T> {
    /// Parameters are normally distributed with standard deviation `sigma`.
    ///
    /// # Errors
    /// [`NotFinite`](operator_core::Error::NotFinite) for a NaN or infinite `sigma`;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    pub fn new(hilbert: impl Into<HilbertSpace>, seed: u64, sigma: f64) -> Result<Self> {
        let hilbert = hilbert.into();
        let sites = Branch::of_local_states(&hilbert).weighted_sum("sites");
        Self::build(hilbert, Architecture::new([sites]), Init::Normal(sigma), seed, B::default_device())
    }
}
