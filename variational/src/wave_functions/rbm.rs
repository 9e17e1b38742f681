//! Restricted Boltzmann machines.

use std::marker::PhantomData;

use operator_core::graph::PermutationGroup;
use operator_core::{Error, HilbertSpace, Result};

use super::network::{
    Activation, Architecture, Branch, Network, NetworkBackend, NetworkKind, Real, Scalar, Sealed,
};
use super::{NARROW, at_least_one};

/// A restricted Boltzmann machine with parameters of type `T`: real ones, `f64`, make ψ positive; complex
/// ones, `Complex64`, do not. `f32` and `Complex32` evaluate it in single precision, see
/// [`Scalar`](super::network::Scalar).
///
/// `ln ψ(x) = Σ_i a_i x_i + Σ_j ln cosh(b_j + Σ_i W_ji x_i)`, with sites i, hidden units j and the quantum
/// numbers x of the samples (Carleo and Troyer, Science 355, 602 (2017)).
///
/// Parameters are a, `(n_sites,)`; b, `(n_hidden,)`; W, `(n_hidden, n_sites)`. A seed gives the same numbers
/// on every backend.
///
/// ```
/// use num_complex::Complex64;
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::{Flat, Rbm, Trainable};
///
/// let rbm = Rbm::<Flat>::new(Spin::half(4)?, 2.0)?.with_seed(42);
/// assert_eq!(rbm.n_parameters(), 4 + 8 + 8 * 4);
/// let log_psi = rbm.log_psi(&ndarray::array![[1, 1, -1, -1]])?;
/// assert!(log_psi[0].norm() < 1.0);
///
/// let complex = Rbm::<Flat, Complex64>::new(Spin::half(4)?, 2.0)?.with_sigma(0.1)?;
/// assert_eq!(complex.n_parameters(), 2 * rbm.n_parameters());
///
/// let single = Rbm::<Flat, f32>::new(Spin::half(4)?, 2.0)?.with_seed(42);
/// assert_eq!(single.parameters(), rbm.parameters());
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type Rbm<B, T = f64> = Network<B, RbmKind<T>>;

/// Two RBMs, one for the modulus and one for the phase: `ln ψ = A(x) + i B(x)` with real parameters of type
/// `f64` or `f32` (Torlai et al., Nature Physics 14, 447 (2018)).
///
/// The parameters of A come before the parameters of B.
pub type RbmModPhase<B, T = f64> = Network<B, RbmModPhaseKind<T>>;

/// An RBM that is invariant under a group of permutations of the sites.
///
/// `ln ψ(x) = a Σ_i x_i + Σ_f Σ_g ln cosh(b_f + Σ_i W_fi x_g(i))` with features f and group elements g
/// (Carleo and Troyer, Science 355, 602 (2017), supplement).
///
/// Parameters are a, `(1,)`; b, `(n_features,)`; W, `(n_features, n_sites)`.
///
/// ```
/// use operator_core::{WaveFunction, graph::Lattice, hilbert::Spin};
/// use variational::{Flat, RbmSymm};
///
/// let translations = Lattice::chain(4).translations()?;
/// let rbm = RbmSymm::<Flat>::new(Spin::half(4)?, &translations, 2)?.with_sigma(0.3)?;
/// let log_psi = rbm.log_psi(&ndarray::array![[1, 1, -1, -1], [-1, 1, 1, -1]])?;
/// assert!((log_psi[0] - log_psi[1]).norm() < 1e-14);
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type RbmSymm<B, T = f64> = Network<B, RbmSymmKind<T>>;

/// Marks [`Rbm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RbmKind<T>(PhantomData<T>);

impl<T> Sealed for RbmKind<T> {}

impl<T: Scalar> NetworkKind for RbmKind<T> {
    type Scalar = T;
    const NAME: &'static str = "RBM";
}

/// Marks [`RbmModPhase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RbmModPhaseKind<T>(PhantomData<T>);

impl<T> Sealed for RbmModPhaseKind<T> {}

