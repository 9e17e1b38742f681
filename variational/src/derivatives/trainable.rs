//! Wave functions with parameters, and their derivatives.

use ndarray::{Array1, Array2, Axis, CowArray, Ix2, ShapeError, concatenate};
use num_complex::Complex64;
use operator_core::{Backend, Result, WaveFunction, memory};

use super::block::DerivativeBlock;

/// A wave function with real parameters θ and their derivatives.
pub trait Trainable<B: Backend>: WaveFunction<B> {
    /// Number of parameters.
    fn n_parameters(&self) -> usize;

    /// All parameters in a fixed order, shape `(n_parameters,)`.
    ///
    /// A complex parameter counts as two real ones. All real parts come before all imaginary parts.
    fn parameters(&self) -> Array1<f64>;

    /// The arrays that make up [`parameters`](Self::parameters), in order, with the names that files use.
    /// Their sizes add up to the number of parameters.
    fn layout(&self) -> Vec<ParameterArray> {
        vec![ParameterArray::new("parameters", [self.n_parameters()])]
    }

    /// Replaces all parameters.
    ///
    /// # Errors
    /// [`Count`](operator_core::Error::Count) if their number is wrong;
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()>;

    /// `O_k(x) = ∂ ln ψ(x) / ∂θ_k` of each configuration, shape `(batch, n_parameters)`.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails.
    fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives>;
}

/// Implements [`Trainable`] for a pointer to a trainable wave function.
macro_rules! forward_to_target {
    ($pointer:ty) => {
        impl<B: Backend, W: Trainable<B> + ?Sized> Trainable<B> for $pointer {
            fn n_parameters(&self) -> usize {
                (**self).n_parameters()
            }

            fn parameters(&self) -> Array1<f64> {
                (**self).parameters()
            }

            fn layout(&self) -> Vec<ParameterArray> {
                (**self).layout()
            }

            fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()> {
                (**self).set_parameters(parameters)
            }

            fn log_derivatives(&self, x: &B::Configurations) -> Result<LogDerivatives> {
                (**self).log_derivatives(x)
            }
        }
    };
}

forward_to_target!(Box<W>);
forward_to_target!(&mut W);

/// Name and shape of one array of parameters. Its elements are in row-major order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParameterArray {
    name: String,
    shape: Vec<usize>,
}

impl ParameterArray {
    /// An array with this name, which is unique in its wave function, and this shape.
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> Self {
        ParameterArray { name: name.into(), shape: shape.into() }
    }

    /// Its name, for example `hidden.kernel`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements, at most the largest `usize`.
    pub fn n_values(&self) -> usize {
        self.shape.iter().fold(1, |product, &n| product.saturating_mul(n))
    }
}

/// Derivatives of ln ψ by real parameters, shape `(batch, n_parameters)`: real for a positive wave function,
/// complex in general.
///
/// [`Blocks`](Self::Blocks) represents the same numbers in less time and memory if derivatives are products,
/// as they are for dense layers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LogDerivatives {
    /// Of a real ln ψ.
    Real(Array2<f64>),
    /// Of a complex ln ψ.
    Complex(Array2<Complex64>),
    /// Of a real ln ψ: one block for each group of consecutive parameters.
    Blocks(Vec<DerivativeBlock>),
}

/// Checks that derivatives of ln ψ fit into memory: `n_numbers` double-precision numbers for each sample.
///
/// # Errors
/// [`TooLarge`](operator_core::Error::TooLarge).
pub(crate) fn expect_derivatives_fit(batch: usize, n_numbers: usize) -> operator_core::Result<()> {
    expect_bytes_of_derivatives_fit(batch, 8.0 * batch as f64 * n_numbers as f64)
}

pub(crate) fn expect_bytes_of_derivatives_fit(batch: usize, bytes: f64) -> operator_core::Result<()> {
    let what = || format!("the derivatives of ln ψ at {batch} samples");
    memory::expect_fits(what, bytes, "take fewer samples or a wave function of fewer parameters")
}

impl From<Array2<f64>> for LogDerivatives {
    fn from(derivatives: Array2<f64>) -> Self {
        LogDerivatives::Real(derivatives)
    }
}

impl From<Array2<Complex64>> for LogDerivatives {
    fn from(derivatives: Array2<Complex64>) -> Self {
        LogDerivatives::Complex(derivatives)
    }
}

impl LogDerivatives {
    /// `(batch, n_parameters)`.
    pub fn dim(&self) -> (usize, usize) {
        match self {
            LogDerivatives::Real(derivatives) => derivatives.dim(),
            LogDerivatives::Complex(derivatives) => derivatives.dim(),
            LogDerivatives::Blocks(blocks) => {
                let batch = blocks.first().map_or(0, |block| block.dim().0);
                (batch, blocks.iter().map(|block| block.dim().1).sum())
            }
        }
    }

    /// Checks that all parts have a row for each configuration.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape).
    pub(crate) fn expect_rows(&self, batch: usize) -> crate::error::Result<()> {
        match self {
            LogDerivatives::Blocks(blocks) => blocks.iter().try_for_each(|block| block.expect_rows(batch)),
            LogDerivatives::Real(_) | LogDerivatives::Complex(_) => Ok(()),
        }
    }

    /// Number of bytes.
    pub(crate) fn bytes(&self) -> f64 {
        let of_reals = |array: &Array2<f64>| 8.0 * array.len() as f64;
        match self {
            LogDerivatives::Real(derivatives) => of_reals(derivatives),
            LogDerivatives::Complex(derivatives) => 16.0 * derivatives.len() as f64,
            LogDerivatives::Blocks(blocks) => blocks
                .iter()
                .map(|block| match block {
                    DerivativeBlock::Dense(derivatives) => of_reals(derivatives),
                    DerivativeBlock::Outer { left, right } => of_reals(left) + of_reals(right),
                })
                .sum(),
        }
    }

