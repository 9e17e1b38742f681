//! A first linear layer at connected states, which is changed at a few sites: no states are stored.

use std::ops::Mul;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp2, DType, Device, Layout, Result, Shape, Tensor, bail};
use num_complex::Complex64;
use operator_core::Element;
use rayon::prelude::*;

use crate::compact::{ChangeTables, CompactStates, Samples};
use crate::complex::{ComplexTensor, stacked_numbers};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::memory::with_numbers;
use crate::rows::Rows;

/// `z[b, m] + Σ_i (x'_i − x_i) w[i, m]` for each connected state x' of each sample b, shape `(batch · width, n_units)`, in the
/// type of `z`. `z` is `(batch, n_units)`, `w` is `(n_sites, n_units)`. Gradients flow into both.
///
/// # Errors
/// For other shapes, or if the device fails.
pub(crate) fn changed_layer(
    states: &CompactStates,
    z: &ComplexTensor,
    w: &ComplexTensor,
) -> Result<ComplexTensor> {
    let layer = ChangedLayer::new(states, z, w)?;
    if layer.n_units_of_slots() == 0 {
        let zeros = Tensor::zeros(layer.dims(), z.dtype(), states.items().device())?;
        return ComplexTensor::new(zeros.clone(), layer.is_complex().then_some(zeros));
    }
    let (z, w) = (layer.z.stacked()?, layer.w.stacked()?);
    ComplexTensor::from_stacked(&z.apply_op2(&w, layer.detached())?)
}

/// The layer at samples, `z`, its weights `w`, and the states. Both have imaginary parts if one has. As an operation on
/// stacked parts, it holds the parts, so that kernels read them where they are.
#[derive(Clone)]
pub(crate) struct ChangedLayer {
    pub(crate) states: CompactStates,
    pub(crate) z: ComplexTensor,
    pub(crate) w: ComplexTensor,
}

impl ChangedLayer {
    /// # Errors
    /// For other shapes than [`changed_layer`] takes.
    pub(super) fn new(states: &CompactStates, z: &ComplexTensor, w: &ComplexTensor) -> Result<Self> {
        let [batch, _, n_sites] = states.shape();
        match (z.dims(), w.dims()) {
            (&[n_rows, n_units], &[sites, units]) if (n_rows, sites, units) == (batch, n_sites, n_units) => {}
            (z, w) => bail!("units of {z:?} and weights of {w:?}; expected [{batch}, m] and [{n_sites}, m]"),
        }
        let (device, dtype) = (states.items().device(), z.dtype());
        let is_complex = z.im().is_some() || w.im().is_some();
        let whole = |tensor: &ComplexTensor| -> Result<ComplexTensor> {
            let tensor = tensor.map(|part| part.to_dtype(dtype)?.to_device(device)?.contiguous())?;
            match tensor.im() {
                None if is_complex => ComplexTensor::new(tensor.re().clone(), tensor.re().zeros_like()?),
                _ => Ok(tensor),
            }
        };
        Ok(ChangedLayer { states: states.clone(), z: whole(z)?, w: whole(w)? })
    }

    /// Without the gradients' graph.
    pub(super) fn detached(self) -> Self {
        ChangedLayer { z: self.z.detach(), w: self.w.detach(), states: self.states }
    }

    pub(crate) fn is_complex(&self) -> bool {
        self.w.im().is_some()
    }

    pub(crate) fn n_units(&self) -> usize {
        self.w.dims()[1]
    }

    /// Slots of all samples, and units.
    pub(crate) fn dims(&self) -> (usize, usize) {
        let [batch, width, _] = self.states.shape();
        (batch * width, self.n_units())
    }

    /// Units of all slots.
    pub(super) fn n_units_of_slots(&self) -> usize {
        self.dims().0 * self.n_units()
    }

    pub(super) fn on_host<N: Number>(&self) -> Result<LayerOnHost<'_, N>> {
        match &self.states.samples {
            Samples::Host { tables, rows } => Ok(LayerOnHost {
                tables,
                rows,
                n_units: self.n_units(),
                z: N::of(&self.z)?,
                w: N::of(&self.w)?,
            }),
            #[cfg(feature = "cuda")]
            Samples::Cuda(_) => bail!("the samples are on a CUDA device, the layer on the host"),
        }
    }

    /// Samples go over all threads. Stacked parts.
    fn units_on_host<N: Number>(&self) -> Result<(CpuStorage, Shape)> {
        let layer = self.on_host::<N>()?;
        let ([batch, width, _], n_units) = (self.states.shape(), self.n_units());
        let mut units = vec![N::zero(); batch * width * n_units];
        with_numbers(&self.states.items().contiguous()?, |items: &[u32]| {
            let slots = units.par_chunks_exact_mut(n_units).zip(items.par_iter()).enumerate();
            slots.for_each(|(slot, (units, &item))| layer.change(slot / width, item, units));
        })?;
        let units = CpuStorage::F64(N::stack(units));
        let shape = Shape::from((N::N_PARTS, batch * width, n_units));
        match self.z.dtype() {
            DType::F64 => Ok((units, shape)),
            dtype => Ok((units.to_dtype(&Layout::contiguous(&shape), dtype)?, shape)),
        }
    }

    fn gradients_on_host<N: Number>(&self, gradient: &Tensor) -> Result<[Option<Tensor>; 2]> {
        let (layer, n_units) = (self.on_host::<N>()?, self.n_units());
        let gradient = N::of(&ComplexTensor::from_stacked(gradient)?)?;
        layer.gradients(self, |_, slot, _, units| {
            units.copy_from_slice(&gradient[slot * n_units..][..n_units]);
            units.iter().any(|gradient| !gradient.is_zero())
        })
    }
}

