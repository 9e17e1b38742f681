//! ln cosh and its derivative tanh, of real and complex tensors.

use std::f64::consts::LN_2;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Device, Layout, Result, Shape, Tensor, bail};
use num_complex::Complex64;
use operator_core::functions::{Elementary, complex_ln_cosh, complex_tanh, ln_cosh_each, tanh_each};

use crate::complex::{ComplexTensor, stacked_numbers};
#[cfg(feature = "cuda")]
use crate::cuda;

/// `ln cosh z` of each element, in f32 or f64. Gradients flow through it.
///
/// # Errors
/// For other types, or if the device fails.
#[doc(hidden)]
pub fn ln_cosh(z: &ComplexTensor) -> Result<ComplexTensor> {
    Function::LnCosh.of(z)
}

/// `tanh z` of each element, in f32 or f64. Gradients flow through it.
///
/// # Errors
/// As [`ln_cosh`].
#[doc(hidden)]
pub fn tanh(z: &ComplexTensor) -> Result<ComplexTensor> {
    Function::Tanh.of(z)
}

/// As an operation on a real tensor, or on the parts of a complex one, which gives stacked parts `(2, …)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    LnCosh,
    Tanh,
}

impl Function {
    fn of(self, z: &ComplexTensor) -> Result<ComplexTensor> {
        if z.re().device().is_metal() {
            return self.without_kernel(z);
        }
        match z.im() {
            None => z.re().contiguous()?.apply_op1(self).map(ComplexTensor::real),
            Some(im) => {
                ComplexTensor::from_stacked(&z.re().contiguous()?.apply_op2(&im.contiguous()?, self)?)
            }
        }
    }

    /// By operations of candle, or on the CPU where there are none.
    fn without_kernel(self, z: &ComplexTensor) -> Result<ComplexTensor> {
        match (self, z.im()) {
            (_, Some(_)) => {
                let value = self.of(&z.map(|part| part.to_device(&Device::Cpu))?)?;
                value.map(|part| part.to_device(z.re().device()))
            }
            (Function::Tanh, None) => z.re().tanh().map(ComplexTensor::real),
            (Function::LnCosh, None) => {
                let size = z.re().abs()?;
                let rest = (((&size * -2.0)?.exp()? + 1.0)?.log()? - LN_2)?;
                (size + rest).map(ComplexTensor::real)
            }
        }
    }

    fn of_each<R: Elementary>(self, x: &[R]) -> Vec<R> {
        let mut values = x.to_vec();
        match self {
            Function::LnCosh => ln_cosh_each(&mut values),
            Function::Tanh => tanh_each(&mut values),
        }
        values
    }

    fn of_complex(self, z: Complex64) -> Complex64 {
        match self {
            Function::LnCosh => complex_ln_cosh(z),
            Function::Tanh => complex_tanh(z),
        }
    }

    #[cfg(feature = "cuda")]
    fn kernel(self) -> &'static str {
        match self {
            Function::LnCosh => "ln_cosh",
            Function::Tanh => "ln_cosh_derivative",
        }
    }

    /// The gradient in z, which times the conjugate of the derivative.
    fn gradient(
        self,
        z: &ComplexTensor,
        value: &ComplexTensor,
        gradient: &ComplexTensor,
    ) -> Result<ComplexTensor> {
        #[cfg(feature = "cuda")]
        if self == Function::LnCosh && z.re().device().is_cuda() {
            return cuda::ln_cosh_gradient(z, gradient);
        }
        let slope = match self {
            Function::LnCosh => tanh(&z.detach())?,
            Function::Tanh => {
                let (re, im) = value.broadcast_mul(value)?.into_parts();
                ComplexTensor::new(re.affine(-1.0, 1.0)?, im.map(|im| im.neg()).transpose()?)?
            }
        };
        let (re, im) = slope.into_parts();
        gradient.broadcast_mul(&ComplexTensor::new(re, im.map(|im| im.neg()).transpose()?)?)
    }
}

impl CustomOp1 for Function {
    fn name(&self) -> &'static str {
        "ln-cosh"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = match x {
            CpuStorage::F64(x) => CpuStorage::F64(self.of_each(contiguous(x, layout)?)),
            CpuStorage::F32(x) => CpuStorage::F32(self.of_each(contiguous(x, layout)?)),
            _ => bail!("ln cosh and tanh are of f32 or f64"),
        };
        Ok((values, layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        layout: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::ln_cosh(self.kernel(), (x, layout), None)
    }

    fn bwd(&self, x: &Tensor, value: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let [x, value, gradient] = [x, value, gradient].map(|part| ComplexTensor::real(part.clone()));
        self.gradient(&x, &value, &gradient).map(|of_x| Some(of_x.re().clone()))
    }
}

impl CustomOp2 for Function {
    fn name(&self) -> &'static str {
        "complex-ln-cosh"
    }

