//! Sums over the units of a first layer at connected states: a layer that is changed at a few sites, and what is summed of
//! it, without storing either.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};
use num_complex::Complex64;
use operator_core::functions::{complex_ln_cosh, complex_tanh, ln_cosh_each, tanh_each};
use rayon::prelude::*;

use super::changed_layer::{ChangedLayer, Number, wanted_gradients};
use crate::compact::CompactStates;
#[cfg(feature = "cuda")]
use crate::compact::Samples;
use crate::complex::ComplexTensor;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::memory::with_numbers;

/// A function of a unit's value.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// The value itself.
    Identity,
    /// Its ln cosh.
    LnCosh,
}

/// `Σ_m f(z[b, m] + Σ_i (x'_i − x_i) w[i, m])` for each connected state x' of each sample b, shape `(batch · width,)`, in
/// f64. `z` is `(batch, n_units)`, `w` is `(n_sites, n_units)`. Gradients flow into both.
///
/// # Errors
/// For other shapes, or if the device fails.
pub(crate) fn sums_of_units(
    states: &CompactStates,
    unit: Unit,
    z: &ComplexTensor,
    w: &ComplexTensor,
) -> Result<ComplexTensor> {
    let layer = ChangedLayer::new(states, z, w)?;
    if layer.n_units_of_slots() == 0 {
        let [batch, width, _] = states.shape();
        let zeros = Tensor::zeros(batch * width, DType::F64, states.items().device())?;
        return ComplexTensor::new(zeros.clone(), layer.is_complex().then_some(zeros));
    }
    let (z, w) = (layer.z.stacked()?, layer.w.stacked()?);
    ComplexTensor::from_stacked(&z.apply_op2(&w, SumsOfUnits { layer: layer.detached(), unit })?)
}

/// As an operation on stacked parts.
struct SumsOfUnits {
    layer: ChangedLayer,
    unit: Unit,
}

impl CustomOp2 for SumsOfUnits {
    fn name(&self) -> &'static str {
        "sums-of-units"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let (sums, shape) =
            if self.layer.is_complex() { self.on_host::<Complex64>()? } else { self.on_host::<f64>()? };
        Ok((CpuStorage::F64(sums), shape))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::sums_of_units(&self.layer, self.unit)
    }

    fn bwd(
        &self,
        z: &Tensor,
        w: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        #[cfg(feature = "cuda")]
        if let Samples::Cuda(_) = self.layer.states.samples {
            let wanted = [z, w].map(Tensor::track_op);
            return wanted_gradients(
                [z, w],
                cuda::gradients_of_units(&self.layer, self.unit, gradient, wanted)?,
            );
        }
        let gradients = if self.layer.is_complex() {
            self.gradients_on_host::<Complex64>(gradient)?
        } else {
            self.gradients_on_host::<f64>(gradient)?
        };
        wanted_gradients([z, w], gradients)
    }
}

impl SumsOfUnits {
    /// Samples go over all threads; each sum has the order of the units. Stacked parts.
    fn on_host<N: Function>(&self) -> Result<(Vec<f64>, Shape)> {
        let layer = self.layer.on_host::<N>()?;
        let [batch, width, _] = self.layer.states.shape();
        let mut sums = vec![N::zero(); batch * width];
        with_numbers(&self.layer.states.items().contiguous()?, |items: &[u32]| {
            let samples = sums.par_chunks_exact_mut(width).zip(items.par_chunks_exact(width)).enumerate();
            samples.for_each_init(
                || vec![N::zero(); layer.n_units],
                |units, (sample, (sums, items))| {
                    for (sum, &item) in sums.iter_mut().zip(items) {
                        layer.change(sample, item, units);
                        N::apply(self.unit, units);
                        *sum = units.iter().fold(N::zero(), |sum, &value| sum + value);
                    }
                },
            );
        })?;
        Ok((N::stack(sums), (N::N_PARTS, batch * width).into()))
    }

    /// The gradients in `z` and `w`, stacked, in f64, from that in the stacked sums.
    fn gradients_on_host<N: Function>(&self, gradient: &Tensor) -> Result<[Option<Tensor>; 2]> {
        let layer = self.layer.on_host::<N>()?;
        let gradient = N::of(&ComplexTensor::from_stacked(gradient)?)?;
        layer.gradients(&self.layer, |sample, slot, item, units| {
            let gradient = gradient[slot];
            if gradient.is_zero() {
                return false;
            }
            layer.change(sample, item, units);
            N::slopes(self.unit, units);
            // The gradient of f(z) in the parts of z is g times the conjugate of f'.
            units.iter_mut().for_each(|slope| *slope = gradient * slope.conj());
            true
        })
    }
}

/// Functions of units on the host.
trait Function: Number {
    /// Replaces values by their functions.
    fn apply(unit: Unit, values: &mut [Self]);

    /// Replaces values by the derivatives of their functions.
    fn slopes(unit: Unit, values: &mut [Self]);
}

impl Function for f64 {
    fn apply(unit: Unit, values: &mut [f64]) {
        match unit {
            Unit::Identity => {}
            Unit::LnCosh => ln_cosh_each(values),
        }
    }

    fn slopes(unit: Unit, values: &mut [f64]) {
        match unit {
            Unit::Identity => values.fill(1.0),
            Unit::LnCosh => tanh_each(values),
        }
    }
}

impl Function for Complex64 {
    fn apply(unit: Unit, values: &mut [Complex64]) {
        match unit {
            Unit::Identity => {}
            Unit::LnCosh => values.iter_mut().for_each(|value| *value = complex_ln_cosh(*value)),
        }
    }

    fn slopes(unit: Unit, values: &mut [Complex64]) {
        match unit {
            Unit::Identity => values.fill(Complex64::ONE),
            Unit::LnCosh => values.iter_mut().for_each(|value| *value = complex_tanh(*value)),
        }
    }
}
