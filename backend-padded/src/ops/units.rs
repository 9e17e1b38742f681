//! Sums over the units of a first layer at connected states: a layer that is changed at a few sites, and what is summed of
//! it, without storing either.

use std::ops::Mul;

use candle_core::{CpuStorage, CustomOp2, DType, Device, Layout, Result, Shape, Tensor, bail};
use num_complex::Complex64;
use operator_core::Element;
use operator_core::functions::{complex_ln_cosh, complex_tanh, ln_cosh_each, tanh_each};
use rayon::prelude::*;

use crate::compact::{ChangeTables, CompactStates, Samples};
use crate::complex::{ComplexTensor, stacked_numbers};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::memory::with_numbers;
use crate::rows::Rows;

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
    let [batch, width, n_sites] = states.shape();
    let n_units = match (z.dims(), w.dims()) {
        (&[n_rows, n_units], &[sites, units]) if (n_rows, units, sites) == (batch, n_units, n_sites) => {
            n_units
        }
        (z, w) => bail!("units of {z:?} and weights of {w:?}; expected [{batch}, m] and [{n_sites}, m]"),
    };
    let (device, dtype) = (states.items.device(), z.dtype());
    let is_complex = z.im().is_some() || w.im().is_some();
    if batch * width * n_units == 0 {
        let zeros = Tensor::zeros(batch * width, DType::F64, device)?;
        return ComplexTensor::new(zeros.clone(), is_complex.then_some(zeros));
    }
    // Both have imaginary parts if one has.
    let whole = |tensor: &ComplexTensor| -> Result<ComplexTensor> {
        let tensor = tensor.map(|part| part.to_dtype(dtype)?.to_device(device)?.contiguous())?;
        match tensor.im() {
            None if is_complex => ComplexTensor::new(tensor.re().clone(), tensor.re().zeros_like()?),
            _ => Ok(tensor),
        }
    };
    let (z, w) = (whole(z)?, whole(w)?);
    let kernel = SumsOfUnits { states: states.clone(), unit, z: z.detach(), w: w.detach() };
    ComplexTensor::from_stacked(&z.stacked()?.apply_op2(&w.stacked()?, kernel)?)
}

/// As an operation on stacked parts. It holds the parts, so that kernels read them where they are.
struct SumsOfUnits {
    states: CompactStates,
    unit: Unit,
    z: ComplexTensor,
    w: ComplexTensor,
}

impl CustomOp2 for SumsOfUnits {
    fn name(&self) -> &'static str {
        "sums-of-units"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let (sums, shape) = match self.w.im() {
            None => self.sums_on_host::<f64>()?,
            Some(_) => self.sums_on_host::<Complex64>()?,
        };
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
        match &self.states.samples {
            Samples::Cuda(samples) => {
                cuda::sums_of_units(samples, &self.states.items, self.unit, &self.z, &self.w)
            }
            Samples::Host { .. } => bail!("the samples are on the host, the units on a CUDA device"),
        }
    }

    fn bwd(
        &self,
        z: &Tensor,
        w: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let wanted = [z, w].map(Tensor::track_op);
        let [of_z, of_w] = match &self.states.samples {
            Samples::Host { .. } => match self.w.im() {
                None => self.gradients_on_host::<f64>(gradient)?,
                Some(_) => self.gradients_on_host::<Complex64>(gradient)?,
            },
            #[cfg(feature = "cuda")]
            Samples::Cuda(samples) => {
                let at = (&self.states.items, self.unit);
                cuda::gradients_of_units(samples, at, &self.z, &self.w, gradient, wanted)?
            }
        };
        let of = |gradient: Option<Tensor>, is_wanted: bool, like: &Tensor| {
            gradient.filter(|_| is_wanted).map(|gradient| gradient.to_dtype(like.dtype())).transpose()
        };
        Ok((of(of_z, wanted[0], z)?, of(of_w, wanted[1], w)?))
    }
}

/// Gradients in weights are added up in this many parts, so that rounding does not depend on threads.
const PARTIAL_SUMS: usize = 16;

