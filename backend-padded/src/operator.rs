//! The operators of this backend.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Tensor};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use operator_core::kernel::Engine;
use operator_core::parallel::BatchEngine;
use operator_core::{
    Backend, ConnBatch, Definition, DiscreteOperator, Element, Error, HilbertSpace, Lower, MergedRow,
    Parameters, Result, expect_padded_fits, ranked_conn,
};

use crate::backend::Padded;
use crate::compact::ChangeTables;
#[cfg(feature = "cuda")]
use crate::complex::ComplexTensor;
use crate::complex::real_dtype;
use crate::conn::{ConnTensors, Padding, TensorConn};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::custom::{self, PaddedKernel};
use crate::differentiable::Differentiable;
use crate::error::failed;
use crate::ops;
use crate::origins::Origins;
use crate::rows::{self, Rows};

/// An operator on the padded backend, with matrix elements of type `T`.
///
/// [`Model::lower`](operator_core::Model::lower) makes it from a model, [`custom`](Self::custom) from a kernel
/// of your own. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct PaddedOperator<T: Element = f64> {
    device: Device,
    padding: Padding,
    kind: Kind<T>,
}

#[derive(Clone, Debug)]
enum Kind<T: Element> {
    Terms(Terms<T>),
    /// The kernel's bound is read once, and everything that it returns is checked against it.
    Custom {
        kernel: Arc<dyn PaddedKernel<T>>,
        max_conn_size: usize,
        hermitian: bool,
    },
}

#[derive(Clone, Debug)]
struct Terms<T> {
    definition: Definition,
    engine: BatchEngine<T>,
    /// Made for the first block.
    changes: OnceLock<Arc<ChangeTables>>,
    /// The tables for derivatives of the elements. They do not depend on the values of the parameters, so
    /// operators that differ only in these share them.
    differentiable: Arc<OnceLock<Differentiable>>,
    /// The parameters, if gradients flow into them.
    tensor: Option<Tensor>,
    #[cfg(feature = "cuda")]
    on_device: cuda::OnDevice,
}

impl<T: Element> PaddedOperator<T> {
    /// Lowers a definition to a device.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if `T` is real and the operator is not.
    pub fn new(definition: Definition, device: &Device) -> Result<Self> {
        let terms = Terms {
            engine: BatchEngine::new(definition.engine()?),
            definition,
            changes: OnceLock::new(),
            differentiable: Arc::default(),
            tensor: None,
            #[cfg(feature = "cuda")]
            on_device: cuda::OnDevice::default(),
        };
        Ok(PaddedOperator { device: device.clone(), padding: Padding::Static, kind: Kind::Terms(terms) })
    }

    /// The same operator with other values of its parameters, which shares what does not depend on them.
    fn with_values(&self, terms: &Terms<T>, parameters: Parameters, tensor: Option<Tensor>) -> Result<Self> {
        let definition = terms.definition.with_parameters(parameters)?;
        let terms = Terms {
            engine: BatchEngine::new(definition.engine()?),
            definition,
            changes: OnceLock::new(),
            differentiable: terms.differentiable.clone(),
            tensor,
            #[cfg(feature = "cuda")]
            on_device: terms.on_device.with_other_values(),
        };
        Ok(PaddedOperator { device: self.device.clone(), padding: self.padding, kind: Kind::Terms(terms) })
    }

    /// The terms, which a custom kernel does not have.
    fn terms(&self, action: &'static str) -> Result<&Terms<T>> {
        match &self.kind {
            Kind::Terms(terms) => Ok(terms),
            Kind::Custom { .. } => Err(Error::NoDefinition { operator: self.describe(), action }),
        }
    }

    /// An operator on the CPU from a kernel of your own.
    ///
    /// # Errors
    /// [`Error::Custom`] if the kernel gives wrong shapes or leaves its space on the states it is tried on.
    pub fn custom(kernel: impl PaddedKernel<T> + 'static) -> Result<Self> {
        Self::custom_on(kernel, &Device::Cpu)
    }

