//! Feed-forward networks: wave functions written as layers, once for all backends.
//!
//! An [`Architecture`] lists the layers. A [`Network`] is a wave function with this architecture; it
//! evaluates ln ψ and its derivatives on any [`NetworkBackend`]. [`Rbm`](crate::Rbm),
//! [`Jastrow`](crate::Jastrow) and the other networks of this crate are named architectures. To write a new
//! one, combine branches:
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
//! let psi = Network::<Flat, Custom>::from_architecture(Spin::half(6)?, architecture)?;
//! let psi = psi.with_seed(42).with_init(Init::Normal(0.1))?;
//! assert_eq!(psi.log_psi(&ndarray::array![[1, 1, 1, -1, -1, -1]])?.len(), 1);
//! # Ok::<(), operator_core::Error>(())
//! ```

mod architecture;
mod backend;
mod evaluate;
mod first_layers;
mod init;
mod kind;
mod matrix;
mod numbers;
mod sealed;
mod walker;

pub(super) use architecture::expect_weights_fit;
pub use architecture::{Architecture, Branch};
pub use backend::NetworkBackend;
pub use init::Init;
pub(crate) use kind::RealOf;
pub use kind::{Custom, NetworkKind};
pub(crate) use matrix::{Arithmetic, Field, Matrix};
pub use numbers::{Activation, Real, Scalar};
// An argument of `Activation::apply`, which the folders of backends call.
#[doc(hidden)]
pub use numbers::Order;
pub(crate) use sealed::Sealed;

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use evaluate::{Block, Evaluation, SumOfUnits, Weights};
pub(crate) use first_layers::check_origins;
use first_layers::{Changed, FirstLayers};
use init::random_parameters;
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Element, Error, HilbertSpace, Result, Walker, WaveFunction};
use walker::{NetworkWalker, WalkerWeights};

use crate::derivatives::{
    DerivativeBlock, LogDerivatives, ParameterArray, Trainable, expect_derivatives_fit,
};

type MatrixOf<B, K> = <B as NetworkBackend>::Matrix<RealOf<K>>;

/// A wave function that is a feed-forward network, see the [module](self).
///
/// Each family has its own `new` and draws its parameters with seed 0 from a distribution of its own:
/// [`Rbm`](crate::Rbm)s, [`Jastrow`](crate::Jastrow) and [`MeanField`](crate::MeanField) from a narrow normal
/// distribution, `Init::Normal(0.01)`, all others from [`Init::LecunNormal`]. The builders below change that.
///
/// Complex parameters count as two: [`parameters`](Trainable::parameters) holds all real parts, then all
/// imaginary parts. The network is holomorphic in them, so its derivatives by the imaginary parts are i times
/// those by the real parts.
#[derive(Clone)]
pub struct Network<B: NetworkBackend, K: NetworkKind> {
    hilbert: HilbertSpace,
    architecture: Arc<Architecture>,
    init: Init,
    seed: u64,
    device: B::Device,
    /// Drawn at first use, so that a chain of builders draws once.
    parameters: OnceLock<Array1<f64>>,
    /// The parameters on the device, spread over the layers. Brought there at first use.
    weights: OnceLock<Vec<Weights<MatrixOf<B, K>>>>,
    /// What walkers share, made for the first one; `None` if the network has no walker.
    walker_weights: OnceLock<Option<WalkerWeights<K::Scalar>>>,
    kind: PhantomData<K>,
}

impl<B: NetworkBackend, T: Scalar> Network<B, Custom<T>> {
    /// A network of any architecture, with parameters from [`Init::LecunNormal`].
    ///
    /// # Errors
    /// [`Error::Count`] if there are no parameters, or if they are complex and an activation is not
    /// [holomorphic](Activation::is_holomorphic); [`Error::TooLarge`] for 2³¹ parameters or more.
    pub fn from_architecture(hilbert: impl Into<HilbertSpace>, architecture: Architecture) -> Result<Self> {
        Self::build(hilbert.into(), architecture, Init::LecunNormal)
    }
}

