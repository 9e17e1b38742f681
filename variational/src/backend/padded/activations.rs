//! Activations of tensors.

use backend_padded::ComplexTensor;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::network::contiguous;
use crate::wave_functions::network::{Activation, Order, Real};

/// An activation or its derivative. Gradients flow through activations.
pub(super) fn activated(activation: Activation, order: Order, z: &ComplexTensor) -> Result<ComplexTensor> {
    match (activation, order) {
        (Activation::LnCosh, Order::Value) => backend_padded::ln_cosh(z),
        (Activation::LnCosh, Order::Derivative) | (Activation::Tanh, Order::Value) => backend_padded::tanh(z),
        _ if z.im().is_none() && z.re().device().is_cpu() => {
            real_on_cpu(activation, order, z.re()).map(ComplexTensor::real)
        }
        (Activation::Tanh, Order::Derivative) => {
            let tanh = backend_padded::tanh(z)?;
            let (re, im) = tanh.broadcast_mul(&tanh)?.into_parts();
            ComplexTensor::new(re.affine(-1.0, 1.0)?, im.map(|im| im.neg()).transpose()?)
        }
        _ if z.im().is_some() => bail!("{activation} is not an activation of complex numbers"),
        _ => by_operations(activation, order, z.re()).map(ComplexTensor::real),
    }
}

/// An activation of real numbers in one kernel of the CPU.
fn real_on_cpu(activation: Activation, order: Order, x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(RealActivation { activation, order })
}

/// The same by candle's operations, which every device has, for activations that have no kernel of ours there.
fn by_operations(activation: Activation, order: Order, x: &Tensor) -> Result<Tensor> {
    match (activation, order) {
        // NaN stays NaN, which candle's `relu` would make 0. At 0 the gradient is 0, as the derivative.
        (Activation::Relu, Order::Value) => x.le(0.0)?.where_cond(&x.zeros_like()?, x),
        (Activation::Relu, Order::Derivative) => x.gt(0.0)?.to_dtype(x.dtype()),
        // The gradient of candle's `gelu` has six digits.
        (Activation::Gelu, Order::Value) => x.affine(0.5, 0.0)? * gelu_tanh(x)?.affine(1.0, 1.0)?,
        (Activation::Gelu, Order::Derivative) => {
            let tanh = gelu_tanh(x)?;
            let inner = (x * x.sqr()?.affine(3.0 * SCALE * CUBIC, SCALE)?)?;
            let slope = (tanh.sqr()?.affine(-0.5, 0.5)? * inner)?;
            tanh.affine(0.5, 0.5)? + slope
        }
        (Activation::Silu, Order::Value) => x.silu(),
        (Activation::Silu, Order::Derivative) => {
            let sigmoid = x.affine(0.5, 0.0)?.tanh()?.affine(0.5, 0.5)?;
            let rest = (sigmoid.affine(-1.0, 1.0)? * x)?.affine(1.0, 1.0)?;
            sigmoid * rest
        }
        (Activation::LnCosh | Activation::Tanh, _) => bail!("{activation} has a kernel on every device"),
    }
}

const SCALE: f64 = Activation::GELU_SCALE;
const CUBIC: f64 = Activation::GELU_CUBIC;

/// The hyperbolic tangent that stands for Gauss's error function.
fn gelu_tanh(x: &Tensor) -> Result<Tensor> {
    (x * x.sqr()?.affine(SCALE * CUBIC, SCALE)?)?.tanh()
}

/// Values that a thread takes at a time.
const VALUES: usize = 1 << 16;

struct RealActivation {
    activation: Activation,
    order: Order,
}

impl RealActivation {
    fn applied<R: Real>(&self, x: &[R]) -> Vec<R> {
        let mut values = x.to_vec();
        let apply = |values: &mut [R]| self.activation.apply(self.order, values);
        if values.len() <= VALUES {
            apply(&mut values)
        } else {
            values.par_chunks_mut(VALUES).for_each(apply)
        }
        values
    }
}

