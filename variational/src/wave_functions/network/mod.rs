//! Feed-forward networks: wave functions that are written as layers, once for all backends.
//!
//! An [`Architecture`] says which layers there are. [`Network`] is a wave function of an architecture: it
//! evaluates it and its derivatives with the few matrix operations that a backend has ([`NetworkBackend`]).
//! [`Rbm`](crate::Rbm), [`Jastrow`](crate::Jastrow) and the other networks of this crate are architectures
//! with a name; a new one is a function that returns branches:
//!
//! ```
//! use operator_core::{WaveFunction, hilbert::Spin};
//! use variational::Flat;
//! use variational::wave_functions::network::{Activation, Architecture, Branch, Custom, Init, Network};
//!
//! // An RBM with a second hidden layer.
//! let deep = Branch::new(6).dense("first", 12).activation(Activation::Tanh)
//!     .dense("second", 12).activation(Activation::LnCosh);
//! let architecture = Architecture::new([Branch::new(6).weighted_sum("visible"), deep]);
//! let psi = Network::<Flat, Custom>::from_architecture(
//!     Spin::half(6)?, architecture, Init::Normal(0.1), 42,
//! )?;
//! assert_eq!(psi.log_psi(&ndarray::array![[1, 1, 1, -1, -1, -1]])?.len(), 1);
//! # Ok::<(), operator_core::Error>(())
//! ```

mod architecture;
mod backend;
mod evaluate;
mod first_layers;
mod matrix;
mod numbers;
mod walker;

pub use architecture::{Architecture, Branch};
pub use backend::NetworkBackend;
pub use matrix::{Arithmetic, Field, Matrix};
pub use numbers::{Activation, Order, Real, Scalar};

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use evaluate::{Block, Evaluation, Weights};
use first_layers::{Changed, FirstLayers};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Element, Error, HilbertSpace, Result, Walker, WaveFunction};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use walker::{NetworkWalker, WalkerWeights};

use crate::derivatives::DerivativeBlock;
use crate::derivatives::{LogDerivatives, ParameterArray, Trainable};

/// What a network is, for its type: a name and the type of its parameters.
pub trait NetworkKind: Clone + Debug + Send + Sync + 'static {
    /// Type of the parameters.
    type Scalar: Scalar;

    /// The name of the network in messages.
    const NAME: &'static str;
}

/// What a kind's networks are evaluated in.
pub(crate) type RealOf<K> = <<K as NetworkKind>::Scalar as Element>::Real;

type MatrixOf<B, K> = <B as NetworkBackend>::Matrix<RealOf<K>>;

/// A network of any architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custom<T = f64>(PhantomData<T>);

impl<T: Scalar> NetworkKind for Custom<T> {
    type Scalar = T;
    const NAME: &'static str = "network";
}

/// How parameters are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All normally distributed with this standard deviation.
    Normal(f64),
    /// Biases 0, weights normally distributed with the variance 1 / number of inputs that an output has
    /// (LeCun et al., Efficient BackProp, 1998).
    LecunNormal,
}

/// A wave function that is a feed-forward network, see the [module](self).
///
/// Complex parameters are real parts and imaginary parts, all of the former first in
/// [`parameters`](Trainable::parameters). The network is holomorphic in them, so that its derivatives by the
/// imaginary parts are i times those by the real parts.
#[derive(Clone)]
pub struct Network<B: NetworkBackend, K: NetworkKind> {
    hilbert: HilbertSpace,
    architecture: Arc<Architecture>,
    parameters: Array1<f64>,
    device: B::Device,
    weights: Vec<Weights<MatrixOf<B, K>>>,
    /// What walkers share, made when the first one is asked for; `None` where there are none.
    walker_weights: OnceLock<Option<WalkerWeights<K::Scalar>>>,
    kind: PhantomData<K>,
}