impl<B: NetworkBackend, K: NetworkKind> Network<B, K> {
    /// Every constructor ends here.
    pub(crate) fn build(hilbert: HilbertSpace, architecture: Architecture, init: Init) -> Result<Self> {
        architecture.check(&hilbert, K::Scalar::IS_COMPLEX)?;
        Ok(Network {
            hilbert,
            architecture: Arc::new(architecture),
            init,
            seed: 0,
            device: B::default_device(),
            parameters: OnceLock::new(),
            weights: OnceLock::new(),
            walker_weights: OnceLock::new(),
            kind: PhantomData,
        })
    }

    /// Draws the parameters anew, with this seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Network { seed, ..self }.drawn_anew()
    }

    /// Draws the parameters anew, all from a normal distribution with this standard deviation:
    /// [`with_init`](Self::with_init) of [`Init::Normal`].
    ///
    /// # Errors
    /// [`Error::NotFinite`] if `sigma` is NaN or infinite.
    pub fn with_sigma(self, sigma: f64) -> Result<Self> {
        self.with_init(Init::Normal(sigma))
    }

    /// Draws the parameters anew, from this distribution.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a standard deviation that is NaN or infinite.
    pub fn with_init(self, init: Init) -> Result<Self> {
        init.check()?;
        Ok(Network { init, ..self }.drawn_anew())
    }

    /// Evaluates the network on this device; its parameters go there at first use.
    #[must_use]
    pub fn with_device(self, device: B::Device) -> Self {
        // Weights from a parameter tensor stay on the device of the tensor, so they are made again.
        Network { device, weights: OnceLock::new(), ..self }
    }

    fn drawn_anew(self) -> Self {
        let (parameters, weights, walker_weights) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Network { parameters, weights, walker_weights, ..self }
    }

    /// How the network is built.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn values(&self) -> &Array1<f64> {
        let draw = || random_parameters::<K::Scalar>(&self.architecture, self.init, self.seed);
        self.parameters.get_or_init(draw)
    }

    fn weights(&self) -> Result<&[Weights<MatrixOf<B, K>>]> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights);
        }
        let weights = self.spread(&self.row(self.values())?)?;
        Ok(self.weights.get_or_init(|| weights))
    }

    /// Parameters on the device, shape `(1, n_parameters)`.
    fn row(&self, parameters: &Array1<f64>) -> Result<MatrixOf<B, K>> {
        B::matrix(parameters.clone().insert_axis(ndarray::Axis(0)), &self.device)
    }

    /// Replaces the parameters by `parameters`, and the weights by those from `row`, which holds the same
    /// values on the device, shape `(1, n_parameters)`. After an error nothing is replaced.
    ///
    /// # Errors
    /// [`Error::Count`] if their number is wrong; [`Error::Backend`] if the device fails.
    pub(crate) fn set_values(&mut self, parameters: Array1<f64>, row: &MatrixOf<B, K>) -> Result<()> {
        self.check_count(parameters.len())?;
        self.weights = self.spread(row)?.into();
        self.parameters = parameters.into();
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

    /// The parameters, rounded to the precision of the network, each complex one as one number.
    fn rounded_values(&self) -> impl Iterator<Item = <K::Scalar as Scalar>::Double> {
        let (parameters, n_values) = (self.values(), self.architecture.n_values());
        let im = move |k: usize| if K::Scalar::IS_COMPLEX { parameters[n_values + k] } else { 0.0 };
        let rounded = |z| K::Scalar::from_complex(z).to_complex();
        (0..n_values).map(move |k| Element::from_complex(rounded(Complex64::new(parameters[k], im(k)))))
    }

    fn check_count(&self, got: usize) -> Result<()> {
        let expected = self.n_parameters();
        if got != expected {
            let what = format!("{} parameters", K::NAME);
            return Err(Error::Count { what, got, expected: expected.to_string() });
        }
        Ok(())
    }

    fn evaluation(&self) -> Result<Evaluation<'_, MatrixOf<B, K>>> {
        Ok(Evaluation { architecture: &self.architecture, weights: self.weights()? })
    }

    fn check_width(&self, x: &MatrixOf<B, K>) -> Result<()> {
        let (got, expected) = (Matrix::dim(x)?.1, self.hilbert.n_sites());
        if got != expected {
            return Err(Error::SampleWidth { got, expected, hilbert: self.hilbert.to_string() });
        }
        Ok(())
    }
}

