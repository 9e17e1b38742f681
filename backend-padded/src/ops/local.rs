//! Local estimators from matrix elements and ratios of amplitudes.

use candle_core::op::BackpropOp;
use candle_core::{CpuStorage, CustomOp2, D, DType, Device, Layout, Result, Shape, Storage, Tensor, bail};
use num_complex::Complex64;
use rayon::prelude::*;

use crate::complex::{ComplexTensor, stacked_numbers};
#[cfg(feature = "cuda")]
use crate::cuda;

/// `Σ_k mels[b, k] exp(deltas[b, k])`, shape `(batch,)`, in the precision of `deltas`, which are `ln ψ(x') − ln ψ(x)`. Both
/// are `(batch, width)`. Gradients flow into both.
///
/// Slots of element 0 do not count, whatever their ratio. The largest ratio is taken out of each sum, so that only a sum
/// that is too large itself overflows.
///
/// # Errors
/// For other shapes, or if the device fails.
pub(crate) fn local(mels: &ComplexTensor, deltas: &ComplexTensor) -> Result<ComplexTensor> {
    let (batch, width) = deltas.re().dims2()?;
    if mels.dims() != [batch, width] {
        bail!("elements of {:?} and ratios of {:?}; expected equal shapes", mels.dims(), deltas.dims());
    }
    if !matches!(deltas.dtype(), DType::F32 | DType::F64) {
        let single = deltas.map(|part| part.to_dtype(DType::F32))?;
        return local(mels, &single)?.map(|part| part.to_dtype(deltas.dtype()));
    }
    let mels = mels.map(|part| part.to_dtype(deltas.dtype()))?;
    let device = deltas.re().device();
    if batch * width == 0 {
        return Tensor::zeros(batch, deltas.dtype(), device).map(ComplexTensor::real);
    }
    if device.is_metal() {
        return of_candle(&mels, deltas);
    }
    let detached = |tensor: &ComplexTensor| tensor.detach().map(Tensor::contiguous);
    let kernel = Local { mels: detached(&mels)?, deltas: detached(deltas)? };
    let local = if mels.tracks_gradients() || deltas.tracks_gradients() {
        // Candle's operations have few arguments and one result.
        mels.stacked()?.apply_op2(&deltas.stacked()?, kernel)?
    } else {
        let (storage, shape) = kernel.sums()?;
        Tensor::from_storage(storage, shape, BackpropOp::none(), false)
    };
    ComplexTensor::from_stacked(&local)
}

/// The same by operations of candle, for devices without a kernel.
fn of_candle(mels: &ComplexTensor, deltas: &ComplexTensor) -> Result<ComplexTensor> {
    deltas.exp()?.broadcast_mul(mels)?.map(|part| part.sum(D::Minus1))
}

/// As an operation on stacked parts. It holds the parts, so that kernels read them where they are.
struct Local {
    mels: ComplexTensor,
    deltas: ComplexTensor,
}

impl Local {
    /// Stacked parts, `(1 or 2, batch)`.
    fn sums(&self) -> Result<(Storage, Shape)> {
        let Local { mels, deltas } = self;
        match deltas.re().device() {
            Device::Cpu => {
                let (local, shape) = self.on_host()?;
                Ok((Storage::Cpu(local), shape))
            }
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => {
                let (local, shape) = cuda::local(mels, deltas)?;
                Ok((Storage::Cuda(local), shape))
            }
            _ => bail!("elements of {:?} have no sums on this device", mels.dims()),
        }
    }

    fn is_complex(&self) -> bool {
        self.mels.im().is_some() || self.deltas.im().is_some()
    }

    /// Samples go over all threads; each sum has the order of the slots.
    fn on_host(&self) -> Result<(CpuStorage, Shape)> {
        let (mels, deltas) = (self.mels.to_host()?, self.deltas.to_host()?);
        let (batch, width) = self.deltas.re().dims2()?;
        let samples = mels.par_chunks_exact(width).zip(deltas.par_chunks_exact(width));
        let local: Vec<Complex64> = samples.map(|(mels, deltas)| sum(mels, deltas)).collect();
        let n_parts = if self.is_complex() { 2 } else { 1 };
        let parts = stacked_numbers(&local, n_parts);
        let storage = match self.deltas.dtype() {
            DType::F32 => CpuStorage::F32(parts.map(|value| value as f32).collect()),
            _ => CpuStorage::F64(parts.collect()),
        };
        Ok((storage, (n_parts, batch).into()))
    }

