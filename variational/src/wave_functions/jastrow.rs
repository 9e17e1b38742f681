//! The two-body Jastrow factor.

use std::marker::PhantomData;

use operator_core::{HilbertSpace, Result};

use super::NARROW;
use super::network::{Architecture, Branch, Network, NetworkBackend, NetworkKind, Scalar, Sealed};

/// A two-body Jastrow factor, `ln ψ(x) = Σ_{i<j} J_ij x_i x_j` (Jastrow, Phys. Rev. 98, 1479 (1955)), with
/// parameters of type `T`: real ones, `f64`, make ψ positive; complex ones, `Complex64`, do not. Both exist
/// in [single precision](super::network::Scalar).
///
/// Parameters are J, `(n_sites (n_sites − 1) / 2,)`, pairs i < j in lexicographic order.
///
/// ```
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::{Flat, Jastrow, Trainable};
///
/// let mut jastrow = Jastrow::<Flat>::new(Spin::half(3)?)?;
/// jastrow.set_parameters(&ndarray::array![1.0, 10.0, 100.0])?;
/// assert_eq!(jastrow.log_psi(&ndarray::array![[1, 1, -1]])?[0].re, 1.0 - 10.0 - 100.0);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type Jastrow<B, T = f64> = Network<B, JastrowKind<T>>;

/// Marks [`Jastrow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JastrowKind<T>(PhantomData<T>);

impl<T> Sealed for JastrowKind<T> {}

impl<T: Scalar> NetworkKind for JastrowKind<T> {
    type Scalar = T;
    const NAME: &'static str = "Jastrow factor";
}

impl<B: NetworkBackend, T: Scalar> Jastrow<B, T> {
    /// A Jastrow factor with parameters that are [normally distributed](super::network::Init::Normal) with
    /// standard deviation 0.01.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) for fewer than two sites;
    /// [`TooLarge`](operator_core::Error::TooLarge) beyond the [memory limit](operator_core::memory) or 2³¹ parameters.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Result<Self> {
        let hilbert = hilbert.into();
        let pairs = Branch::of_pairs(hilbert.n_sites())?.weighted_sum("pairs");
        Self::build(hilbert, Architecture::new([pairs]), NARROW)
    }
}