/// ln ψ of connected states, shape `(batch · width, 1)`; `None` if the backend has no kernel for the network.
type OfStates<B> = Option<Field<<B as NetworkBackend>::Matrix<f64>>>;

impl<B: NetworkBackend, K: NetworkKind> Network<B, K> {
    fn sums_of_units(
        &self,
        sums: &[SumOfUnits<'_, MatrixOf<B, K>>],
        x: &B::Configurations,
        states: &B::ConnStates,
    ) -> Result<OfStates<B>> {
        let mut log_psi: OfStates<B> = None;
        for sum in sums {
            let values = self.at_samples(x, |x| sum.values(x))?;
            let Some(sums) = B::sums_of_units(states, sum.activation, &values, &sum.columns()?)? else {
                return Ok(None);
            };
            let sums = sum.to_log_psi(sums)?;
            log_psi = Some(match log_psi {
                Some(others) => others.add(&sums)?,
                None => sums,
            });
        }
        Ok(log_psi)
    }

    fn log_psi_of_changed_layers(
        &self,
        evaluation: &Evaluation<'_, MatrixOf<B, K>>,
        x: &B::Configurations,
        states: &B::ConnStates,
    ) -> Result<OfStates<B>> {
        let mut changed = Vec::new();
        for layer in evaluation.first_layers()? {
            let Some(layer) = layer else { return Ok(None) };
            let values = self.at_samples(x, |x| layer.values(x))?;
            let Some(layer) = B::changed_layer(states, &values, &layer.columns)? else { return Ok(None) };
            changed.push(layer);
        }
        evaluation.log_psi_from(&changed)
    }

    /// A function of rows of samples.
    fn at_samples<F>(&self, x: &B::Configurations, f: F) -> Result<Field<MatrixOf<B, K>>>
    where
        F: Fn(&MatrixOf<B, K>) -> Result<Field<MatrixOf<B, K>>> + Send + Sync,
    {
        Field::stack(B::by_blocks(x, |_, x| {
            self.check_width(x)?;
            f(x)
        })?)
    }
}

impl<B: NetworkBackend, K: NetworkKind> WaveFunction<B> for Network<B, K> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn device(&self) -> B::Device {
        self.device.clone()
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let evaluation = self.evaluation()?;
        let log_psi = B::by_blocks(x, |_, x| {
            self.check_width(x)?;
            evaluation.log_psi(x)
        })?;
        B::amplitudes(&Field::stack(log_psi)?)
    }

    /// On the host, the product of a first linear layer is computed for the samples only; each connected
    /// configuration adds the contribution of its changes.
    fn log_psi_connected(
        &self,
        x: &B::Configurations,
        connected: &B::Configurations,
        origins: &[usize],
    ) -> Result<B::Amplitudes> {
        check_connected(origins, B::batch_len(x), B::batch_len(connected))?;
        if !B::adds_changes(&self.device) || !self.architecture.goes_on_from_linear() {
            return self.log_psi(connected);
        }
        let evaluation = self.evaluation()?;
        let layers = evaluation.first_layers()?;
        let first = FirstLayers::stack(B::by_blocks(x, |_, x| {
            self.check_width(x)?;
            FirstLayers::new(&layers, x)
        })?)?;
        let changed = Changed { first: &first, layers: &layers, origins };
        let log_psi = B::by_blocks(connected, |rows, x| {
            self.check_width(x)?;
            evaluation.log_psi_connected(&changed, rows, x)
        })?;
        B::amplitudes(&Field::stack(log_psi)?)
    }