    /// One element as a complex number; `None` if there is no such sample or parameter.
    pub fn get(&self, sample: usize, parameter: usize) -> Option<Complex64> {
        match self {
            LogDerivatives::Real(derivatives) => derivatives.get((sample, parameter)).map(Complex64::from),
            LogDerivatives::Complex(derivatives) => derivatives.get((sample, parameter)).copied(),
            LogDerivatives::Blocks(blocks) => {
                let mut parameter = parameter;
                for block in blocks {
                    let (_, n_parameters) = block.dim();
                    if parameter < n_parameters {
                        return block.get(sample, parameter).map(Complex64::from);
                    }
                    parameter -= n_parameters;
                }
                None
            }
        }
    }

    /// The rows of several batches; complex if one batch is, in blocks if all are in equally many blocks.
    pub(crate) fn join(parts: &[Self]) -> Result<Self, ShapeError> {
        if let Some(blocks) = Self::join_blocks(parts)? {
            return Ok(LogDerivatives::Blocks(blocks));
        }
        let real: Option<Vec<_>> = parts.iter().map(Self::as_real).collect();
        Ok(match real {
            Some(real) => {
                let views: Vec<_> = real.iter().map(|part| part.view()).collect();
                LogDerivatives::Real(concatenate(Axis(0), &views)?)
            }
            None => {
                let complex: Vec<Array2<Complex64>> = parts.iter().map(Self::to_complex).collect();
                let views: Vec<_> = complex.iter().map(|part| part.view()).collect();
                LogDerivatives::Complex(concatenate(Axis(0), &views)?)
            }
        })
    }

    fn join_blocks(parts: &[Self]) -> Result<Option<Vec<DerivativeBlock>>, ShapeError> {
        let blocks: Option<Vec<&[DerivativeBlock]>> = parts
            .iter()
            .map(|part| match part {
                LogDerivatives::Blocks(blocks) => Some(blocks.as_slice()),
                _ => None,
            })
            .collect();
        let Some(blocks) = blocks else { return Ok(None) };
        let n_blocks = blocks.first().map_or(0, |blocks| blocks.len());
        if blocks.iter().any(|blocks| blocks.len() != n_blocks) {
            return Ok(None);
        }
        let join =
            |k: usize| DerivativeBlock::join(&blocks.iter().map(|blocks| &blocks[k]).collect::<Vec<_>>());
        (0..n_blocks).map(join).collect::<Result<_, _>>().map(Some)
    }

    /// The columns of two wave functions for one batch; complex if one of them is.
    pub(crate) fn join_columns(left: Self, right: Self) -> Result<Self, ShapeError> {
        Ok(match (left.into_blocks(), right.into_blocks()) {
            (Ok(mut left), Ok(right)) => {
                left.extend(right);
                LogDerivatives::Blocks(left)
            }
            (left, right) => {
                let complex =
                    |part: Result<_, _>| part.map_or_else(|part| part, LogDerivatives::Blocks).to_complex();
                let (left, right) = (complex(left), complex(right));
                LogDerivatives::Complex(concatenate(Axis(1), &[left.view(), right.view()])?)
            }
        })
    }

    /// `Σ_s O_k(s)* v_s`, shape `(n_parameters,)`.
    pub(crate) fn adjoint_times(self, v: &Array1<Complex64>) -> Array1<Complex64> {
        match self.into_blocks() {
            Ok(blocks) => {
                let part = |part: fn(&Complex64) -> f64| {
                    let v = v.map(part);
                    blocks.iter().flat_map(move |block| block.transposed_times(&v)).collect::<Vec<_>>()
                };
                part(|z| z.re)
                    .into_iter()
                    .zip(part(|z| z.im))
                    .map(|(re, im)| Complex64::new(re, im))
                    .collect()
            }
            Err(complex) => complex.to_complex().t().dot(&v.map(Complex64::conj)).mapv(|z| z.conj()),
        }
    }

    /// In blocks, unless they are complex.
    fn into_blocks(self) -> Result<Vec<DerivativeBlock>, Self> {
        match self {
            LogDerivatives::Real(derivatives) => Ok(vec![DerivativeBlock::Dense(derivatives)]),
            LogDerivatives::Blocks(blocks) => Ok(blocks),
            LogDerivatives::Complex(_) => Err(self),
        }
    }

    fn as_real(&self) -> Option<CowArray<'_, f64, Ix2>> {
        match self {
            LogDerivatives::Real(derivatives) => Some(derivatives.view().into()),
            LogDerivatives::Blocks(_) => Some(self.to_complex().mapv(|z| z.re).into()),
            LogDerivatives::Complex(_) => None,
        }
    }

    fn to_complex(&self) -> Array2<Complex64> {
        match self {
            LogDerivatives::Real(derivatives) => derivatives.mapv(Complex64::from),
            LogDerivatives::Complex(derivatives) => derivatives.clone(),
            LogDerivatives::Blocks(blocks) => {
                let mut out = Array2::zeros(self.dim());
                let mut rest = out.view_mut();
                for block in blocks {
                    let dense = block.dense();
                    let (mut part, others) = rest.split_at(Axis(1), dense.ncols());
                    part.zip_mut_with(&dense, |to, value| *to = Complex64::from(*value));
                    rest = others;
                }
                out
            }
        }
    }
}