    /// An operator on a device from a kernel of your own.
    ///
    /// # Errors
    /// As [`custom`](Self::custom).
    pub fn custom_on(kernel: impl PaddedKernel<T> + 'static, device: &Device) -> Result<Self> {
        let hermitian = match kernel.is_hermitian() {
            Some(known) => known,
            None => custom::is_hermitian(&kernel, device)?,
        };
        let max_conn_size = kernel.max_conn_size();
        let kind = Kind::Custom { kernel: Arc::new(kernel), max_conn_size, hermitian };
        Ok(PaddedOperator { device: device.clone(), padding: Padding::Static, kind })
    }

    /// The same operator with another number of slots a sample. A custom kernel and an operator with a parameter tensor
    /// have [`max_conn_size`](DiscreteOperator::max_conn_size) slots whatever is chosen here.
    #[must_use]
    pub fn with_padding(self, padding: Padding) -> Self {
        PaddedOperator { padding, ..self }
    }

    /// The same operator with other values of its parameters; nothing is lowered again.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; otherwise see
    /// [`Structure::pack`](operator_core::Structure::pack).
    pub fn with_parameters(&self, parameters: Parameters) -> Result<Self> {
        self.with_values(self.terms("take other parameters")?, parameters, None)
    }

    /// The same operator with its parameters in a tensor, shape `(n_values,)` in the order of
    /// [`Parameters::to_vec`]. If the tensor is a variable, matrix elements can be differentiated in it.
    ///
    /// The values are read in this call; attach a variable again after setting it. A slot whose element is 0
    /// at the present values can still have a derivative, so [`conn`](TensorConn::conn) counts it as used.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; [`Error::Count`] if the number of values differs;
    /// [`Error::NotFinite`]; [`Error::Backend`] for a tensor of another number of dimensions.
    pub fn with_parameter_tensor(&self, parameters: &Tensor) -> Result<Self> {
        let terms = self.terms("take other parameters")?;
        let host = parameters.to_dtype(DType::F64).and_then(|p| p.to_vec1::<f64>()).map_err(failed)?;
        let values = terms.definition.parameters().with_values(&host)?;
        self.with_values(terms, values, Some(parameters.clone()))
    }

    /// The tensor of parameters, if one is attached.
    pub fn parameter_tensor(&self) -> Option<&Tensor> {
        match &self.kind {
            Kind::Terms(terms) => terms.tensor.as_ref(),
            Kind::Custom { .. } => None,
        }
    }

    /// Where the operator's tensors are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The elements of a block, in the tensors of an earlier one if they fit. Whether samples on a device are states of
    /// the space is for the caller to read.
    fn conn_after(&self, x: &Tensor, earlier: Option<ConnTensors>) -> Result<ConnTensors> {
        let bytes = size_of::<u32>() + size_of::<T>();
        expect_padded_fits(Padded::batch_len(x), self.max_conn_size(), bytes as f64)?;
        #[cfg(feature = "cuda")]
        if let Some((values, samples)) = self.cuda(x)?.filter(|_| self.parameter_tensor().is_none()) {
            let (states, mels) =
                samples.connect(values, self.padding, self.max_conn_size()).map_err(failed)?;
            return Ok(ConnTensors::compact(states, mels));
        }
        match &self.kind {
            Kind::Terms(Terms { tensor: Some(parameters), .. }) => {
                let differentiable = self.differentiable()?;
                let states = differentiable.states(x)?;
                let mels = differentiable.mels(&states, parameters).map_err(failed)?;
                Ok(ConnTensors::compact(states, mels))
            }
            Kind::Terms(Terms { definition, engine, changes, tensor: None, .. }) => {
                let samples = self.rows(x)?;
                let tables = changes.get_or_init(|| {
                    Arc::new(ChangeTables::new(definition.hilbert(), engine.engine().changes()))
                });
                let earlier = earlier.and_then(ConnTensors::into_compact);
                ops::connect(engine, tables, samples, self.padding, &self.device, earlier)
                    .map(|(states, mels)| ConnTensors::compact(states, mels))
                    .map_err(failed)
            }
            Kind::Custom { kernel, .. } => {
                self.rows(x)?;
                custom::connect(kernel.as_ref(), self.max_conn_size(), &self.on_device(x)?)
            }
        }
    }