impl<T: Real> NetworkKind for RbmModPhaseKind<T> {
    type Scalar = T;
    const NAME: &'static str = "RBM of modulus and phase";
}

/// Marks [`RbmSymm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RbmSymmKind<T>(PhantomData<T>);

impl<T> Sealed for RbmSymmKind<T> {}

impl<T: Scalar> NetworkKind for RbmSymmKind<T> {
    type Scalar = T;
    const NAME: &'static str = "symmetric RBM";
}

impl<B: NetworkBackend, T: Scalar> Rbm<B, T> {
    /// An RBM with `alpha · n_sites` hidden units, rounded to the nearest number. Its parameters are
    /// [normally distributed](super::network::Init::Normal) with standard deviation 0.01.
    ///
    /// # Errors
    /// [`Error::Count`] if that is no hidden unit at all; [`Error::NotFinite`] if `alpha` is NaN or infinite;
    /// [`Error::TooLarge`] beyond the [memory limit](operator_core::memory) or 2³¹ parameters.
    pub fn new(hilbert: impl Into<HilbertSpace>, alpha: f64) -> Result<Self> {
        let hilbert = hilbert.into();
        let n_hidden = n_hidden(alpha, &hilbert)?;
        let architecture = Architecture::new(rbm(&hilbert, n_hidden, ""));
        Self::build(hilbert, architecture, NARROW)
    }
}

impl<B: NetworkBackend, T: Real> RbmModPhase<B, T> {
    /// Two RBMs, each like that of [`Rbm::new`].
    ///
    /// # Errors
    /// As [`Rbm::new`].
    pub fn new(hilbert: impl Into<HilbertSpace>, alpha: f64) -> Result<Self> {
        let hilbert = hilbert.into();
        let n_hidden = n_hidden(alpha, &hilbert)?;
        let modulus = rbm(&hilbert, n_hidden, "modulus.");
        let phase = rbm(&hilbert, n_hidden, "phase.").map(Branch::phase);
        let architecture = Architecture::new([modulus, phase].concat());
        Self::build(hilbert, architecture, NARROW)
    }
}

impl<B: NetworkBackend, T: Scalar> RbmSymm<B, T> {
    /// A symmetric RBM with `n_features` features. Each feature has one hidden unit per group element.
    /// Parameters are drawn as in [`Rbm::new`].
    ///
    /// # Errors
    /// [`Error::Count`] if there are no features, or the group permutes another number of sites;
    /// [`Error::TooLarge`] beyond the [memory limit](operator_core::memory) or 2³¹ parameters.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        group: &PermutationGroup,
        n_features: usize,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        at_least_one("features", n_features, &hilbert)?;
        let n_sites = hilbert.n_sites();
        let visible = Branch::new(n_sites).shared("visible.bias", 1, None, (vec![0; n_sites], vec![1]));
        let hidden = super::group_cnn::symmetric_layer(&hilbert, group, "hidden", n_features, None)?;
        let architecture = Architecture::new([visible, hidden.activation(Activation::LnCosh)]);
        Self::build(hilbert, architecture, NARROW)
    }
}

fn rbm(hilbert: &HilbertSpace, n_hidden: usize, prefix: &str) -> [Branch; 2] {
    let n_sites = hilbert.n_sites();
    let hidden = Branch::new(n_sites).dense(&format!("{prefix}hidden"), n_hidden);
    [
        Branch::new(n_sites).weighted_sum(&format!("{prefix}visible.bias")),
        hidden.activation(Activation::LnCosh),
    ]
}

fn n_hidden(alpha: f64, hilbert: &HilbertSpace) -> Result<usize> {
    if !alpha.is_finite() {
        return Err(Error::NotFinite { what: "alpha".into(), value: alpha.into() });
    }
    let n_hidden = (alpha * hilbert.n_sites() as f64).round().max(0.0) as usize;
    if n_hidden == 0 {
        return Err(Error::Count {
            what: "hidden units".into(),
            got: n_hidden,
            expected: format!("at least 1; alpha = {alpha} is too small for {hilbert}"),
        });
    }
    Ok(n_hidden)
}