    /// The gradients in elements and differences from that in sums, `(1 or 2, batch)`.
    fn gradients_on_host(&self, gradient: &Tensor) -> Result<[Tensor; 2]> {
        let gradient = ComplexTensor::from_stacked(gradient)?.to_host()?;
        let (mels, deltas) = (self.mels.to_host()?, self.deltas.to_host()?);
        let (batch, width) = self.deltas.re().dims2()?;
        let (mut of_mels, mut of_deltas) =
            (vec![Complex64::ZERO; mels.len()], vec![Complex64::ZERO; mels.len()]);
        let slots = of_mels.par_iter_mut().zip(of_deltas.par_iter_mut()).zip(mels).zip(deltas).enumerate();
        slots.for_each(|(k, (((of_mel, of_delta), mel), delta))| {
            // The gradient of w z in the parts of z is g times the conjugate of w.
            let (gradient, (phase, root)) = (gradient[k / width], ratio(delta));
            *of_mel = gradient * phase.conj() * root * root;
            if mel != Complex64::ZERO {
                *of_delta = gradient * (mel * phase).conj() * root * root;
            }
        });
        let tensor = |values: &[Complex64], like: &ComplexTensor| {
            let n_parts = like.im().map_or(1, |_| 2);
            let parts: Vec<f64> = stacked_numbers(values, n_parts).collect();
            Tensor::from_vec(parts, (n_parts, batch, width), &Device::Cpu)?.to_dtype(like.dtype())
        };
        Ok([tensor(&of_mels, &self.mels)?, tensor(&of_deltas, &self.deltas)?])
    }
}

/// e^delta as a phase and the root of its size, of which products do not overflow where e^delta does.
fn ratio(delta: Complex64) -> (Complex64, f64) {
    let phase = if delta.im == 0.0 { Complex64::ONE } else { Complex64::cis(delta.im) };
    (phase, (0.5 * delta.re).exp())
}

/// `Σ_k mels[k] exp(deltas[k])`
fn sum(mels: &[Complex64], deltas: &[Complex64]) -> Complex64 {
    let terms = || mels.iter().zip(deltas).filter(|(mel, _)| **mel != Complex64::ZERO);
    let largest = terms().fold(f64::MIN, |largest, (_, delta)| largest.max(delta.re));
    let sum: Complex64 = terms()
        .map(|(mel, delta)| {
            let (phase, root) = ratio(delta - largest);
            mel * phase * (root * root)
        })
        .sum();
    // Without terms the largest ratio is nonsense, and infinite ratios can cancel.
    if sum == Complex64::ZERO {
        return sum;
    }
    let root = (0.5 * largest).exp();
    sum * root * root
}

