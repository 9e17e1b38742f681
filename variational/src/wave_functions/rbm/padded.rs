use backend_padded::{ComplexTensor, Padded};
use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Shape, Tensor, bail};
use ndarray::{Array2, ArrayView1, ArrayView2};
use operator_core::{Backend, Error, Result};

use super::{RbmBackend, RbmParameters, ln_cosh};

/// The arrays of an RBM as tensors; f64 wherever the device has it.
#[derive(Clone, Debug)]
pub struct Weights {
    /// `(n_sites, 1)`
    visible_bias: Tensor,
    /// `(1, n_hidden)`
    hidden_bias: Tensor,
    /// Wᵀ, `(n_sites, n_hidden)`
    kernel: Tensor,
}

impl RbmBackend for Padded {
    type Weights = Weights;

    fn weights(parameters: &RbmParameters, device: &Device) -> Result<Weights> {
        Weights::new(parameters, device).map_err(failed)
    }

    fn log_psi(weights: &Weights, x: &Tensor) -> Result<ComplexTensor> {
        let re = weights.log_psi(x).map_err(failed)?;
        Ok(ComplexTensor { re, im: None })
    }

    fn log_derivatives(weights: &Weights, x: &Tensor) -> Result<Array2<f64>> {
        let derivatives = weights.log_derivatives(x).map_err(failed)?;
        let shape = derivatives.dims2().map_err(failed)?;
        let values = derivatives.to_dtype(DType::F64).and_then(|d| d.flatten_all()?.to_vec1());
        Array2::from_shape_vec(shape, values.map_err(failed)?)
            .map_err(|error| Error::backend(Padded::NAME, error))
    }
}

impl Weights {
    fn new(parameters: &RbmParameters, device: &Device) -> candle_core::Result<Self> {
        let dtype = if device.is_metal() { DType::F32 } else { DType::F64 };
        let (n_sites, n_hidden) = (parameters.n_sites(), parameters.n_hidden());
        let vector = |values: ArrayView1<'_, f64>, shape: (usize, usize)| {
            Tensor::from_vec(values.to_vec(), shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)
        };
        let transposed = |values: ArrayView2<'_, f64>| {
            vector(values.t().iter().copied().collect::<ndarray::Array1<f64>>().view(), (n_sites, n_hidden))
        };
        Ok(Weights {
            visible_bias: vector(parameters.visible_bias(), (n_sites, 1))?,
            hidden_bias: vector(parameters.hidden_bias(), (1, n_hidden))?,
            kernel: transposed(parameters.kernel())?,
        })
    }

    /// `b + W x`, shape `(batch, n_hidden)`.
    fn theta(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        x.matmul(&self.kernel)?.broadcast_add(&self.hidden_bias)
    }

    fn log_psi(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let x = x.to_dtype(self.kernel.dtype())?;
        let hidden = log_cosh(&self.theta(&x)?)?.sum(1)?;
        x.matmul(&self.visible_bias)?.squeeze(1)? + hidden
    }

    fn log_derivatives(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let x = x.to_dtype(self.kernel.dtype())?;
        let (batch, n_sites) = x.dims2()?;
        let tanh = self.theta(&x)?.tanh()?;
        let n_hidden = tanh.dim(1)?;
        let kernel = tanh.unsqueeze(2)?.broadcast_mul(&x.unsqueeze(1)?)?;
        Tensor::cat(&[&x, &tanh, &kernel.reshape((batch, n_hidden * n_sites))?], 1)
    }
}

fn failed(error: candle_core::Error) -> Error {
    Error::backend(Padded::NAME, error)
}

/// `ln cosh θ` of every element, any shape, safe at large |θ|; its derivative is `tanh θ`.
///
/// One kernel on the CPU, where the same from candle's operations takes six passes through memory. Other
/// devices have no kernel of ours and use these operations.
///
/// # Errors
/// Those of candle; element types other than f32 and f64.
pub fn log_cosh(theta: &Tensor) -> candle_core::Result<Tensor> {
    if theta.device().is_cpu() {
        return theta.contiguous()?.apply_op1(LogCosh);
    }
    let magnitude = theta.abs()?;
    let rest = (((&magnitude * -2.0)?.exp()? + 1.0)?.log()? - std::f64::consts::LN_2)?;
    magnitude + rest
}

struct LogCosh;

impl CustomOp1 for LogCosh {
    fn name(&self) -> &'static str {
        "log-cosh"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let storage = match storage {
            CpuStorage::F64(values) => CpuStorage::F64(map(values, layout, ln_cosh)?),
            CpuStorage::F32(values) => {
                CpuStorage::F32(map(values, layout, |theta| ln_cosh(f64::from(theta)) as f32)?)
            }
            _ => bail!("log-cosh takes f32 or f64"),
        };
        Ok((storage, layout.shape().clone()))
    }

    fn bwd(&self, arg: &Tensor, _res: &Tensor, grad: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(Some((grad * arg.tanh()?)?))
    }
}

fn map<T: Copy>(values: &[T], layout: &Layout, f: impl Fn(T) -> T) -> candle_core::Result<Vec<T>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(values[start..end].iter().map(|&value| f(value)).collect()),
        None => bail!("log-cosh takes contiguous tensors"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    #[test]
    fn log_cosh_has_the_derivative_tanh_whatever_the_strides() -> candle_core::Result<()> {
        let theta = Var::new(&[[0.3f64, -2.0, 50.0], [1e-4, 4.0, -7.0]], &Device::Cpu)?;
        let transposed = log_cosh(&theta.t()?)?;
        let expected = log_cosh(theta.as_tensor())?.t()?;
        assert_eq!(transposed.to_vec2::<f64>()?, expected.to_vec2::<f64>()?);
        let gradient = transposed.sum_all()?.backward()?;
        let gradient = gradient.get(&theta).map(Tensor::to_vec2::<f64>).transpose()?;
        assert_eq!(gradient, Some(theta.tanh()?.to_vec2()?));
        Ok(())
    }
}
