//! Products of one wave function per site.

use std::marker::PhantomData;

use operator_core::{HilbertSpace, Result};

use super::NARROW;
use super::network::{Architecture, Branch, Network, NetworkBackend, NetworkKind, Scalar, Sealed};

/// A product state, `ln ψ(x) = Σ_i φ_i(x_i)`, with parameters of type `T`: real ones, `f64`, make ψ positive;
/// complex ones, `Complex64`, do not. Both exist in [single precision](super::network::Scalar).
///
/// Parameters are φ, site by site, and for each site in the order of its local states. One of them per site
/// is redundant: it changes only the norm and the phase of ψ, on which no expectation value depends.
///
/// ```
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::{Flat, MeanField, Trainable};
///
/// let mut product = MeanField::<Flat>::new(Spin::half(2)?)?;
/// product.set_parameters(&ndarray::array![1.0, 2.0, 10.0, 20.0])?;
/// // Up is the first local state.
/// assert_eq!(product.log_psi(&ndarray::array![[1, -1]])?[0].re, 1.0 + 20.0);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type MeanField<B, T = f64> = Network<B, MeanFieldKind<T>>;

/// Marks [`MeanField`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanFieldKind<T>(PhantomData<T>);

impl<T> Sealed for MeanFieldKind<T> {}

impl<T: Scalar> NetworkKind for MeanFieldKind<T> {
    type Scalar = T;
    const NAME: &'static str = "product state";
}

impl<B: NetworkBackend, T: Scalar> MeanField<B, T> {
    /// A product state with parameters that are [normally distributed](super::network::Init::Normal) with
    /// standard deviation 0.01.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) for a space without sites.
    pub fn new(hilbert: impl Into<HilbertSpace>) -> Result<Self> {
        let hilbert = hilbert.into();
        let sites = Branch::of_local_states(&hilbert)?.weighted_sum("sites");
        Self::build(hilbert, Architecture::new([sites]), NARROW)
    }
}