    /// The values of the slots and a batch on a CUDA device, if that is where the operator's kernels run.
    #[cfg(feature = "cuda")]
    fn cuda(&self, x: &Tensor) -> Result<Option<(&ComplexTensor, cuda::Samples)>> {
        match &self.kind {
            Kind::Terms(terms) if self.device.is_cuda() => {
                let (arrays, values) =
                    terms.on_device.get(terms.engine.engine(), &self.device).map_err(failed)?;
                Ok(Some((values, cuda::Samples::new(arrays, self.hilbert(), x)?)))
            }
            _ => Ok(None),
        }
    }

    /// A batch on the host, checked.
    fn rows(&self, x: &Tensor) -> Result<Rows> {
        Rows::from_tensor(self.hilbert(), x)
    }

    /// A batch where the operator is.
    fn on_device(&self, x: &Tensor) -> Result<Tensor> {
        x.to_device(&self.device).map_err(failed)
    }

    /// Padded elements of a custom kernel on the host, for a checked batch: states `(batch · width,
    /// n_sites)` and elements `(batch · width,)`.
    fn custom_conn(&self, kernel: &dyn PaddedKernel<T>, x: &Tensor) -> Result<(Array2<i8>, Array1<T>)> {
        custom::host_conn(kernel, self.max_conn_size(), x)
    }

    /// A number of states of one sample, as tensors hold it.
    fn count(&self, n: usize) -> Result<u32> {
        u32::try_from(n).map_err(|_| Error::Custom {
            operator: self.describe(),
            reason: format!("{n} states are connected to one sample; at most {} can be counted", u32::MAX),
        })
    }

    /// Calls `f` with the x' ≠ x of each sample of a custom kernel.
    fn for_each_off_diagonal(
        &self,
        kernel: &dyn PaddedKernel<T>,
        x: &Tensor,
        rows: &Rows,
        mut f: impl FnMut(usize, &MergedRow<T>) -> Result<()>,
    ) -> Result<()> {
        let (states, mels) = self.custom_conn(kernel, &self.on_device(x)?)?;
        let (width, mut merged) = (self.max_conn_size(), MergedRow::new());
        for (b, x) in rows.iter().enumerate() {
            merged.start(x);
            for k in (b * width..(b + 1) * width).filter(|&k| !mels[k].is_zero()) {
                let state = custom::contiguous(&states, k);
                if state != x {
                    merged.add(state, mels[k]);
                }
            }
            f(b, &merged)?;
        }
        Ok(())
    }
}

impl<T: Element> TensorConn for PaddedOperator<T> {
    fn conn(&self, x: &Tensor) -> Result<ConnTensors> {
        let conn = self.conn_after(x, None)?;
        rows::expect_states(self.hilbert(), x, conn.status())?;
        Ok(conn)
    }

    fn conn_into(&self, x: &Tensor, conn: &mut ConnTensors) -> Result<()> {
        let found = self.conn_after(x, Some(conn.clone()))?;
        rows::expect_states(self.hilbert(), x, found.status())?;
        *conn = found;
        Ok(())
    }

    fn conn_unchecked(&self, x: &Tensor) -> Result<ConnTensors> {
        self.conn_after(x, None)
    }

    fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if let Some((values, samples)) = self.cuda(x)? {
            let counts = samples.n_off_diagonal(values).map_err(failed)?;
            rows::expect_states(self.hilbert(), x, Some(samples.status()))?;
            return Ok(counts);
        }
        let rows = self.rows(x)?;
        match &self.kind {
            Kind::Terms(terms) => {
                ops::n_off_diagonal(terms.engine.engine(), &rows, &self.device).map_err(failed)
            }
            Kind::Custom { kernel, .. } => {
                let mut counts = Vec::with_capacity(rows.n_samples());
                self.for_each_off_diagonal(kernel.as_ref(), x, &rows, |_, connected| {
                    counts.push(self.count(connected.kept().count())?);
                    Ok(())
                })?;
                Tensor::from_vec(counts, rows.n_samples(), &self.device).map_err(failed)
            }
        }
    }

    fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor> {
        let expect_one_a_sample = |got: usize| {
            let n_samples = Padded::batch_len(x);
            let expected = format!("{n_samples}, one a sample");
            let what = "numbers of states".into();
            if got == n_samples { Ok(()) } else { Err(Error::Count { what, got, expected }) }
        };
        #[cfg(feature = "cuda")]
        if let Some((values, samples)) = self.cuda(x)? {
            expect_one_a_sample(k.dims1().map_err(failed)?)?;
            let chosen = samples.select_off_diagonal(values, k).map_err(failed)?;
            let chosen = chosen.quantum_numbers(x.dtype()).map_err(failed)?;
            rows::expect_states(self.hilbert(), x, Some(samples.status()))?;
            return Ok(chosen);
        }
        let rows = self.rows(x)?;
        let numbers = k.to_dtype(DType::U32).and_then(|k| k.to_vec1::<u32>()).map_err(failed)?;
        expect_one_a_sample(numbers.len())?;
        match &self.kind {
            Kind::Terms(terms) => {
                let chosen = ops::selected(terms.engine.engine(), &rows, &numbers);
                chosen.to_tensor(x.dtype(), &self.device).map_err(failed)
            }
            Kind::Custom { kernel, .. } => {
                let mut out = rows.view().to_owned();
                self.for_each_off_diagonal(kernel.as_ref(), x, &rows, |b, connected| {
                    if let Some(place) = connected.kept().nth(numbers[b] as usize) {
                        out.row_mut(b).assign(&ArrayView1::from(connected.state(place)));
                    }
                    Ok(())
                })?;
                let chosen = Padded::from_host(out.view(), &self.device)?;
                chosen.to_dtype(x.dtype()).map_err(failed)
            }
        }
    }

    fn origins(&self, x: &Tensor) -> Result<Option<Origins<T>>> {
        #[cfg(feature = "cuda")]
        if let Some((values, samples)) = self.cuda(x)? {
            return Ok(Some(Origins::on_cuda(samples, values)));
        }
        match &self.kind {
            Kind::Terms(terms) => Origins::new(terms.engine.engine(), self.hilbert(), x).map(Some),
            Kind::Custom { .. } => Ok(None),
        }
    }

    fn engine(&self) -> Option<&Engine<T>> {
        match &self.kind {
            Kind::Terms(terms) => Some(terms.engine.engine()),
            Kind::Custom { .. } => None,
        }
    }

    fn parameters_as_tensor(&self) -> Option<&Tensor> {
        self.parameter_tensor()
    }

    fn differentiable(&self) -> Result<&Differentiable> {
        let terms = self.terms("be differentiated in its parameters")?;
        if let Some(made) = terms.differentiable.get() {
            return Ok(made);
        }
        let made = Differentiable::new(&terms.definition, real_dtype::<T>(), &self.device).map_err(failed)?;
        #[cfg(feature = "cuda")]
        let made = made.sharing(&terms.on_device);
        Ok(terms.differentiable.get_or_init(|| made))
    }
}

impl<T: Element> Lower<T> for Padded {
    type Operator = PaddedOperator<T>;