impl<B: NetworkBackend, T: Scalar> Network<B, Custom<T>> {
    /// A network of any architecture on the default device.
    ///
    /// # Errors
    /// [`Error::Count`] without parameters, or for complex parameters behind an activation that is not
    /// holomorphic; [`Error::NotFinite`] for a standard deviation that is none; [`Error::Backend`] if the
    /// device fails.
    pub fn from_architecture(
        hilbert: impl Into<HilbertSpace>,
        architecture: Architecture,
        init: Init,
        seed: u64,
    ) -> Result<Self> {
        Self::build(hilbert.into(), architecture, init, seed, B::default_device())
    }
}

impl<B: NetworkBackend, K: NetworkKind> Network<B, K> {
    /// Every constructor ends here.
    pub(crate) fn build(
        hilbert: HilbertSpace,
        architecture: Architecture,
        init: Init,
        seed: u64,
        device: B::Device,
    ) -> Result<Self> {
        architecture.check(&hilbert, K::Scalar::IS_COMPLEX)?;
        if let Init::Normal(sigma) = init
            && !sigma.is_finite()
        {
            return Err(Error::NotFinite { what: "sigma".into(), value: sigma.into() });
        }
        let parameters = random_parameters::<K::Scalar>(&architecture, init, seed);
        let architecture = Arc::new(architecture);
        let weights = Vec::new();
        let mut network = Network {
            hilbert,
            architecture,
            parameters: Array1::zeros(0),
            device,
            weights,
            walker_weights: OnceLock::new(),
            kind: PhantomData,
        };
        network.replace(parameters)?;
        Ok(network)
    }

    /// How the network is built.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Where it is evaluated.
    pub fn device(&self) -> &B::Device {
        &self.device
    }

    fn replace(&mut self, parameters: Array1<f64>) -> Result<()> {
        let row = parameters.clone().into_shape_with_order((1, parameters.len()));
        let row = row.map_err(|error| Error::backend(B::NAME, error))?;
        let row = B::matrix(row, &self.device)?;
        self.set_values(parameters, &row)
    }

    /// Spreads parameters over the layers, from their values and from the same where the network is evaluated,
    /// shape `(1, n_parameters)`. Nothing is replaced after a failure of the device, so that weights and
    /// parameters belong together.
    ///
    /// # Errors
    /// [`Error::Count`] if their number is wrong; [`Error::Backend`] if the device fails.
    pub(crate) fn set_values(&mut self, parameters: Array1<f64>, row: &MatrixOf<B, K>) -> Result<()> {
        self.check_count(parameters.len())?;
        self.weights = self.spread(row)?;
        self.parameters = parameters;
        self.walker_weights = OnceLock::new();
        Ok(())
    }

    /// The weights from parameters of shape `(1, n_parameters)`.
    fn spread(&self, parameters: &MatrixOf<B, K>) -> Result<Vec<Weights<MatrixOf<B, K>>>> {
        let n_values = self.architecture.n_values() as u32;
        let columns =
            |range: std::ops::Range<u32>| MatrixOf::<B, K>::gather(parameters, &range.collect::<Vec<_>>());
        let field = if K::Scalar::IS_COMPLEX {
            Field { re: columns(0..n_values)?, im: Some(columns(n_values..2 * n_values)?) }
        } else {
            Field::real(parameters.clone())
        };
        evaluate::weights(&self.architecture, &field)
    }

    /// The parameters as the network is evaluated with them, complex ones whole.
    fn values(&self) -> impl Iterator<Item = <K::Scalar as Scalar>::Double> {
        let n_values = self.architecture.n_values();
        let im = move |k: usize| if K::Scalar::IS_COMPLEX { self.parameters[n_values + k] } else { 0.0 };
        let rounded = |z| K::Scalar::from_complex(z).to_complex();
        (0..n_values).map(move |k| Element::from_complex(rounded(Complex64::new(self.parameters[k], im(k)))))
    }

    fn check_count(&self, got: usize) -> Result<()> {
        let parts = if K::Scalar::IS_COMPLEX { 2 } else { 1 };
        let expected = parts * self.architecture.n_values();
        if got != expected {
            let what = format!("{} parameters", K::NAME);
            return Err(Error::Count { what, got, expected: expected.to_string() });
        }
        Ok(())
    }