impl CustomOp1 for RealActivation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let storage = match storage {
            CpuStorage::F64(x) => CpuStorage::F64(self.applied(contiguous(x, layout)?)),
            CpuStorage::F32(x) => CpuStorage::F32(self.applied(contiguous(x, layout)?)),
            _ => bail!("activations take f32 or f64"),
        };
        Ok((storage, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        check_order(self.order)?;
        Ok(Some((grad * real_on_cpu(self.activation, Order::Derivative, x)?)?))
    }
}

fn check_order(order: Order) -> Result<()> {
    match order {
        Order::Value => Ok(()),
        Order::Derivative => bail!("activations have no second derivatives"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    /// Those of the CPU's kernel, derivatives as well, which are the gradients of values.
    #[test]
    fn activations_by_operations_are_those_of_the_kernel() -> Result<()> {
        let x = (-60..=60).map(|k| 0.25 * f64::from(k)).collect::<Vec<_>>();
        let x = Var::from_tensor(&Tensor::new(x, &Device::Cpu)?)?;
        let close = |a: &Tensor, b: &Tensor| -> Result<bool> {
            Ok((a - b)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-14)
        };
        for activation in [Activation::Relu, Activation::Gelu, Activation::Silu] {
            for order in [Order::Value, Order::Derivative] {
                let got = by_operations(activation, order, &x)?;
                assert!(close(&got, &real_on_cpu(activation, order, &x)?)?, "{activation} {order:?}: {got}");
            }
            let gradients = by_operations(activation, Order::Value, &x)?.sum_all()?.backward()?;
            let derivative = by_operations(activation, Order::Derivative, &x)?;
            assert!(close(gradients.get(&x).expect("it has one"), &derivative)?, "{activation}");
            let nan = Tensor::new(&[f64::NAN], &Device::Cpu)?;
            for order in [Order::Value, Order::Derivative] {
                let of_nan = by_operations(activation, order, &nan)?.to_vec1::<f64>()?;
                let on_cpu = real_on_cpu(activation, order, &nan)?.to_vec1::<f64>()?;
                assert_eq!(of_nan[0].is_nan(), on_cpu[0].is_nan(), "{activation} {order:?}");
            }
        }
        Ok(())
    }

    #[test]
    fn activations_differentiate_to_their_derivatives_whatever_the_strides() -> Result<()> {
        let re = Var::new(&[[0.3f64, -2.0, 50.0], [1e-4, 4.0, -7.0]], &Device::Cpu)?;
        let of =
            |activation, order, x: &Tensor| activated(activation, order, &ComplexTensor::real(x.clone()));
        for activation in [Activation::LnCosh, Activation::Tanh, Activation::Gelu] {
            let transposed = of(activation, Order::Value, &re.t()?)?;
            let expected = of(activation, Order::Value, &re)?.map(Tensor::t)?;
            assert_eq!(transposed.re().to_vec2::<f64>()?, expected.re().to_vec2::<f64>()?);
            let gradient = transposed.re().sum_all()?.backward()?;
            let gradient = gradient.get(&re).map(Tensor::to_vec2::<f64>).transpose()?;
            let slope = of(activation, Order::Derivative, &re)?;
            assert_eq!(gradient, Some(slope.re().to_vec2()?));
        }
        Ok(())
    }

    /// As those of numbers, which the flat backend and walkers take.
    #[test]
    fn complex_activations_are_those_of_numbers() -> Result<()> {
        let re = Tensor::new(&[[0.3f64, -2.0, 50.0], [1e-4, 4.0, -7.0]], &Device::Cpu)?;
        let im = Tensor::new(&[[0.7f64, -1.0, 0.2], [2.0, -0.4, 0.9]], &Device::Cpu)?;
        let z = ComplexTensor::new(re, im)?;
        for activation in [Activation::LnCosh, Activation::Tanh] {
            for order in [Order::Value, Order::Derivative] {
                let got = activated(activation, order, &z)?.to_host()?;
                for (got, z) in got.into_iter().zip(z.to_host()?) {
                    let expected = activation.complex(order, z);
                    assert!((got - expected).norm() < 1e-14 * (1.0 + z.norm()), "{z}: {got} {expected}");
                }
            }
        }
        let error = activated(Activation::Relu, Order::Value, &z).unwrap_err().to_string();
        assert!(error.contains("relu is not an activation of complex numbers"), "{error}");
        Ok(())
    }
}
