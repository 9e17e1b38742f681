//! Calls of candle's layers, recorded for the derivatives of every configuration.

use std::cell::RefCell;

use candle_core::{Module, Result as CandleResult, Tensor, TensorId, Var, bail};
use candle_nn::{Conv1d, Conv2d, Linear};

/// Calls layers, and records what their derivatives need.
///
/// It adds a variable of zeros to the output of each layer. One backward pass gives the gradient of that
/// variable: the derivatives of ln ψ by the layer's output, for every configuration. Together with the
/// layer's input, these give the derivatives by the weights.
#[derive(Debug, Default)]
pub struct Tape {
    records: Option<RefCell<Vec<Record>>>,
}

impl Tape {
    pub(super) fn recording() -> Self {
        Tape { records: Some(RefCell::default()) }
    }

    /// The records of a tape made by [`recording`](Self::recording).
    pub(super) fn into_records(self) -> Vec<Record> {
        self.records.expect("only a recording tape is asked for its records").into_inner()
    }

    /// `x Wᵀ + b`; the first dimension of `x` is the batch.
    ///
    /// # Errors
    /// Any error of candle.
    pub fn linear(&self, layer: &Linear, x: &Tensor) -> CandleResult<Tensor> {
        self.note(layer.forward(x)?, x, layer.weight(), layer.bias(), Kind::Linear)
    }

    /// A convolution of `x`, shape `(batch, channels, length)`.
    ///
    /// It is computed as a product with the patches of `x`, because candle's own convolution has wrong
    /// gradients for batches on the CPU in versions up to 0.11.1 (huggingface/candle, pull request 3836).
    ///
    /// # Errors
    /// An error of candle, also if the kernel is larger than the padded input or there are several groups.
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
pub(super) struct Record {
    x: Tensor,
    pub(super) weight: Tensor,
    pub(super) bias: Option<TensorId>,
    pub(super) probe: Var,
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
    /// Derivatives by the weight and by the bias, shape `(batch, n)` each, from the derivatives by the
    /// output.
    pub(super) fn derivatives(&self, delta: &Tensor) -> CandleResult<(Tensor, Tensor)> {
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
    /// The extents of the output of a convolution.
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

    /// The inputs of each output, shape `(batch, n_outputs, channels · kernel)`.
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
                    let at = places.zip(&extents).fold(0, |at, (place, extent)| at * extent + place);
                    u32::try_from(at).map_err(candle_core::Error::wrap)
                };
                let index = grid(outputs).iter().map(at).collect::<CandleResult<Vec<u32>>>()?;
                padded.index_select(&Tensor::new(index, padded.device())?, 2)
            })
            .collect::<CandleResult<Vec<_>>>()?;
        // The kernel index runs faster than the channel index, as in the weights.
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
