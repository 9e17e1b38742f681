//! Linear layers on the CPU, with their bias and activation in one pass.

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;

use super::network::{ROWS, contiguous};
use crate::wave_functions::network::{Activation, Order, Real};

/// `f(x Wᵀ + b)` of matrices `(rows, n_in)`, `(n_out, n_in)` and `(1, n_out)`, for those who need no gradient through f.
pub(super) fn dense(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    activation: Option<Activation>,
) -> Result<Tensor> {
    let bias = match bias {
        Some(bias) => bias.contiguous()?,
        None => Tensor::zeros((1, kernel.dim(0)?), x.dtype(), &Device::Cpu)?,
    };
    x.contiguous()?.apply_op3(&kernel.contiguous()?, &bias, Dense { activation })
}

/// Blocks of rows go over all threads, each as one matrix product on its thread. Candle's own product asks the system for the
/// number of threads each time.
struct Dense {
    activation: Option<Activation>,
}

impl Dense {
    fn forward<R: Real>(&self, parts: [(&[R], &Layout); 3]) -> Result<Vec<R>> {
        let [x, kernel, bias] = parts.map(|(values, layout)| matrix(values, layout));
        let (x, kernel, bias) = (x?, kernel?, bias?);
        let n_out = kernel.nrows();
        if bias.dim() != (1, n_out) || x.ncols() != kernel.ncols() {
            bail!(
                "a layer of {:?} weights and {:?} biases does not fit values of {:?}",
                kernel.dim(),
                bias.dim(),
                x.dim()
            )
        }
        let mut out = vec![R::zero(); x.nrows() * n_out];
        let of_block = |(k, out): (usize, &mut [R])| {
            let x = x.slice(s![k * ROWS..x.nrows().min((k + 1) * ROWS), ..]);
            let mut values =
                ArrayViewMut2::from_shape((x.nrows(), n_out), &mut *out).map_err(candle_core::Error::wrap)?;
            values.assign(&bias);
            general_mat_mul(R::one(), &x, &kernel.t(), R::one(), &mut values);
            if let Some(activation) = self.activation {
                activation.apply(Order::Value, out);
            }
            Result::Ok(())
        };
        if x.nrows() <= ROWS {
            of_block((0, &mut out))?;
        } else {
            out.par_chunks_mut((ROWS * n_out).max(1)).enumerate().try_for_each(of_block)?;
        }
        Ok(out)
    }
}

fn matrix<'a, R>(values: &'a [R], layout: &Layout) -> Result<ArrayView2<'a, R>> {
    let dim = layout.shape().dims2()?;
    ArrayView2::from_shape(dim, contiguous(values, layout)?).map_err(candle_core::Error::wrap)
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let layouts = (x_layout, kernel_layout, bias_layout);
        let out = match (x, kernel, bias) {
            (CpuStorage::F64(x), CpuStorage::F64(kernel), CpuStorage::F64(bias)) => {
                CpuStorage::F64(self.forward([(x, layouts.0), (kernel, layouts.1), (bias, layouts.2)])?)
            }
            (CpuStorage::F32(x), CpuStorage::F32(kernel), CpuStorage::F32(bias)) => {
                CpuStorage::F32(self.forward([(x, layouts.0), (kernel, layouts.1), (bias, layouts.2)])?)
            }
            _ => bail!("layers are of f32 or f64"),
        };
        Ok((out, (x_layout.dims()[0], kernel_layout.dims()[0]).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        if self.activation.is_some() {
            bail!("gradients flow through an activation of its own")
        }
        Ok((Some(grad.matmul(kernel)?), Some(grad.t()?.matmul(x)?), Some(grad.sum_keepdim(0)?)))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    #[test]
    fn layers_are_products_with_a_bias_and_differentiate_as_these() -> Result<()> {
        let x = Var::new(&[[1f64, -1.0, 0.5], [0.25, 2.0, -3.0]], &Device::Cpu)?;
        let kernel = Var::new(&[[0.5f64, 1.0, -2.0], [0.25, -2.0, 0.125]], &Device::Cpu)?;
        let bias = Var::new(&[[0.75f64, -1.5]], &Device::Cpu)?;
        let expected = x.matmul(&kernel.t()?)?.broadcast_add(&bias)?;
        let got = dense(&x, &kernel, Some(&bias), None)?;
        assert_eq!(got.to_vec2::<f64>()?, expected.to_vec2::<f64>()?);
        assert_eq!(
            dense(&x, &kernel, None, None)?.to_vec2::<f64>()?,
            x.matmul(&kernel.t()?)?.to_vec2::<f64>()?
        );

        let weights = Tensor::new(&[[1f64, 2.0], [3.0, 4.0]], &Device::Cpu)?;
        let (got, expected) = ((got * &weights)?.backward()?, (expected * weights)?.backward()?);
        for var in [&x, &kernel, &bias] {
            let of = |gradients: &candle_core::backprop::GradStore| {
                gradients.get(var).map(Tensor::to_vec2::<f64>).transpose()
            };
            assert_eq!(of(&got)?, of(&expected)?);
            assert!(of(&got)?.is_some());
        }
        let active = dense(&x, &kernel, Some(&bias), Some(Activation::Relu))?;
        assert_eq!(active.to_vec2::<f64>()?, [[0.0, 0.8125], [8.875, 0.0]]);
        assert!(active.sum_all()?.backward().is_err());
        assert!(dense(&x, &kernel, Some(&weights_of(3)?), None).is_err());
        Ok(())
    }

    fn weights_of(n: usize) -> Result<Tensor> {
        Tensor::zeros((1, n), candle_core::DType::F64, &Device::Cpu)
    }
}
