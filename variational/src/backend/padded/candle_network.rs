//! Networks that are written with candle.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use backend_padded::{ComplexTensor, Padded};
use candle_core::{DType, Module, Result as CandleResult, Tensor, TensorId, Var, bail};
use candle_nn::{Conv1d, Conv2d, Linear, VarMap};
use ndarray::{Array1, Array2, Axis, s};
use num_complex::Complex64;
use operator_core::{Error, HilbertSpace, Result, WaveFunction};

use super::failed;
use crate::derivatives::{LogDerivatives, ParameterArray, Trainable};

/// How far the sum of derivatives by layers may be off the one by backpropagation, relative to the largest,
/// before a variable counts as used elsewhere too.
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
    /// Layers that are called through the tape have their derivatives found for all configurations at once;
    /// for variables that are used in any other way, backpropagation runs once a configuration. Values of one
    /// configuration must not depend on the others.
    ///
    /// # Errors
    /// Those of candle.
    fn log_psi(&self, x: &Tensor, tape: &Tape) -> CandleResult<ComplexTensor>;
}

/// Calls layers, and notes what their derivatives need.
///
/// Behind each layer a variable of zeros is added. One backward pass finds its gradient, which is the
/// derivative of every configuration's ln ψ by the layer's output; with the input, that gives the
/// derivatives by the weights.
#[derive(Debug, Default)]
pub struct Tape {
    records: Option<RefCell<Vec<Record>>>,
}

impl Tape {
    fn recording() -> Self {
        Tape { records: Some(RefCell::default()) }
    }

    /// What was noted on a tape that records.
    fn into_records(self) -> Vec<Record> {
        self.records.expect("it records").into_inner()
    }

    /// `x Wᵀ + b`; the first dimension of `x` is the batch.
    ///
    /// # Errors
    /// Those of candle.
    pub fn linear(&self, layer: &Linear, x: &Tensor) -> CandleResult<Tensor> {
        self.note(layer.forward(x)?, x, layer.weight(), layer.bias(), Kind::Linear)
    }

    /// A convolution of `x`, shape `(batch, channels, length)`.
    ///
    /// It is a product with the patches of `x`: the gradients of candle's own convolution of several
    /// configurations are wrong on the CPU in its versions up to 0.11.1 (huggingface/candle, pull request 3836).
    ///
    /// # Errors
    /// Those of candle; a kernel that reaches over the padded input, or several groups.
    pub fn conv1d(&self, layer: &Conv1d, x: &Tensor) -> CandleResult<Tensor> {
        let config = layer.config();
        let window = Window { padding: config.padding, stride: config.stride, dilation: config.dilation };
        self.convolve(x, layer.weight(), layer.bias(), config.groups, window)
    }

    /// A convolution of `x`, shape `(batch, channels, height, width)`; see [`conv1d`](Self::conv1d).
    ///
    /// # Errors
    /// As [`conv1d`](Self::conv1d).
    pub fn conv2d(&self, layer: &Conv2d, x: &Tensor) -> CandleResult<Tensor> {
        let config = layer.config();
        let window = Window { padding: config.padding, stride: config.stride, dilation: config.dilation };
        self.convolve(x, layer.weight(), layer.bias(), config.groups, window)
    }

    fn convolve(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        groups: usize,
        window: Window,
    ) -> CandleResult<Tensor> {
        if groups != 1 || x.rank() != weight.rank() {
            bail!(
                "a convolution on a tape takes one group and inputs {:?}, not {:?}",
                weight.dims(),
                x.dims()
            );
        }
        let outputs = window.outputs(&x.dims()[2..], &weight.dims()[2..])?;
        let patches = window.patches(x, &weight.dims()[2..], &outputs)?;
        let y = patches.broadcast_matmul(&weight.flatten_from(1)?.t()?)?;
        let y = match bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        let channels_first = y.transpose(1, 2)?;
        let shape: Vec<usize> = channels_first.dims()[..2].iter().chain(&outputs).copied().collect();
        self.note(channels_first.reshape(shape)?, x, weight, bias, Kind::Conv(window))
    }

    fn note(
        &self,
        y: Tensor,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        kind: Kind,
    ) -> CandleResult<Tensor> {
        let Some(records) = &self.records else { return Ok(y) };
        let probe = Var::zeros(y.shape(), y.dtype(), y.device())?;
        let probed = (y + probe.as_tensor())?;
        let (x, weight) = (x.detach(), weight.clone());
        records.borrow_mut().push(Record { x, weight, bias: bias.map(Tensor::id), probe, kind });
        Ok(probed)
    }
}

#[derive(Debug)]
struct Record {
    x: Tensor,
    weight: Tensor,
    bias: Option<TensorId>,
    probe: Var,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Linear,
    Conv(Window),
}

#[derive(Clone, Copy, Debug)]
struct Window {
    padding: usize,
    stride: usize,
    dilation: usize,
}

impl Record {
    /// Derivatives by weight and bias, shape `(batch, n)` each, from those by the output.
    fn derivatives(&self, delta: &Tensor) -> CandleResult<(Tensor, Tensor)> {
        let batch = delta.dim(0)?;
        match self.kind {
            Kind::Linear => {
                // Dimensions between the batch and the features are summed over.
                let rows = |t: &Tensor| -> CandleResult<Tensor> {
                    let features = t.dim(t.rank() - 1)?;
                    t.reshape((batch, t.elem_count() / (batch * features).max(1), features))?.contiguous()
                };
                let (x, delta) = (rows(&self.x)?, rows(delta)?);
                let weight = delta.transpose(1, 2)?.contiguous()?.matmul(&x)?;
                Ok((weight.flatten_from(1)?, delta.sum(1)?))
            }
            Kind::Conv(window) => {
                let delta = delta.flatten_from(2)?;
                let (kernel, outputs) = (&self.weight.dims()[2..], &self.probe.dims()[2..]);
                let weight = delta.contiguous()?.matmul(&window.patches(&self.x, kernel, outputs)?)?;
                Ok((weight.flatten_from(1)?, delta.sum(2)?))
            }
        }
    }
}

