//! Multilayer perceptrons.

use std::marker::PhantomData;

use operator_core::{HilbertSpace, Result};

use super::network::{
    Activation, Architecture, Branch, Init, Network, NetworkBackend, NetworkKind, Real, Scalar, Sealed,
};

/// A multilayer perceptron: dense hidden layers with an activation, and a dense layer to ln ψ.
///
/// `h_0 = x`, `h_l = f(W_l h_{l−1} + b_l)`, `ln ψ = W h_L + b`. Complex parameters need
/// [`LnCosh`](Activation::LnCosh) or [`Tanh`](Activation::Tanh). `T` may be in
/// [single precision](super::network::Scalar).
///
/// ```
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::wave_functions::network::Activation;
/// use variational::{Flat, Mlp, Trainable};
///
/// let mlp = Mlp::<Flat>::new(Spin::half(4)?, &[16, 8], Activation::Gelu)?.with_seed(42);
/// assert_eq!(mlp.n_parameters(), (4 * 16 + 16) + (16 * 8 + 8) + (8 + 1));
/// assert_eq!(mlp.layout()[1].name(), "dense_0.kernel");
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type Mlp<B, T = f64> = Network<B, MlpKind<T>>;

/// Two perceptrons, one for the modulus and one for the phase: `ln ψ = A(x) + i B(x)` with real parameters of
/// type `f64` or `f32`.
pub type MlpModPhase<B, T = f64> = Network<B, MlpModPhaseKind<T>>;

/// Marks [`Mlp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlpKind<T>(PhantomData<T>);

impl<T> Sealed for MlpKind<T> {}

impl<T: Scalar> NetworkKind for MlpKind<T> {
    type Scalar = T;
    const NAME: &'static str = "MLP";
}

/// Marks [`MlpModPhase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlpModPhaseKind<T>(PhantomData<T>);

impl<T> Sealed for MlpModPhaseKind<T> {}

impl<T: Real> NetworkKind for MlpModPhaseKind<T> {
    type Scalar = T;
    const NAME: &'static str = "MLP of modulus and phase";
}

impl<B: NetworkBackend, T: Scalar> Mlp<B, T> {
    /// A perceptron with hidden layers of these sizes. Parameters are drawn from [`Init::LecunNormal`].
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) if a layer has no units, or parameters are complex and the
    /// activation is not [holomorphic](Activation::is_holomorphic);
    /// [`TooLarge`](operator_core::Error::TooLarge) beyond the [memory limit](operator_core::memory) or 2³¹ parameters.
    pub fn new(hilbert: impl Into<HilbertSpace>, hidden: &[usize], activation: Activation) -> Result<Self> {
        let hilbert = hilbert.into();
        let architecture = Architecture::new([perceptron(&hilbert, hidden, activation, "")?]);
        Self::build(hilbert, architecture, Init::LecunNormal)
    }
}

impl<B: NetworkBackend, T: Real> MlpModPhase<B, T> {
    /// Two perceptrons, each like that of [`Mlp::new`].
    ///
    /// # Errors
    /// As [`Mlp::new`].
    pub fn new(hilbert: impl Into<HilbertSpace>, hidden: &[usize], activation: Activation) -> Result<Self> {
        let hilbert = hilbert.into();
        let modulus = perceptron(&hilbert, hidden, activation, "modulus.")?;
        let phase = perceptron(&hilbert, hidden, activation, "phase.")?.phase();
        let architecture = Architecture::new([modulus, phase]);
        Self::build(hilbert, architecture, Init::LecunNormal)
    }
}

fn perceptron(
    hilbert: &HilbertSpace,
    hidden: &[usize],
    activation: Activation,
    prefix: &str,
) -> Result<Branch> {
    let mut branch = Branch::new(hilbert.n_sites());
    for (k, &n_units) in hidden.iter().enumerate() {
        super::at_least_one("units of a hidden layer", n_units, hilbert)?;
        branch = branch.dense(&format!("{prefix}dense_{k}"), n_units).activation(activation);
    }
    Ok(branch.dense(&format!("{prefix}output"), 1))
}
