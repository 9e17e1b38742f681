//! Networks written with candle.

mod tape;

pub use tape::Tape;

use std::collections::HashMap;
use std::fmt;

use backend_padded::{ComplexTensor, Padded, failed};
use candle_core::{DType, Device, Result as CandleResult, Tensor, TensorId, Var};
use candle_nn::VarMap;
use ndarray::{Array1, Array2, Axis, s};
use num_complex::Complex64;
use operator_core::{Backend, Error, HilbertSpace, Result, WaveFunction};

use crate::derivatives::{LogDerivatives, ParameterArray, Trainable, expect_derivatives_fit};
use tape::Record;

/// A variable counts as used outside the tape if the sum of its derivatives from layers differs from that of
/// backpropagation by more than this, relative to the largest derivative.
const TOLERANCE: f64 = 1e-5;

/// A network made of candle's modules and operations.
///
/// ```
/// use backend_padded::{ComplexTensor, Padded};
/// use candle_core::{DType, Device, Result, Tensor};
/// use candle_nn::{Linear, VarBuilder, VarMap, linear};
/// use operator_core::{Backend, WaveFunction, hilbert::Spin};
/// use variational::Trainable;
/// use variational::padded::{CandleModule, CandleNetwork, Tape};
///
/// struct Perceptron(Linear, Linear);
///
/// impl CandleNetwork for Perceptron {
///     fn log_psi(&self, x: &Tensor, tape: &Tape) -> Result<ComplexTensor> {
///         let hidden = tape.linear(&self.0, x)?.gelu()?;
///         Ok(ComplexTensor::real(tape.linear(&self.1, &hidden)?.squeeze(1)?))
///     }
/// }
///
/// let variables = VarMap::new();
/// let vb = VarBuilder::from_varmap(&variables, DType::F64, &Device::Cpu);
/// let network = Perceptron(linear(4, 8, vb.pp("first"))?, linear(8, 1, vb.pp("second"))?);
/// let psi = CandleModule::new(Spin::half(4)?, &variables, network)?;
///
/// let x = Padded::from_host(ndarray::array![[1, 1, -1, -1]].view(), &Device::Cpu)?;
/// assert_eq!(psi.log_derivatives(&x)?.dim(), (1, 4 * 8 + 8 + 8 + 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CandleNetwork: Send + Sync {
    /// ln ψ of each configuration, shape `(batch,)`, from quantum numbers in the variables' dtype, shape
    /// `(batch, n_sites)`.
    ///
    /// Call layers through the tape: their derivatives are computed for all configurations at once. Variables
    /// used in any other way cost one backpropagation per configuration. The value of a configuration must
    /// not depend on the others in the batch.
    ///
    /// # Errors
    /// Any error of candle.
    fn log_psi(&self, x: &Tensor, tape: &Tape) -> CandleResult<ComplexTensor>;
}

/// A wave function of the padded backend: a [`CandleNetwork`] with its variables.
///
/// The parameters are all variables of the map, sorted by name. They are shared with the map, so candle's own
/// functions can load and save them. The wave function lives on the device of its variables.
pub struct CandleModule<N> {
    hilbert: HilbertSpace,
    variables: Vec<(String, Var)>,
    network: N,
}

impl<N: CandleNetwork> CandleModule<N> {
    /// A network made from these variables.
    ///
    /// # Errors
    /// [`Error::Count`] if there are no variables; [`Error::DeviceMismatch`] if they are not all on one
    /// device; [`Error::Backend`] if a thread panicked while it held them.
    pub fn new(hilbert: impl Into<HilbertSpace>, variables: &VarMap, network: N) -> Result<Self> {
        let mut variables: Vec<(String, Var)> = match variables.data().lock() {
            Ok(data) => data.iter().map(|(name, var)| (name.clone(), var.clone())).collect(),
            Err(_) => return Err(failed(candle_core::Error::Msg("the variables are poisoned".into()))),
        };
        variables.sort_by(|(a, _), (b, _)| a.cmp(b));
        if variables.is_empty() {
            let (what, expected) = ("variables of a network".into(), "at least 1".into());
            return Err(Error::Count { what, got: 0, expected });
        }
        for pair in variables.windows(2) {
            let [left, right] = [pair[0].1.device(), pair[1].1.device()];
            Padded::expect_same_device(["variable", "next variable"], left, right)?;
        }
        Ok(CandleModule { hilbert: hilbert.into(), variables, network })
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The same as [`log_psi`](WaveFunction::log_psi), but gradients flow through it to the variables.
    ///
    /// # Errors
    /// [`Error::Backend`] if candle fails.
    pub fn differentiable_log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        self.evaluate(x, &Tape::default()).map_err(failed)
    }

    fn evaluate(&self, x: &Tensor, tape: &Tape) -> CandleResult<ComplexTensor> {
        self.network.log_psi(&x.to_dtype(self.first_variable().dtype())?, tape)
    }

    fn first_variable(&self) -> &Var {
        let (_, first) = self.variables.first().expect("`new` refuses networks without variables");
        first
    }

    /// The first column of each variable, by the variable's identity.
    fn columns(&self) -> HashMap<TensorId, usize> {
        let mut start = 0;
        let place = |(_, var): &(String, Var)| {
            start += var.elem_count();
            (var.id(), start - var.elem_count())
        };
        self.variables.iter().map(place).collect()
    }