    /// Where all branches start with a linear layer, it is changed at the sites that change. One of the identity or
    /// ln cosh alone is summed at once.
    fn log_psi_conn(&self, x: &B::Configurations, states: &B::ConnStates) -> Result<B::Amplitudes> {
        let evaluation = self.evaluation()?;
        let log_psi = match evaluation.sums_of_units() {
            Some(sums) => self.sums_of_units(&sums, x, states)?,
            None => self.log_psi_of_changed_layers(&evaluation, x, states)?,
        };
        match log_psi {
            Some(log_psi) => B::amplitudes(&log_psi),
            None => self.log_psi(&B::conn_rows(states)?),
        }
    }

    /// There is one for networks whose branches have at most one hidden layer.
    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        let walker_weights = self.walker_weights.get_or_init(|| {
            let values: Vec<_> = self.rounded_values().collect();
            WalkerWeights::new(&self.hilbert, &self.architecture, &values)
        });
        Some(Box::new(NetworkWalker::new(walker_weights.as_ref()?)))
    }
}

fn check_connected(origins: &[usize], n_samples: usize, n_connected: usize) -> Result<()> {
    if origins.len() != n_connected {
        let what = "origins of connected configurations".into();
        return Err(Error::Count { what, got: origins.len(), expected: n_connected.to_string() });
    }
    check_origins(origins, n_samples)
}

impl<B: NetworkBackend, K: NetworkKind> Trainable<B> for Network<B, K> {
    fn n_parameters(&self) -> usize {
        let parts = if K::Scalar::IS_COMPLEX { 2 } else { 1 };
        parts * self.architecture.n_values()
    }

    fn parameters(&self) -> Array1<f64> {
        self.values().clone()
    }

    fn layout(&self) -> Vec<ParameterArray> {
        let layout = self.architecture.layout();
        if !K::Scalar::IS_COMPLEX {
            return layout;
        }
        let of_part = |part: &&str| {
            let named = |array: &ParameterArray| {
                ParameterArray::new(format!("{}{part}", array.name()), array.shape())
            };
            layout.iter().map(named).collect::<Vec<_>>()
        };
        [".re", ".im"].iter().flat_map(of_part).collect()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()> {
        self.check_count(parameters.len())?;
        let row = self.row(parameters)?;
        self.set_values(parameters.clone(), &row)
    }

    /// In [blocks](LogDerivatives::Blocks) where parameters are real, ln ψ has no phase, and a layer is
    /// dense.
    fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives> {
        let evaluation = self.evaluation()?;
        let blocks = if K::Scalar::IS_COMPLEX { None } else { evaluate::blocks(&self.architecture) };
        let n_numbers = match &blocks {
            Some(blocks) => blocks.iter().map(Block::n_columns).sum(),
            // Of a complex network, real and imaginary parts by each.
            None if K::Scalar::IS_COMPLEX => 2 * self.n_parameters(),
            None => self.n_parameters(),
        };
        expect_derivatives_fit(B::batch_len(x), n_numbers)?;
        let derivatives = B::by_blocks(x, |_, x| {
            self.check_width(x)?;
            let ones = |_, values: &Field<MatrixOf<B, K>>| {
                Ok(Field::real(B::matrix(Array2::ones(Matrix::dim(&values.re)?), &self.device)?))
            };
            match blocks {
                Some(_) => evaluation.factors(x, ones),
                None => evaluation.log_derivatives(x, ones),
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
    /// The values after the last layer of each branch, for wave functions that are other functions of them
    /// than their sum.
    pub(super) fn branch_values(&self, x: &MatrixOf<B, K>) -> Result<Vec<Field<MatrixOf<B, K>>>> {
        self.check_width(x)?;
        self.evaluation()?.values(x)
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
        self.evaluation()?.log_derivatives(x, deltas)
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

impl<B: NetworkBackend, K: NetworkKind> Debug for Network<B, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::NAME)
            .field("backend", &B::NAME)
            .field("hilbert", &self.hilbert)
            .field("n_parameters", &self.n_parameters())
            .finish_non_exhaustive()
    }
}