impl Window {
    /// The extents of what a convolution gives.
    fn outputs(self, inputs: &[usize], kernel: &[usize]) -> CandleResult<Vec<usize>> {
        let output = |(&input, &kernel): (&usize, &usize)| {
            let (padded, reach) = (input + 2 * self.padding, self.dilation * kernel.saturating_sub(1) + 1);
            match padded.checked_sub(reach) {
                Some(room) if self.stride > 0 => Ok(room / self.stride + 1),
                _ => bail!("a kernel of {kernel} places does not fit into {padded}"),
            }
        };
        inputs.iter().zip(kernel).map(output).collect()
    }

    /// What each output sees, shape `(batch, n_outputs, channels · kernel)`.
    fn patches(self, x: &Tensor, kernel: &[usize], outputs: &[usize]) -> CandleResult<Tensor> {
        let mut padded = x.clone();
        for dim in 2..x.rank() {
            padded = padded.pad_with_zeros(dim, self.padding, self.padding)?;
        }
        let extents = padded.dims()[2..].to_vec();
        let padded = padded.flatten_from(2)?.contiguous()?;
        let patches = grid(kernel)
            .iter()
            .map(|offset| {
                let at = |output: &Vec<usize>| {
                    let places = output.iter().zip(offset).map(|(o, k)| o * self.stride + k * self.dilation);
                    places.zip(&extents).fold(0, |at, (place, extent)| at * extent + place) as u32
                };
                let index: Vec<u32> = grid(outputs).iter().map(at).collect();
                padded.index_select(&Tensor::new(index, padded.device())?, 2)
            })
            .collect::<CandleResult<Vec<_>>>()?;
        // The kernel runs faster than the channels, as in the tensor of weights.
        Tensor::stack(&patches, 2)?.flatten(1, 2)?.transpose(1, 2)?.contiguous()
    }
}

/// All places of a box, the last coordinate running fastest.
fn grid(extents: &[usize]) -> Vec<Vec<usize>> {
    extents.iter().fold(vec![Vec::new()], |grid, &extent| {
        let longer = |place: &Vec<usize>, k| place.iter().copied().chain([k]).collect();
        grid.iter().flat_map(|place| (0..extent).map(move |k| longer(place, k))).collect()
    })
}

/// A wave function of the padded backend that is a [`CandleNetwork`] with its variables.
///
/// Parameters are all variables of the map, in the order of their names. They are shared with the map, which
/// is where a network made elsewhere is loaded and saved.
pub struct CandleModule<N> {
    hilbert: HilbertSpace,
    variables: Vec<(String, Var)>,
    network: N,
}

impl<N: CandleNetwork> CandleModule<N> {
    /// A network that was made from these variables.
    ///
    /// # Errors
    /// [`Error::Count`] if there are no variables; [`Error::Backend`] if a thread panicked while it held them.
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
        Ok(CandleModule { hilbert: hilbert.into(), variables, network })
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// ln ψ as [`log_psi`](WaveFunction::log_psi), through which gradients flow to the variables.
    ///
    /// # Errors
    /// [`Error::Backend`] if candle fails.
    pub fn differentiable_log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        self.evaluate(x, &Tape::default()).map_err(failed)
    }

    fn evaluate(&self, x: &Tensor, tape: &Tape) -> CandleResult<ComplexTensor> {
        let (_, first) = self.variables.first().expect("`new` refuses networks without variables");
        let dtype = first.dtype();
        self.network.log_psi(&x.to_dtype(dtype)?, tape)
    }

    /// Where each variable's columns start, by the variable's identity.
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
        // The sum over the batch is known; where layers do not make it up, the variable is used elsewhere.
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
            // A part that is left out is 0, and so are its derivatives.
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

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        // Detached, so that what was computed on the way is freed.
        let log_psi = self.differentiable_log_psi(x)?;
        Ok(ComplexTensor { re: log_psi.re.detach(), im: log_psi.im.map(|im| im.detach()) })
    }
}

impl<N: CandleNetwork> Trainable<Padded> for CandleModule<N> {
    fn n_parameters(&self) -> usize {
        self.variables.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// NaN where candle does not give a variable away.
    fn parameters(&self) -> Array1<f64> {
        let values = |(_, var): &(String, Var)| {
            let row = var.flatten_all().and_then(|values| host(&values.unsqueeze(0)?));
            row.map_or_else(|_| vec![f64::NAN; var.elem_count()], |row| row.into_iter().collect())
        };
        self.variables.iter().flat_map(values).collect()
    }

    fn layout(&self) -> Vec<ParameterArray> {
        let array =
            |(name, var): &(String, Var)| ParameterArray { name: name.clone(), shape: var.dims().into() };
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
        let tape = Tape::recording();
        let log_psi = self.evaluate(x, &tape).map_err(failed)?;
        let records = tape.into_records();
        let re = self.derivatives(x, &log_psi.re, &records, |z| Some(&z.re)).map_err(failed)?;
        let Some(im) = &log_psi.im else { return Ok(re.into()) };
        let im = self.derivatives(x, im, &records, |z| z.im.as_ref()).map_err(failed)?;
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
