//! Multilayer perceptrons.

use std::marker::PhantomData;

use operator_core::{HilbertSpace, Result};

use super::network::{
    Activation, Architecture, Branch, Init, Network, NetworkBackend, NetworkKind, Real, Scalar,
};

/// A multilayer perceptron: dense hidden layers with an activation, and a dense layer to ln ψ.
///
/// `h_0 = x`, `h_l = f(W_l h_{l−1} + b_l)`, `ln ψ = W h_L + b`. Complex parameters take
/// [`LnCosh`](Activation::LnCosh) or [`Tanh`](Activation::Tanh). `T` may be in
/// [single precision](super::network::Scalar).
///
/// ```
/// use operator_core::{WaveFunction, hilbert::Spin};
/// use variational::wave_functions::network::Activation;
/// use variational::{Flat, Mlp, Trainable};
///
/// let mlp = Mlp::<Flat>::new(Spin::half(4)?, &[16, 8], Activation::Gelu, 42)?;
/// assert_eq!(mlp.n_parameters(), (4 * 16 + 16) + (16 * 8 + 8) + (8 + 1));
/// assert_eq!(mlp.layout()[1].name, "dense_0.kernel");
/// # Ok::<(), operator_core::Error>(())
/// ```
pub type Mlp<B, T = f64> = Network<B, MlpKind<T>>;

/// A perceptron for the modulus and one for the phase: `ln ψ = A(x) + i B(x)` with real parameters, of type `f64`
/// or `f32`.
pub type MlpModPhase<B, T = f64> = Network<B, MlpModPhaseKind<T>>;

/// Marks [`Mlp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlpKind<T>(PhantomData<T>);

impl<T: Scalar> NetworkKind for MlpKind<T> {
    type Scalar = T;
    const NAME: &'static str = "MLP";
}

/// Marks [`MlpModPhase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MlpModPhaseKind<T>(PhantomData<T>);

impl<T: Real> NetworkKind for MlpModPhaseKind<T> {
    type Scalar = T;
    const NAME: &'static str = "MLP of modulus and phase";
}

impl<B: NetworkBackend, T: Scalar> Mlp<B, T> {
    /// Hidden layers of these sizes. Biases start at 0, weights with the variance 1 / number of inputs.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) for a layer without units, or complex parameters with an
    /// activation that is real only; [`Backend`](operator_core::Error::Backend) if the device fails.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        hidden: &[usize],
        activation: Activation,
        seed: u64,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let architecture = Architecture::new([perceptron(&hilbert, hidden, activation, "")?]);
        Self::build(hilbert, architecture, Init::LecunNormal, seed, B::default_device())
    }
}

impl<B: NetworkBackend, T: Real> MlpModPhase<B, T> {
    /// Both perceptrons have hidden layers of these sizes.
    ///
    /// # Errors
    /// As [`Mlp::new`].
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        hidden: &[usize],
        activation: Activation,
        seed: u64,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let modulus = perceptron(&hilbert, hidden, activation, "modulus.")?;
        let phase = perceptron(&hilbert, hidden, activation, "phase.")?.phase();
        let architecture = Architecture::new([modulus, phase]);
        Self::build(hilbert, architecture, Init::LecunNormal, seed, B::default_device())
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