impl CustomOp2 for Local {
    fn name(&self) -> &'static str {
        "local-estimators"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        self.on_host()
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::local(&self.mels, &self.deltas)
    }

    fn bwd(
        &self,
        mels: &Tensor,
        deltas: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let wanted = [mels, deltas].map(Tensor::track_op);
        #[cfg(feature = "cuda")]
        if gradient.device().is_cuda() {
            let [of_mels, of_deltas] = cuda::local_gradients(&self.mels, &self.deltas, gradient, wanted)?;
            return Ok((of_mels, of_deltas));
        }
        let [of_mels, of_deltas] = self.gradients_on_host(gradient)?;
        let [mels, deltas] = wanted;
        Ok((mels.then_some(of_mels), deltas.then_some(of_deltas)))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;
    use operator_core::testing::SplitMix;

    use super::super::slopes::{check_slopes, numbers};
    use super::*;

    const SHAPE: (usize, usize) = (9, 45);

    /// Real parts of elements and differences, their imaginary parts, and what gradients are taken of.
    struct Case {
        mels: [Var; 2],
        deltas: [Var; 2],
        weights: [Tensor; 2],
    }

    impl Case {
        fn new(dtype: DType, device: &Device) -> Result<Self> {
            let mut rng = SplitMix::new(5);
            let mut random = |n: usize, zero: &dyn Fn(usize) -> bool| {
                let number = |k| if zero(k) { 0.0 } else { 2.0 * rng.number() };
                Tensor::from_vec((0..n).map(number).collect(), n, &Device::Cpu)?
                    .to_dtype(dtype)?
                    .to_device(device)
            };
            let (batch, width) = SHAPE;
            // Unused slots, a sample without elements, and elements that are 0 for their present parameters.
            let unused = |k: usize| k % width >= 40 || k / width == 4 || k % 11 == 3;
            let mut var = |zero: &dyn Fn(usize) -> bool| {
                Var::from_tensor(&random(batch * width, zero)?.reshape(SHAPE)?)
            };
            let mels = [var(&unused)?, var(&unused)?];
            let deltas = [var(&|_| false)?, var(&|_| false)?];
            Ok(Case { mels, deltas, weights: [random(batch, &|_| false)?, random(batch, &|_| false)?] })
        }

        fn inputs(&self, are_complex: [bool; 2]) -> Result<[ComplexTensor; 2]> {
            let complex = |[re, im]: &[Var; 2], is_complex: bool| {
                let im = if is_complex { Some(im.as_tensor().clone()) } else { None };
                ComplexTensor::new(re.as_tensor().clone(), im)
            };
            Ok([complex(&self.mels, are_complex[0])?, complex(&self.deltas, are_complex[1])?])
        }

        /// A sum of both parts with weights.
        fn weighed(&self, local: &ComplexTensor) -> Result<Tensor> {
            let re = (local.re() * &self.weights[0])?.sum_all()?;
            local.im().map_or(Ok(re.clone()), |im| re + (im * &self.weights[1])?.sum_all()?)
        }
    }

    fn assert_close(got: &Tensor, expected: &Tensor, tolerance: f64) -> Result<()> {
        assert_eq!((got.dims(), got.dtype()), (expected.dims(), expected.dtype()));
        for (got, expected) in numbers(got)?.into_iter().zip(numbers(expected)?) {
            assert!((got - expected).abs() <= tolerance * (1.0 + expected.abs()), "{got} {expected}");
        }
        Ok(())
    }

    const REAL_OR_NOT: [[bool; 2]; 4] = [[false, false], [false, true], [true, false], [true, true]];

    fn check_candle(device: &Device) -> Result<()> {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-4)] {
            let case = Case::new(dtype, device)?;
            for are_complex in REAL_OR_NOT {
                let [mels, deltas] = case.inputs(are_complex)?;
                let (got, expected) = (local(&mels, &deltas)?, of_candle(&mels, &deltas)?);
                let alone = local(&mels.detach(), &deltas.detach())?;
                assert!(!alone.tracks_gradients());
                assert_close(got.re(), expected.re(), tolerance)?;
                assert_eq!(numbers(got.re())?, numbers(alone.re())?);
                assert_eq!([got.im(), alone.im()].map(|im| im.is_some()), [are_complex.contains(&true); 2]);
                if let (Some(got), Some(expected), Some(alone)) = (got.im(), expected.im(), alone.im()) {
                    assert_close(got, expected, tolerance)?;
                    assert_eq!(numbers(got)?, numbers(alone)?);
                }
                let (got, expected) = (case.weighed(&got)?.backward()?, case.weighed(&expected)?.backward()?);
                for var in case.mels.iter().chain(&case.deltas) {
                    assert_eq!(got.get(var).is_some(), expected.get(var).is_some());
                    if let (Some(got), Some(expected)) = (got.get(var), expected.get(var)) {
                        assert_close(got, expected, tolerance)?;
                    }
                }
                // Only what is asked for.
                let constant = local(&mels, &deltas.detach())?;
                let gradients = case.weighed(&constant)?.backward()?;
                assert!(gradients.get(&case.deltas[0]).is_none());
                assert_close(
                    gradients.get(&case.mels[0]).unwrap(),
                    expected.get(&case.mels[0]).unwrap(),
                    tolerance,
                )?;
            }
        }
        Ok(())
    }

    /// Elements that are 0 do not count, also as functions of differences.
    fn check_differences(device: &Device) -> Result<()> {
        let case = Case::new(DType::F64, device)?;
        check_slopes(case.mels.iter().chain(&case.deltas), || {
            let [mels, deltas] = case.inputs([true, true])?;
            case.weighed(&local(&mels, &deltas)?)
        })
    }

    /// Small elements with ratios that are too large for a number, and the other way round.
    fn check_sizes(device: &Device) -> Result<()> {
        for (dtype, size, tolerance) in [(DType::F64, 200.0, 1e-12), (DType::F32, 28.0, 1e-4)] {
            let tensor =
                |values: [f64; 6]| Tensor::new(&[values], &Device::Cpu)?.to_dtype(dtype)?.to_device(device);
            let (large, log) = (10f64.powf(size), 1.5 * size * 10f64.ln());
            let mels = Var::from_tensor(&tensor([2.0 / large, -0.5 / large, 0.0, 0.0, 0.25 / large, 0.0])?)?;
            let deltas = Var::from_tensor(&tensor([log, log, f64::INFINITY, 0.0, log - 1.0, f64::NAN])?)?;
            let complex = |part: &Var| ComplexTensor::real(part.as_tensor().clone());
            let sum = (1.5 + 0.25 / 1f64.exp()) * 10f64.powf(0.5 * size);
            let sums = local(&complex(&mels), &complex(&deltas))?;
            assert_close(sums.re(), &tensor([sum; 6])?.narrow(1, 0, 1)?.squeeze(0)?, tolerance)?;
            let gradients = sums.re().sum_all()?.backward()?;
            let of_deltas = numbers(gradients.get(&deltas).unwrap())?;
            let scale = 10f64.powf(0.5 * size);
            let expected = [2.0, -0.5, 0.0, 0.0, 0.25 / 1f64.exp(), 0.0];
            for (got, expected) in of_deltas.into_iter().zip(expected) {
                assert!((got / scale - expected).abs() < tolerance, "{got} {expected}");
            }
            // The other way round.
            let sums = local(
                &ComplexTensor::real((&tensor([large; 6])? * 1.0)?),
                &ComplexTensor::real(tensor([-log; 6])?),
            )?;
            let expected = 6.0 / scale;
            assert!((numbers(sums.re())?[0] / expected - 1.0).abs() < tolerance);
        }
        Ok(())
    }

    #[test]
    fn sums_and_gradients_are_those_of_candle_and_of_finite_differences() -> Result<()> {
        check_candle(&Device::Cpu)?;
        check_differences(&Device::Cpu)
    }

    #[test]
    fn only_sums_that_are_too_large_overflow() -> Result<()> {
        check_sizes(&Device::Cpu)
    }

    #[test]
    fn half_precision_is_rounded_once() -> Result<()> {
        let ones = |dtype| Tensor::ones((2, 3), dtype, &Device::Cpu).map(ComplexTensor::real);
        let local = local(&ones(DType::F64)?, &ones(DType::BF16)?)?;
        assert_eq!(local.dtype(), DType::BF16);
        // 3 e has 8 bits.
        assert_eq!(numbers(local.re())?, [8.125, 8.125]);
        Ok(())
    }

    #[test]
    fn parts_of_other_shapes_are_refused_and_no_slots_are_no_sum() -> Result<()> {
        let zeros =
            |shape: (usize, usize)| Tensor::zeros(shape, DType::F64, &Device::Cpu).map(ComplexTensor::real);
        assert!(local(&zeros((2, 3))?, &zeros((3, 2))?).is_err());
        for shape in [(0, 3), (3, 0)] {
            assert_eq!(local(&zeros(shape)?, &zeros(shape)?)?.to_host()?, vec![Complex64::ZERO; shape.0]);
        }
        Ok(())
    }

    #[cfg(feature = "cuda")]
    #[test]
    #[ignore = "needs a GPU or its stand-in"]
    fn a_device_sums_and_differentiates_as_the_host() -> Result<()> {
        let device = crate::device("cuda").map_err(candle_core::Error::wrap)?;
        check_candle(&device)?;
        check_differences(&device)?;
        check_sizes(&device)
    }
}