    fn evaluation(&self) -> Evaluation<'_, MatrixOf<B, K>> {
        Evaluation { architecture: &self.architecture, weights: &self.weights }
    }

    fn check_width(&self, x: &MatrixOf<B, K>) -> Result<()> {
        let (got, expected) = (Matrix::dim(x)?.1, self.hilbert.n_sites());
        if got != expected {
            return Err(Error::SampleWidth { got, expected, hilbert: self.hilbert.to_string() });
        }
        Ok(())
    }
}

impl<B: NetworkBackend, K: NetworkKind> WaveFunction<B> for Network<B, K> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let log_psi = B::by_blocks(x, |_, x| {
            self.check_width(x)?;
            self.evaluation().log_psi(x)
        })?;
        B::amplitudes(&Field::stack(log_psi)?)
    }

    /// On backends that [gain](NetworkBackend::ADDS_CHANGES) by it, a first linear layer goes through the samples
    /// only, and each connected configuration adds what its changes do.
    fn log_psi_connected(
        &self,
        x: &B::Configurations,
        connected: &B::Configurations,
        origins: &[usize],
    ) -> Result<B::Amplitudes> {
        check_origins(origins, B::batch_len(x), B::batch_len(connected))?;
        if !B::ADDS_CHANGES || !self.architecture.goes_on_from_linear() {
            return self.log_psi(connected);
        }
        let evaluation = self.evaluation();
        let columns = evaluation.first_columns()?;
        let first = FirstLayers::stack(B::by_blocks(x, |_, x| {
            self.check_width(x)?;
            FirstLayers::new(&columns, x)
        })?)?;
        let changed = Changed { first: &first, columns: &columns, origins };
        let log_psi = B::by_blocks(connected, |rows, x| {
            self.check_width(x)?;
            evaluation.log_psi_connected(&changed, rows, x)
        })?;
        B::amplitudes(&Field::stack(log_psi)?)
    }

    /// There is one for networks whose branches have at most one hidden layer.
    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        let walker_weights = self.walker_weights.get_or_init(|| {
            let values: Vec<_> = self.values().collect();
            WalkerWeights::new(&self.hilbert, &self.architecture, &values)
        });
        Some(Box::new(NetworkWalker::new(walker_weights.as_ref()?)))
    }
}

fn check_origins(origins: &[usize], n_samples: usize, n_connected: usize) -> Result<()> {
    if origins.len() != n_connected {
        let what = "origins of connected configurations".into();
        return Err(Error::Count { what, got: origins.len(), expected: n_connected.to_string() });
    }
    match origins.iter().position(|&origin| origin >= n_samples) {
        Some(row) => Err(Error::OriginOutOfRange { row, origin: origins[row], n_samples }),
        None => Ok(()),
    }
}

impl<B: NetworkBackend, K: NetworkKind> Trainable<B> for Network<B, K> {
    fn n_parameters(&self) -> usize {
        self.parameters.len()
    }

    fn parameters(&self) -> Array1<f64> {
        self.parameters.clone()
    }