    /// Derivatives of one part of ln ψ, shape `(batch, n_parameters)`.
    fn derivatives(
        &self,
        x: &Tensor,
        values: &Tensor,
        records: &[Record],
        part: fn(&ComplexTensor) -> Option<&Tensor>,
    ) -> CandleResult<Array2<f64>> {
        let batch = values.dim(0)?;
        let columns = self.columns();
        let mut out = Array2::zeros((batch, self.n_parameters()));
        let sums = values.sum_all()?.backward()?;
        for record in records {
            let Some(delta) = sums.get(&record.probe) else { continue };
            let (weight, bias) = record.derivatives(delta)?;
            for (id, derivatives) in [(Some(record.weight.id()), weight), (record.bias, bias)] {
                if let Some(&start) = id.and_then(|id| columns.get(&id)) {
                    add(&mut out, start, &derivatives)?;
                }
            }
        }
        // Backpropagation gives the sum over the batch. If layers do not add up to it, the variable is used
        // elsewhere.
        let mut one_by_one = Vec::new();
        let mut start = 0;
        for (_, var) in &self.variables {
            let n = var.elem_count();
            let found = out.slice(s![.., start..start + n]).sum_axis(Axis(0));
            let expected = match sums.get(var) {
                Some(sum) => host(&sum.flatten_all()?.unsqueeze(0)?)?,
                None => Array2::zeros((1, n)),
            };
            let largest = expected.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            let differs = |(a, b): (&f64, &f64)| (a - b).abs() > TOLERANCE * largest.max(1e-30);
            if found.iter().zip(&expected).any(differs) {
                one_by_one.push((start, var));
            }
            start += n;
        }
        for sample in 0..if one_by_one.is_empty() { 0 } else { batch } {
            let one = self.evaluate(&x.narrow(0, sample, 1)?, &Tape::default())?;
            // A part that is missing is 0, and so are its derivatives.
            let gradients = part(&one).map(|value| value.sum_all()?.backward()).transpose()?;
            for &(start, var) in &one_by_one {
                let mut row = out.slice_mut(s![sample, start..start + var.elem_count()]);
                match gradients.as_ref().and_then(|gradients| gradients.get(var)) {
                    Some(gradient) => row.assign(&host(&gradient.flatten_all()?.unsqueeze(0)?)?.row(0)),
                    None => row.fill(0.0),
                }
            }
        }
        Ok(out)
    }
}

fn add(out: &mut Array2<f64>, start: usize, derivatives: &Tensor) -> CandleResult<()> {
    let derivatives = host(derivatives)?;
    let mut columns = out.slice_mut(s![.., start..start + derivatives.ncols()]);
    columns += &derivatives;
    Ok(())
}

fn host(matrix: &Tensor) -> CandleResult<Array2<f64>> {
    let dim = matrix.dims2()?;
    let values = matrix.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    Array2::from_shape_vec(dim, values).map_err(candle_core::Error::wrap)
}

impl<N: CandleNetwork> WaveFunction<Padded> for CandleModule<N> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn device(&self) -> Device {
        self.first_variable().device().clone()
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        // Detached, so that what was computed on the way is freed.
        Ok(self.differentiable_log_psi(x)?.detach())
    }
}

impl<N: CandleNetwork> Trainable<Padded> for CandleModule<N> {
    fn n_parameters(&self) -> usize {
        self.variables.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// NaN if candle cannot read a variable.
    fn parameters(&self) -> Array1<f64> {
        let values = |(_, var): &(String, Var)| {
            let row = var.flatten_all().and_then(|values| host(&values.unsqueeze(0)?));
            row.map_or_else(|_| vec![f64::NAN; var.elem_count()], |row| row.into_iter().collect())
        };
        self.variables.iter().flat_map(values).collect()
    }

    fn layout(&self) -> Vec<ParameterArray> {
        let array = |(name, var): &(String, Var)| ParameterArray::new(name.clone(), var.dims());
        self.variables.iter().map(array).collect()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> Result<()> {
        let (got, expected) = (parameters.len(), self.n_parameters());
        if got != expected {
            let what = "network parameters".into();
            return Err(Error::Count { what, got, expected: expected.to_string() });
        }
        let mut start = 0;
        for (_, var) in &self.variables {
            let values = parameters.slice(s![start..start + var.elem_count()]).to_vec();
            start += values.len();
            let tensor = Tensor::from_vec(values, var.shape(), var.device());
            tensor.and_then(|tensor| var.set(&tensor.to_dtype(var.dtype())?)).map_err(failed)?;
        }
        Ok(())
    }

    fn log_derivatives(&self, x: &Tensor) -> Result<LogDerivatives> {
        expect_derivatives_fit(Padded::batch_len(x), self.n_parameters())?;
        let tape = Tape::recording();
        let log_psi = self.evaluate(x, &tape).map_err(failed)?;
        let records = tape.into_records();
        let re = self.derivatives(x, log_psi.re(), &records, |z| Some(z.re())).map_err(failed)?;
        let Some(im) = log_psi.im() else { return Ok(re.into()) };
        let im = self.derivatives(x, im, &records, ComplexTensor::im).map_err(failed)?;
        let mut complex = re.mapv(Complex64::from);
        complex.zip_mut_with(&im, |z, im| z.im = *im);
        Ok(complex.into())
    }
}

impl<N> fmt::Debug for CandleModule<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.iter().map(|(name, _)| name).collect();
        f.debug_struct("CandleModule").field("variables", &names).finish_non_exhaustive()
    }
}