    fn lower(definition: &Definition, device: &Device) -> Result<PaddedOperator<T>> {
        PaddedOperator::new(definition.clone(), device)
    }
}

impl<T: Element> DiscreteOperator for PaddedOperator<T> {
    type Backend = Padded;
    type Element = T;

    fn hilbert(&self) -> &HilbertSpace {
        match &self.kind {
            Kind::Terms(terms) => terms.definition.hilbert(),
            Kind::Custom { kernel, .. } => kernel.hilbert(),
        }
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn max_conn_size(&self) -> usize {
        match &self.kind {
            Kind::Terms(terms) => terms.definition.max_conn_size(),
            Kind::Custom { max_conn_size, .. } => *max_conn_size,
        }
    }

    fn is_hermitian(&self) -> bool {
        match &self.kind {
            Kind::Terms(terms) => terms.definition.is_hermitian(),
            Kind::Custom { hermitian, .. } => *hermitian,
        }
    }

    fn definition(&self) -> Option<&Definition> {
        match &self.kind {
            Kind::Terms(terms) => Some(&terms.definition),
            Kind::Custom { .. } => None,
        }
    }

    fn describe(&self) -> String {
        match &self.kind {
            Kind::Terms(terms) => terms.definition.to_string(),
            Kind::Custom { kernel, .. } => format!("{kernel:?}"),
        }
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<T>) -> Result<()> {
        let rows = Rows::new(self.hilbert(), x)?;
        match &self.kind {
            Kind::Terms(terms) => terms.engine.connect_into(&rows.as_host(), conn),
            Kind::Custom { kernel, .. } => {
                let x = Padded::from_host(x, &self.device)?;
                let (states, mels) = self.custom_conn(kernel.as_ref(), &x)?;
                write_used(rows.n_samples(), &states, &mels, conn)
            }
        }
    }

    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        match &self.kind {
            Kind::Terms(terms) => Ok(terms.engine.n_conn(&self.hilbert().check_rows(x)?).into()),
            Kind::Custom { .. } => Ok(self.get_conn_flattened(x)?.counts().collect()),
        }
    }

    fn get_conn_indices_into(&self, states: Range<usize>, conn: &mut ConnBatch<T, usize>) -> Result<()> {
        match &self.kind {
            Kind::Terms(terms) if self.hilbert().is_two_level() => {
                terms.engine.connect_indices_into(self.hilbert(), states, conn)
            }
            _ => ranked_conn(self, states, conn),
        }
    }
}

/// Fills a buffer with the non-zero elements of a custom kernel, which has equally many slots for each sample.
fn write_used<T: Element>(
    n_samples: usize,
    states: &Array2<i8>,
    mels: &Array1<T>,
    conn: &mut ConnBatch<T>,
) -> Result<()> {
    let n_sites = states.ncols();
    let is_used = |&k: &usize| !mels[k].is_zero();
    let width = mels.len().checked_div(n_samples).unwrap_or(0);
    let slots_of = |b: usize| b * width..(b + 1) * width;
    let counts: Vec<usize> = (0..n_samples).map(|b| slots_of(b).filter(is_used).count()).collect();
    let (out_states, out_mels, _) = conn.reset(n_sites, &counts)?;
    let slots = out_states.chunks_exact_mut(n_sites).zip(out_mels);
    for ((state, mel), k) in slots.zip((0..mels.len()).filter(is_used)) {
        state.iter_mut().zip(states.row(k)).for_each(|(to, &from)| *to = from);
        *mel = mels[k];
    }
    Ok(())
}

impl<T: Element> fmt::Display for PaddedOperator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Equal definitions; custom kernels are equal only to themselves.
impl<T: Element> PartialEq for PaddedOperator<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Terms(a), Kind::Terms(b)) => a.definition == b.definition,
            (Kind::Custom { kernel: a, .. }, Kind::Custom { kernel: b, .. }) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}
