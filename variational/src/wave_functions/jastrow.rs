//! The two-body Jastrow factor.

use std::marker::PhantomData;

use operator_core::{HilbertSpace, Result};

use super::network::{Architecture, Branch, Init, Network, NetworkBackend, NetworkKind, Scalar};

/// A two-body Jastrow factor, `ln ψ(x) = Σ_{i<j} J_ij x_i x_j` (Jastrow, Phys. Rev. 98, 1479 (1955)), with
/// parameters of type `T`: `f64`, which makes it positive, or `Complex64`; or either in
/// [single precision](super::network::Scalar).
///
/// Parameters are J, `(n_sites (n_sites − 1) / 2,)`, pairs i < j in lexicographic order.
///
/// ```
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::{Flat, Jastrow, Trainable};
///
/// let mut jastrow = Jastrow::<Flat>::new(Spin::half(3)?, 1, 0.01)?;
/// jastrow.set_parameters(&ndarray::array![1.0, 10.0, 100.0])?;
/// assert_eq!(jastrow.log_psi(&ndarray::array![[1, 1, -1]])?[0].re, 1.0 - 10.0 - 100.0);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type Jastrow<B, T = f64> = Network<B, JastrowKind<T>>;

/// Marks [`Jastrow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JastrowKind<T>(PhantomData<T>);

impl<T: Scalar> NetworkKind for JastrowKind<T> {
    type Scalar = T;
    const NAME: &'static str = "Jastrow factor";
}

impl<B: NetworkBackend, T: Scalar> Jastrow<B, T> {
    /// Parameters are normally distributed with standard deviation `sigma`.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) for fewer than two sites;
    /// [`NotFinite`](operator_core::Error::NotFinite) for a NaN or infinite `sigma`;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    pub fn new(hilbert: impl Into<HilbertSpace>, seed: u64, sigma: f64) -> Result<Self> {
        let hilbert = hilbert.into();
        let pairs = Branch::of_pairs(hilbert.n_sites()).weighted_sum("pairs");
        Self::build(hilbert, Architecture::new([pairs]), Init::Normal(sigma), seed, B::default_device())
    }
}