impl CustomOp2 for ChangedLayer {
    fn name(&self) -> &'static str {
        "changed-layer"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        if self.is_complex() { self.units_on_host::<Complex64>() } else { self.units_on_host::<f64>() }
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        _: &candle_core::CudaStorage,
        _: &Layout,
        _: &candle_core::CudaStorage,
        _: &Layout,
    ) -> Result<(candle_core::CudaStorage, Shape)> {
        cuda::changed_layer(self)
    }

    fn bwd(
        &self,
        z: &Tensor,
        w: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        #[cfg(feature = "cuda")]
        if let Samples::Cuda(_) = self.states.samples {
            let wanted = [z, w].map(Tensor::track_op);
            return wanted_gradients([z, w], cuda::gradients_of_changed_layer(self, gradient, wanted)?);
        }
        let gradients = if self.is_complex() {
            self.gradients_on_host::<Complex64>(gradient)?
        } else {
            self.gradients_on_host::<f64>(gradient)?
        };
        wanted_gradients([z, w], gradients)
    }
}

/// Those of arguments that lead to variables, in their types.
pub(super) fn wanted_gradients(
    arguments: [&Tensor; 2],
    gradients: [Option<Tensor>; 2],
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let [of_z, of_w] = gradients;
    let of = |gradient: Option<Tensor>, of: &Tensor| {
        gradient.filter(|_| of.track_op()).map(|gradient| gradient.to_dtype(of.dtype())).transpose()
    };
    Ok((of(of_z, arguments[0])?, of(of_w, arguments[1])?))
}

/// Gradients in weights are added up in this many parts, so that rounding does not depend on threads.
const PARTIAL_SUMS: usize = 16;

/// The units of samples on the host, and what changes of sites add to them.
pub(super) struct LayerOnHost<'a, N> {
    tables: &'a ChangeTables,
    rows: &'a Rows,
    pub(super) n_units: usize,
    z: Vec<N>,
    w: Vec<N>,
}

impl<N: Number> LayerOnHost<'_, N> {
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
    pub(super) fn change(&self, sample: usize, item: u32, units: &mut [N]) {
        units.copy_from_slice(&self.z[sample * self.n_units..][..self.n_units]);
        self.for_each_change(sample, item, |site, by| add(units, &self.w[site * self.n_units..], by));
    }

    /// The gradients in `z` and `w`, stacked, in f64. `at(sample, slot, item, units)` writes those in the units at a state
    /// and returns false if there are none.
    pub(super) fn gradients(
        &self,
        of: &ChangedLayer,
        at: impl Fn(usize, usize, u32, &mut [N]) -> bool + Sync,
    ) -> Result<[Option<Tensor>; 2]> {
        let ([batch, width, n_sites], n_units) = (of.states.shape(), self.n_units);
        let (mut of_z, run) = (vec![N::zero(); batch * n_units], batch.div_ceil(PARTIAL_SUMS));
        let parts: Vec<Vec<N>> = with_numbers(&of.states.items().contiguous()?, |items: &[u32]| {
            let runs = of_z.par_chunks_mut(run * n_units).enumerate();
            let of_run = |(k, of_z): (usize, &mut [N])| {
                let (mut of_w, mut units) = (vec![N::zero(); n_sites * n_units], vec![N::zero(); n_units]);
                for (sample, of_z) in (k * run..).zip(of_z.chunks_exact_mut(n_units)) {
                    let first = sample * width;
                    for (slot, &item) in (first..).zip(&items[first..][..width]) {
                        if at(sample, slot, item, &mut units) {
                            add(of_z, &units, 1.0);
                            self.for_each_change(sample, item, |site, by| {
                                add(&mut of_w[site * n_units..][..n_units], &units, by);
                            });
                        }
                    }
                }
                of_w
            };
            runs.map(of_run).collect()
        })?;
        let mut of_w = vec![N::zero(); n_sites * n_units];
        parts.iter().for_each(|part| add(&mut of_w, part, 1.0));
        let tensor = |values: Vec<N>, n: usize| {
            Tensor::from_vec(N::stack(values), (N::N_PARTS, n, n_units), &Device::Cpu)
        };
        Ok([Some(tensor(of_z, batch)?), Some(tensor(of_w, n_sites)?)])
    }
}

/// Adds a multiple.
fn add<N: Number>(to: &mut [N], values: &[N], by: f64) {
    to.iter_mut().zip(values).for_each(|(to, &value)| *to += value * by);
}

/// What units hold on the host.
pub(super) trait Number: Element<Real = f64> + Mul<f64, Output = Self> {
    const N_PARTS: usize;

    /// The numbers of a tensor on the CPU.
    fn of(tensor: &ComplexTensor) -> Result<Vec<Self>>;

    /// All real parts, then all imaginary ones.
    fn stack(values: Vec<Self>) -> Vec<f64>;
}

impl Number for f64 {
    const N_PARTS: usize = 1;

    fn of(tensor: &ComplexTensor) -> Result<Vec<f64>> {
        tensor.re().to_dtype(DType::F64)?.flatten_all()?.to_vec1()
    }

    fn stack(values: Vec<f64>) -> Vec<f64> {
        values
    }
}

impl Number for Complex64 {
    const N_PARTS: usize = 2;

    fn of(tensor: &ComplexTensor) -> Result<Vec<Complex64>> {
        tensor.to_host()
    }

    fn stack(values: Vec<Complex64>) -> Vec<f64> {
        stacked_numbers(&values, Self::N_PARTS).collect()
    }
}