    fn cpu_fwd(
        &self,
        re: &CpuStorage,
        re_layout: &Layout,
        im: &CpuStorage,
        im_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = [&[2], re_layout.dims()].concat();
        let values = match (re, im) {
            (CpuStorage::F64(re), CpuStorage::F64(im)) => {
                let pairs = contiguous(re, re_layout)?.iter().zip(contiguous(im, im_layout)?);
                let values: Vec<_> =
                    pairs.map(|(&re, &im)| self.of_complex(Complex64::new(re, im))).collect();
                CpuStorage::F64(stacked_numbers(&values, 2).collect())
            }
            (CpuStorage::F32(re), CpuStorage::F32(im)) => {
                let pairs = contiguous(re, re_layout)?.iter().zip(contiguous(im, im_layout)?);
                let of = |(&re, &im): (&f32, &f32)| self.of_complex(Complex64::new(re.into(), im.into()));
                let values: Vec<_> = pairs.map(of).collect();
                CpuStorage::F32(stacked_numbers(&values, 2).map(|value| value as f32).collect())
            }
            _ => bail!("ln cosh and tanh are of f32 or f64"),
        };
        Ok((values, shape.into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        re: &candle_core::CudaStorage,
        re_layout: &Layout,
        im: &candle_core::CudaStorage,
        im_layout: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::ln_cosh(self.kernel(), (re, re_layout), Some((im, im_layout)))
    }

    fn bwd(
        &self,
        re: &Tensor,
        im: &Tensor,
        value: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let z = ComplexTensor::new(re.clone(), im.clone())?;
        let [value, gradient] = [value, gradient].map(ComplexTensor::from_stacked);
        let (re, im) = self.gradient(&z, &value?, &gradient?)?.into_parts();
        Ok((Some(re), im))
    }
}

fn contiguous<'a, T>(values: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("a tensor of shape {:?} is not contiguous", layout.shape()),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Var};

    use super::super::slopes::{check_slopes, numbers};
    use super::*;

    /// Numbers from tiny to huge, of both signs, some beside zeros of cosh, as a tensor and its transpose.
    fn z(dtype: DType, device: &Device) -> Result<[Var; 2]> {
        let re: Vec<f64> =
            (0..60).map(|k| 1e-4 * 1.27f64.powi(k) * if k % 3 == 0 { -1.0 } else { 1.0 }).collect();
        let im: Vec<f64> = (0..60).map(|k| 0.37 * f64::from(k * 7 % 23) - 4.0).collect();
        let var = |numbers| {
            Var::from_tensor(
                &Tensor::from_vec(numbers, (5, 12), &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?,
            )
        };
        Ok([var(re)?, var(im)?])
    }

    /// Values are right, whatever the strides, and of both types; gradients are finite differences.
    fn check(device: &Device) -> Result<()> {
        for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-5)] {
            let [re, im] = z(dtype, device)?;
            for (function, of) in [
                (ln_cosh as fn(&ComplexTensor) -> Result<ComplexTensor>, complex_ln_cosh as fn(_) -> _),
                (tanh, complex_tanh),
            ] {
                let transposed = |part: &Var| part.as_tensor().t();
                for im in [None, Some(transposed(&im)?)] {
                    let z = ComplexTensor::new(transposed(&re)?, im)?;
                    let value = function(&z)?;
                    assert_eq!((value.dims(), value.dtype()), (z.dims(), dtype));
                    assert_eq!(value.im().is_some(), z.im().is_some());
                    for (got, z) in value.to_host()?.into_iter().zip(z.to_host()?) {
                        let expected: Complex64 = of(z);
                        let size = 1.0 + z.norm() + expected.norm_sqr();
                        assert!((got - expected).norm() <= tolerance * size, "{z}: {got} {expected}");
                    }
                }
            }
        }
        check_differences(device)
    }

    fn check_differences(device: &Device) -> Result<()> {
        let [re, im] = z(DType::F64, device)?;
        let weights = Tensor::arange(0f64, 60.0, device)?.reshape((5, 12))?.sin()?;
        for function in [ln_cosh as fn(&ComplexTensor) -> Result<ComplexTensor>, tanh] {
            for is_complex in [false, true] {
                let weighed = || -> Result<Tensor> {
                    let im = if is_complex { Some(im.as_tensor().clone()) } else { None };
                    let value = function(&ComplexTensor::new(re.as_tensor().clone(), im)?)?;
                    let of_re = (value.re() * &weights)?.sum_all()?;
                    value.im().map_or(Ok(of_re.clone()), |im| of_re + (im * weights.cos()?)?.sum_all()?)
                };
                let vars = if is_complex { vec![&re, &im] } else { vec![&re] };
                check_slopes(vars, weighed)?;
            }
        }
        Ok(())
    }

    #[test]
    fn values_are_those_of_numbers_and_gradients_finite_differences() -> Result<()> {
        check(&Device::Cpu)
    }

    #[test]
    fn candles_operations_have_the_same_values() -> Result<()> {
        let [re, _] = z(DType::F64, &Device::Cpu)?;
        let z = ComplexTensor::real(re.as_tensor().clone());
        for function in [Function::LnCosh, Function::Tanh] {
            let (got, expected) = (function.without_kernel(&z)?, function.of(&z)?);
            for (got, expected) in numbers(got.re())?.into_iter().zip(numbers(expected.re())?) {
                assert!((got - expected).abs() < 1e-14 * (1.0 + expected.abs()), "{got} {expected}");
            }
        }
        Ok(())
    }

    #[cfg(feature = "cuda")]
    #[test]
    #[ignore = "needs a GPU or its stand-in"]
    fn a_device_has_the_values_and_gradients_of_the_host() -> Result<()> {
        check(&crate::device("cuda").map_err(candle_core::Error::wrap)?)
    }
}