impl SumsOfUnits {
    /// Samples go over all threads; each sum has the order of the units. Stacked parts.
    fn sums_on_host<N: Number>(&self) -> Result<(Vec<f64>, Shape)> {
        let layer = Layer::<N>::new(self)?;
        let [batch, width, _] = self.states.shape();
        let mut sums = vec![N::zero(); batch * width];
        with_numbers(&self.states.items.contiguous()?, |items: &[u32]| {
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
        Ok((stacked(&sums), (N::N_PARTS, batch * width).into()))
    }

    /// The gradients in `z` and `w`, stacked, in f64, from that in the stacked sums.
    fn gradients_on_host<N: Number>(&self, gradient: &Tensor) -> Result<[Option<Tensor>; 2]> {
        let layer = Layer::<N>::new(self)?;
        let [batch, width, n_sites] = self.states.shape();
        let n_units = layer.n_units;
        let gradient: Vec<N> = numbers(&ComplexTensor::from_stacked(gradient)?)?;
        let (mut of_z, run) = (vec![N::zero(); batch * n_units], batch.div_ceil(PARTIAL_SUMS));
        let parts: Vec<Vec<N>> = with_numbers(&self.states.items.contiguous()?, |items: &[u32]| {
            let runs = of_z.par_chunks_mut(run * n_units).enumerate();
            let of_run = |(k, of_z): (usize, &mut [N])| {
                let (mut of_w, mut units) = (vec![N::zero(); n_sites * n_units], vec![N::zero(); n_units]);
                for (sample, of_z) in (k * run..).zip(of_z.chunks_exact_mut(n_units)) {
                    for slot in sample * width..(sample + 1) * width {
                        let (item, gradient) = (items[slot], gradient[slot]);
                        if gradient.is_zero() {
                            continue;
                        }
                        layer.change(sample, item, &mut units);
                        N::slopes(self.unit, &mut units);
                        // The gradient of f(z) in the parts of z is g times the conjugate of f'.
                        units.iter_mut().for_each(|slope| *slope = gradient * slope.conj());
                        add(of_z, &units, 1.0);
                        layer.for_each_change(sample, item, |site, by| {
                            add(&mut of_w[site * n_units..][..n_units], &units, by);
                        });
                    }
                }
                of_w
            };
            runs.map(of_run).collect()
        })?;
        let mut of_w = vec![N::zero(); n_sites * n_units];
        parts.iter().for_each(|part| add(&mut of_w, part, 1.0));
        let tensor = |values: &[N], n: usize| {
            Tensor::from_vec(stacked(values), (N::N_PARTS, n, n_units), &Device::Cpu)
        };
        Ok([Some(tensor(&of_z, batch)?), Some(tensor(&of_w, n_sites)?)])
    }
}

/// Adds a multiple.
fn add<N: Number>(to: &mut [N], values: &[N], by: f64) {
    to.iter_mut().zip(values).for_each(|(to, &value)| *to += value * by);
}

/// The units of samples on the host, and what changes of sites add to them.
struct Layer<'a, N> {
    tables: &'a ChangeTables,
    rows: &'a Rows,
    n_units: usize,
    z: Vec<N>,
    w: Vec<N>,
}

impl<'a, N: Number> Layer<'a, N> {
    fn new(of: &'a SumsOfUnits) -> Result<Self> {
        match &of.states.samples {
            Samples::Host { tables, rows } => {
                Ok(Layer { tables, rows, n_units: of.w.dims()[1], z: numbers(&of.z)?, w: numbers(&of.w)? })
            }
            #[cfg(feature = "cuda")]
            Samples::Cuda(_) => bail!("the samples are on a CUDA device, the units on the host"),
        }
    }

    /// Calls `f` with each site that an item changes, and the difference.
    fn for_each_change(&self, sample: usize, item: u32, mut f: impl FnMut(usize, f64)) {
        let n_sites = self.rows.n_sites();
        let x = &self.rows.data()[sample * n_sites..][..n_sites];
        for edit in self.tables.quantum_numbers().edits(item) {
            let (site, q) = (edit.site as usize, x[edit.site as usize]);
            f(site, f64::from(edit.apply(q)) - f64::from(q));
        }
    }

    /// The units at a connected state.
    fn change(&self, sample: usize, item: u32, units: &mut [N]) {
        units.copy_from_slice(&self.z[sample * self.n_units..][..self.n_units]);
        self.for_each_change(sample, item, |site, by| add(units, &self.w[site * self.n_units..], by));
    }
}

/// What units hold on the host.
trait Number: Element<Real = f64> + Mul<f64, Output = Self> {
    const N_PARTS: usize;

    /// Replaces values by their functions.
    fn apply(unit: Unit, values: &mut [Self]);

    /// Replaces values by the derivatives of their functions.
    fn slopes(unit: Unit, values: &mut [Self]);
}

impl Number for f64 {
    const N_PARTS: usize = 1;

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

impl Number for Complex64 {
    const N_PARTS: usize = 2;

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

fn numbers<N: Number>(tensor: &ComplexTensor) -> Result<Vec<N>> {
    Ok(tensor.to_host()?.into_iter().map(N::from_complex).collect())
}

fn stacked<N: Number>(values: &[N]) -> Vec<f64> {
    let values: Vec<Complex64> = values.iter().map(|value| value.to_complex()).collect();
    stacked_numbers(&values, N::N_PARTS).collect()
}
