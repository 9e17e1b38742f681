use ndarray::{Array1, Array2, ArrayView2, Axis, ShapeError, concatenate};
use num_complex::Complex64;
use operator_core::{Backend, Result, WaveFunction};

/// A wave function with real parameters θ and their derivatives.
pub trait Trainable<B: Backend>: WaveFunction<B> {
    /// Number of parameters.
    fn n_parameters(&self) -> usize;

    /// All parameters in a fixed order, shape `(n_parameters,)`.
    ///
    /// Complex parameters are two real ones each, and all real parts come before all imaginary parts.
    fn parameters(&self) -> Array1<f64>;

    /// The arrays that [`parameters`](Self::parameters) holds one after another, as files name them. Their
    /// sizes add up to the number of parameters.
    fn layout(&self) -> Vec<ParameterArray> {
        vec![ParameterArray { name: "parameters".into(), shape: vec![self.n_parameters()] }]
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

/// So that the wave function can be chosen when the program runs.
impl<B: Backend, W: Trainable<B> + ?Sized> Trainable<B> for Box<W> {
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

/// Name and shape of one array of parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterArray {
    /// Unique in the wave function, as `hidden.kernel`.
    pub name: String,
    /// Its shape; the elements are in row-major order.
    pub shape: Vec<usize>,
}

impl ParameterArray {
    /// Number of elements.
    pub fn n_values(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Derivatives of ln ψ by real parameters, shape `(batch, n_parameters)`: real for a wave function that is
/// positive, complex in general.
#[derive(Clone, Debug, PartialEq)]
pub enum LogDerivatives {
    /// Of a real ln ψ.
    Real(Array2<f64>),
    /// Of a complex ln ψ.
    Complex(Array2<Complex64>),
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
        }
    }

    /// One element as a complex number, if it is there.
    pub fn get(&self, sample: usize, parameter: usize) -> Option<Complex64> {
        match self {
            LogDerivatives::Real(derivatives) => derivatives.get((sample, parameter)).map(Complex64::from),
            LogDerivatives::Complex(derivatives) => derivatives.get((sample, parameter)).copied(),
        }
    }

    /// All rows of some batches, complex if one of them is.
    pub(crate) fn join(parts: &[Self]) -> Result<Self, ShapeError> {
        let real: Option<Vec<_>> = parts.iter().map(Self::as_real).collect();
        Ok(match real {
            Some(real) => LogDerivatives::Real(concatenate(Axis(0), &real)?),
            None => {
                let complex: Vec<Array2<Complex64>> = parts.iter().map(Self::to_complex).collect();
                let views: Vec<_> = complex.iter().map(|part| part.view()).collect();
                LogDerivatives::Complex(concatenate(Axis(0), &views)?)
            }
        })
    }

    /// All columns of two wave functions on one batch, complex if one of them is.
    pub(crate) fn join_columns(left: &Self, right: &Self) -> Result<Self, ShapeError> {
        Ok(match (left.as_real(), right.as_real()) {
            (Some(left), Some(right)) => LogDerivatives::Real(concatenate(Axis(1), &[left, right])?),
            _ => {
                let (left, right) = (left.to_complex(), right.to_complex());
                LogDerivatives::Complex(concatenate(Axis(1), &[left.view(), right.view()])?)
            }
        })
    }

    /// `Σ_s O_k(s)* v_s`, shape `(n_parameters,)`.
    pub(crate) fn adjoint_times(&self, v: &Array1<Complex64>) -> Array1<Complex64> {
        match self {
            LogDerivatives::Real(derivatives) => {
                let part = |part: fn(&Complex64) -> f64| derivatives.t().dot(&v.map(part));
                let mut out = part(|z| z.re).mapv(Complex64::from);
                out.zip_mut_with(&part(|z| z.im), |z, im| z.im = *im);
                out
            }
            LogDerivatives::Complex(derivatives) => {
                derivatives.t().dot(&v.map(Complex64::conj)).mapv(|z| z.conj())
            }
        }
    }

    fn as_real(&self) -> Option<ArrayView2<'_, f64>> {
        match self {
            LogDerivatives::Real(derivatives) => Some(derivatives.view()),
            LogDerivatives::Complex(_) => None,
        }
    }

    fn to_complex(&self) -> Array2<Complex64> {
        match self {
            LogDerivatives::Real(derivatives) => derivatives.mapv(Complex64::from),
            LogDerivatives::Complex(derivatives) => derivatives.clone(),
        }
    }
}