    fn layout(&self) -> Vec<ParameterArray> {
        let layout = self.architecture.layout();
        if !K::Scalar::IS_COMPLEX {
            return layout;
        }
        let of_part = |part: &&str| {
            let named = |array: &ParameterArray| ParameterArray {
                name: format!("{}{part}", array.name),
                shape: array.shape.clone(),
            };
            layout.iter().map(named).collect::<Vec<_>>()
        };
        [".re", ".im"].iter().flat_map(of_part).collect()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()> {
        self.check_count(parameters.len())?;
        self.replace(parameters.clone())
    }

    /// In [blocks](LogDerivatives::Blocks) where parameters are real, ln ψ has no phase, and a layer is dense.
    fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives> {
        let blocks = if K::Scalar::IS_COMPLEX { None } else { evaluate::blocks(&self.architecture) };
        let derivatives = B::by_blocks(x, |_, x| {
            self.check_width(x)?;
            let ones = |_, values: &Field<MatrixOf<B, K>>| {
                Ok(Field::real(B::matrix(Array2::ones(Matrix::dim(&values.re)?), &self.device)?))
            };
            match blocks {
                Some(_) => self.evaluation().factors(x, ones),
                None => self.evaluation().log_derivatives(x, ones),
            }
        })?;
        let derivatives = Field::stack(derivatives)?;
        match blocks {
            Some(blocks) => Ok(LogDerivatives::Blocks(cut(&Matrix::to_array(&derivatives.re)?, &blocks))),
            None => Self::to_log_derivatives(derivatives),
        }
    }
}

/// Blocks of derivatives from the columns of all of them.
fn cut(columns: &Array2<f64>, blocks: &[Block]) -> Vec<DerivativeBlock> {
    let mut rest = columns.view();
    let mut take = |n: usize| {
        let (part, others) = rest.split_at(ndarray::Axis(1), n.min(rest.ncols()));
        rest = others;
        part.to_owned()
    };
    let cut = |block: &Block| match *block {
        Block::Dense(n) => DerivativeBlock::Dense(take(n)),
        Block::Outer(n_rows, n_columns) => {
            DerivativeBlock::Outer { left: take(n_rows), right: take(n_columns) }
        }
    };
    blocks.iter().map(cut).collect()
}

impl<B: NetworkBackend, K: NetworkKind> Network<B, K> {
    /// The values after the last layer of each branch, for wave functions that are other functions of them than
    /// their sum.
    pub(super) fn branch_values(&self, x: &MatrixOf<B, K>) -> Result<Vec<Field<MatrixOf<B, K>>>> {
        self.check_width(x)?;
        self.evaluation().values(x)
    }

    /// As [`log_derivatives`](Trainable::log_derivatives), from derivatives by the last values of each
    /// branch, which `deltas` gives from whether the branch is a phase and from these values.
    pub(super) fn derivatives_through<F>(
        &self,
        x: &MatrixOf<B, K>,
        deltas: F,
    ) -> Result<Field<MatrixOf<B, K>>>
    where
        F: Fn(bool, &Field<MatrixOf<B, K>>) -> Result<Field<MatrixOf<B, K>>>,
    {
        self.check_width(x)?;
        self.evaluation().log_derivatives(x, deltas)
    }

    pub(super) fn to_log_derivatives(derivatives: Field<MatrixOf<B, K>>) -> Result<LogDerivatives> {
        let re = Matrix::to_array(&derivatives.re)?;
        let Some(im) = derivatives.im.map(|im| Matrix::to_array(&im)).transpose()? else {
            return Ok(if K::Scalar::IS_COMPLEX {
                LogDerivatives::Complex(holomorphic(&re.mapv(Complex64::from)))
            } else {
                LogDerivatives::Real(re)
            });
        };
        let mut complex = re.mapv(Complex64::from);
        complex.zip_mut_with(&im, |z, im| z.im = *im);
        Ok(LogDerivatives::Complex(if K::Scalar::IS_COMPLEX { holomorphic(&complex) } else { complex }))
    }
}

/// Derivatives by real and imaginary parts, `(batch, 2 n)`, from those by complex parameters, `(batch, n)`.
fn holomorphic(derivatives: &Array2<Complex64>) -> Array2<Complex64> {
    let (batch, n) = derivatives.dim();
    let mut both = Array2::zeros((batch, 2 * n));
    let (mut by_re, mut by_im) = both.view_mut().split_at(ndarray::Axis(1), n);
    by_re.assign(derivatives);
    by_im.zip_mut_with(derivatives, |to, derivative| *to = Complex64::i() * derivative);
    both
}

/// All parameters in their order; for complex ones, both parts have half the variance.
fn random_parameters<T: Scalar>(architecture: &Architecture, init: Init, seed: u64) -> Array1<f64> {
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

impl<B: NetworkBackend, K: NetworkKind> Debug for Network<B, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::NAME)
            .field("backend", &B::NAME)
            .field("hilbert", &self.hilbert)
            .field("n_parameters", &self.parameters.len())
            .finish_non_exhaustive()
    }
}
