use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2};
use operator_core::kernel::Engine;
use operator_core::{
    Backend, ConnBatch, Definition, DiscreteOperator, Element, Error, HilbertSpace, PaddedConn, Parameters,
    Result,
};

use crate::complex::ComplexTensor;
use crate::custom::{self, PaddedKernel};
use crate::differentiable::Differentiable;
use crate::ops::{self, Batch, Part};
use crate::{Padded, failed, real_dtype};

/// Connected elements of a batch as tensors.
#[derive(Clone, Debug)]
pub struct ConnTensors {
    /// Connected configurations, shape `(batch, max_conn_size, n_sites)`, in the dtype of the samples.
    pub states: Tensor,
    /// Matrix elements, shape `(batch, max_conn_size)`, f32 or f64; 0 in unused slots.
    pub mels: ComplexTensor,
}

/// What every operator of the padded backend can do with tensors.
pub trait TensorConn: DiscreteOperator<Backend = Padded> {
    /// Connected elements of a batch of quantum numbers, shape `(batch, n_sites)` of any dtype.
    ///
    /// Unused slots hold the sample itself with element 0, after the used ones. If the operator's parameters
    /// are a tensor ([`PaddedOperator::with_parameter_tensor`]), gradients flow from the elements into it.
    ///
    /// # Errors
    /// As [`DiscreteOperator::get_conn_flattened_into`].
    fn conn(&self, x: &Tensor) -> Result<ConnTensors>;

    /// Number of connected x' ≠ x of each sample, shape `(batch,)`, u32.
    ///
    /// # Errors
    /// As [`conn`](Self::conn).
    fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor>;

    /// The k-th connected x' ≠ x of each sample, in the operator's order, shape `(batch, n_sites)`; `k` is
    /// `(batch,)`, u32. Beyond the last it is the sample itself.
    ///
    /// # Errors
    /// As [`conn`](Self::conn); [`Error::Count`] unless there is one number a sample.
    fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor>;

    /// Where the operator runs.
    fn device(&self) -> &Device;
}

/// An operator on the padded backend, with matrix elements of type `T`.
///
/// Cheap to clone. Made from a model by [`Model::lower`](operator_core::Model::lower), or from a third
/// party's kernel by [`custom`](Self::custom).
#[derive(Clone, Debug)]
pub struct PaddedOperator<T: Element = f64> {
    device: Device,
    kind: Kind<T>,
}

#[derive(Clone, Debug)]
enum Kind<T> {
    Terms { definition: Definition, engine: Engine<T>, tensor: Option<ParameterTensor> },
    Custom { kernel: Arc<dyn PaddedKernel<T>>, hermitian: bool },
}

/// Parameters as a tensor, and the map from them to matrix elements.
#[derive(Clone, Debug)]
struct ParameterTensor {
    parameters: Tensor,
    differentiable: Differentiable,
}

impl<T: Element> PaddedOperator<T> {
    /// Lowers a definition to a device.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if `T` is real and the operator is not.
    pub fn new(definition: Definition, device: &Device) -> Result<Self> {
        let engine = definition.engine()?;
        Ok(PaddedOperator { device: device.clone(), kind: Kind::Terms { definition, engine, tensor: None } })
    }

    /// An operator on the CPU from a kernel written elsewhere.
    ///
    /// # Errors
    /// [`Error::Custom`] if the kernel gives wrong shapes or leaves its space on the states it is tried on.
    pub fn custom(kernel: impl PaddedKernel<T> + 'static) -> Result<Self> {
        Self::custom_on(kernel, &Device::Cpu)
    }

    /// An operator on a device from a kernel written elsewhere.
    ///
    /// # Errors
    /// As [`custom`](Self::custom).
    pub fn custom_on(kernel: impl PaddedKernel<T> + 'static, device: &Device) -> Result<Self> {
        let hermitian = match kernel.is_hermitian() {
            Some(known) => known,
            None => custom::probe_hermitian(&kernel, device)?,
        };
        Ok(PaddedOperator {
            device: device.clone(),
            kind: Kind::Custom { kernel: Arc::new(kernel), hermitian },
        })
    }

    /// The same operator with other values of its parameters; nothing is lowered again.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; otherwise see
    /// [`Structure::pack`](operator_core::Structure::pack).
    pub fn with_parameters(&self, parameters: Parameters) -> Result<Self> {
        let (_, structure) = self.unpack()?;
        Self::new(structure.pack(parameters)?, &self.device)
    }

    /// The same operator with its parameters in a tensor, shape `(n_values,)` in the order of
    /// [`Parameters::to_vec`]. If the tensor is a variable, matrix elements can be differentiated in it.
    ///
    /// The values are read now: attach a variable again after it was set. Slots that happen to hold 0 have
    /// their derivatives too, so the tensors of [`conn`](TensorConn::conn) count them among the used ones.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; [`Error::Count`] if the number of values differs;
    /// [`Error::NotFinite`].
    pub fn with_parameter_tensor(&self, parameters: &Tensor) -> Result<Self> {
        let (known, structure) = self.unpack()?;
        let host = parameters.flatten_all().and_then(|p| p.to_dtype(DType::F64)?.to_vec1::<f64>());
        let definition = structure.pack(known.with_values(&host.map_err(failed)?)?)?;
        let differentiable =
            Differentiable::new(&definition, real_dtype::<T>(), parameters.device()).map_err(failed)?;
        let tensor = ParameterTensor { parameters: parameters.clone(), differentiable };
        let engine = definition.engine()?;
        let kind = Kind::Terms { definition, engine, tensor: Some(tensor) };
        Ok(PaddedOperator { device: self.device.clone(), kind })
    }

    /// The tensor of parameters, if one is attached.
    pub fn parameter_tensor(&self) -> Option<&Tensor> {
        match &self.kind {
            Kind::Terms { tensor: Some(tensor), .. } => Some(&tensor.parameters),
            _ => None,
        }
    }

    /// Brings a batch to the host and checks it.
    fn host(&self, x: &Tensor) -> Result<Vec<i8>> {
        let (shape, rows) = ops::host_rows(x).map_err(failed)?;
        let view = ArrayView2::from_shape(shape, &rows).map_err(|error| Error::backend("padded", error))?;
        self.hilbert().check(view)?;
        Ok(rows)
    }

    fn batch<'a>(&self, engine: &'a Engine<T>, rows: &'a [i8]) -> Batch<'a, T> {
        Batch { engine, rows, n_sites: self.hilbert().n_sites() }
    }

    /// Elements with the present values, in tensors without gradients.
    fn plain_conn(&self, engine: &Engine<T>, rows: &[i8], dtype: DType) -> Result<ConnTensors> {
        let batch = self.batch(engine, rows);
        let part = |part| ops::mels(&batch, part, real_dtype::<T>(), &self.device).map_err(failed);
        let im = if T::IS_COMPLEX { Some(part(Part::Im)?) } else { None };
        let mels = ComplexTensor { re: part(Part::Re)?, im };
        Ok(ConnTensors { states: ops::states(&batch, dtype, &self.device).map_err(failed)?, mels })
    }

    /// Padded elements of a custom kernel on the host: states `(batch · width, n_sites)`, elements
    /// `(batch · width,)`.
    fn custom_conn(
        &self,
        kernel: &dyn PaddedKernel<T>,
        x: ArrayView2<'_, i8>,
    ) -> Result<(Array2<i8>, Array1<T>)> {
        self.hilbert().check(x)?;
        let x = Padded::from_host(x, &self.device)?;
        let (states, mels) = custom::host_conn(kernel, &kernel.connect(&x).map_err(failed)?)?;
        self.hilbert().check(states.view()).map_err(|error| Error::Custom {
            operator: self.describe(),
            reason: format!("it leaves its space ({error})"),
        })?;
        Ok((states, mels))
    }

    /// For each sample, the first slot of each x' ≠ x of a custom kernel whose elements add up to non-zero.
    fn custom_off_diagonal(
        &self,
        kernel: &dyn PaddedKernel<T>,
        x: ArrayView2<'_, i8>,
    ) -> Result<(Array2<i8>, Vec<Vec<usize>>)> {
        let (states, mels) = self.custom_conn(kernel, x)?;
        let width = kernel.max_conn_size();
        let off_diagonal = |(b, row): (usize, ArrayView1<'_, i8>)| {
            let mut places: HashMap<ArrayView1<'_, i8>, usize> = HashMap::new();
            let mut distinct: Vec<(usize, T, f64)> = Vec::new();
            for k in (b * width..(b + 1) * width).filter(|&k| !mels[k].is_zero() && states.row(k) != row) {
                let place = *places.entry(states.row(k)).or_insert(distinct.len());
                let size = mels[k].to_complex().norm();
                match distinct.get_mut(place) {
                    Some((_, sum, total)) => {
                        *sum += mels[k];
                        *total += size;
                    }
                    None => distinct.push((k, mels[k], size)),
                }
            }
            distinct.into_iter().filter(|(_, sum, size)| !sum.cancels(*size)).map(|(k, ..)| k).collect()
        };
        let slots = x.rows().into_iter().enumerate().map(off_diagonal).collect();
        Ok((states, slots))
    }
}

impl<T: Element> TensorConn for PaddedOperator<T> {
    fn conn(&self, x: &Tensor) -> Result<ConnTensors> {
        let rows = self.host(x)?;
        match &self.kind {
            Kind::Terms { tensor: Some(ParameterTensor { parameters, differentiable }), .. } => {
                differentiable.conn(&rows, parameters, x.dtype(), &self.device).map_err(failed)
            }
            Kind::Terms { engine, tensor: None, .. } => self.plain_conn(engine, &rows, x.dtype()),
            Kind::Custom { kernel, .. } => kernel.connect(x).map_err(failed),
        }
    }

    fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor> {
        let rows = self.host(x)?;
        match &self.kind {
            Kind::Terms { engine, .. } => {
                ops::n_off_diagonal(&self.batch(engine, &rows), &self.device).map_err(failed)
            }
            Kind::Custom { kernel, .. } => {
                let (_, slots) = self.custom_off_diagonal(kernel.as_ref(), Padded::to_host(x)?.view())?;
                let counts: Vec<u32> = slots.iter().map(|slots| slots.len() as u32).collect();
                let n = counts.len();
                Tensor::from_vec(counts, n, &self.device).map_err(failed)
            }
        }
    }

    fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor> {
        let rows = self.host(x)?;
        let numbers = k.to_dtype(DType::U32).and_then(|k| k.to_vec1::<u32>()).map_err(failed)?;
        let n_samples = rows.len() / self.hilbert().n_sites();
        if numbers.len() != n_samples {
            let expected = format!("{n_samples}, one a sample");
            return Err(Error::Count { what: "numbers of states".into(), got: numbers.len(), expected });
        }
        match &self.kind {
            Kind::Terms { engine, .. } => {
                let batch = self.batch(engine, &rows);
                ops::select_off_diagonal(&batch, &numbers, x.dtype(), &self.device).map_err(failed)
            }
            Kind::Custom { kernel, .. } => {
                let mut out = Padded::to_host(x)?;
                let (states, slots) = self.custom_off_diagonal(kernel.as_ref(), out.view())?;
                for (b, (slots, &number)) in slots.iter().zip(&numbers).enumerate() {
                    if let Some(&slot) = slots.get(number as usize) {
                        out.row_mut(b).assign(&states.row(slot));
                    }
                }
                let chosen = Padded::from_host(out.view(), &self.device)?;
                chosen.to_dtype(x.dtype()).map_err(failed)
            }
        }
    }

    fn device(&self) -> &Device {
        &self.device
    }
}

impl<T: Element> DiscreteOperator for PaddedOperator<T> {
    type Backend = Padded;
    type Element = T;

    fn hilbert(&self) -> &HilbertSpace {
        match &self.kind {
            Kind::Terms { definition, .. } => definition.hilbert(),
            Kind::Custom { kernel, .. } => kernel.hilbert(),
        }
    }

    fn max_conn_size(&self) -> usize {
        match &self.kind {
            Kind::Terms { definition, .. } => definition.max_conn_size(),
            Kind::Custom { kernel, .. } => kernel.max_conn_size(),
        }
    }

    fn is_hermitian(&self) -> bool {
        match &self.kind {
            Kind::Terms { definition, .. } => definition.is_hermitian(),
            Kind::Custom { hermitian, .. } => *hermitian,
        }
    }

    fn definition(&self) -> Option<&Definition> {
        match &self.kind {
            Kind::Terms { definition, .. } => Some(definition),
            Kind::Custom { .. } => None,
        }
    }

    fn describe(&self) -> String {
        match &self.kind {
            Kind::Terms { definition, .. } => definition.to_string(),
            Kind::Custom { kernel, .. } => format!("{kernel:?}"),
        }
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<T>) -> Result<()> {
        *conn = self.get_conn_padded(x)?.to_flattened();
        Ok(())
    }

    fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<T>> {
        let (n_samples, n_sites) = x.dim();
        let width = self.max_conn_size();
        let (states, mels) = match &self.kind {
            Kind::Terms { engine, .. } => {
                let x = Padded::from_host(x, &self.device)?;
                let conn = self.plain_conn(engine, &self.host(&x)?, x.dtype())?;
                let (_, states) =
                    ops::host_rows(&conn.states.flatten(0, 1).map_err(failed)?).map_err(failed)?;
                let mels = conn.mels.to_host().map_err(failed)?;
                (states, mels.into_iter().map(T::from_complex).collect())
            }
            Kind::Custom { kernel, .. } => {
                let (states, mels) = self.custom_conn(kernel.as_ref(), x)?;
                used_first(x, width, &states, &mels)
            }
        };
        let states = Array3::from_shape_vec((n_samples, width, n_sites), states);
        let mels = Array2::from_shape_vec((n_samples, width), mels);
        match (states, mels) {
            (Ok(states), Ok(mels)) => Ok(PaddedConn { states, mels }),
            (Err(error), _) | (_, Err(error)) => Err(Error::backend("padded", error)),
        }
    }
}

/// A custom kernel's slots with the used ones first and the sample itself in the others.
fn used_first<T: Element>(
    x: ArrayView2<'_, i8>,
    width: usize,
    states: &Array2<i8>,
    mels: &Array1<T>,
) -> (Vec<i8>, Vec<T>) {
    let (mut out_states, mut out_mels) = (Vec::with_capacity(states.len()), Vec::with_capacity(mels.len()));
    for (b, row) in x.rows().into_iter().enumerate() {
        let used = (b * width..(b + 1) * width).filter(|&k| !mels[k].is_zero());
        for k in used {
            out_states.extend(states.row(k));
            out_mels.push(mels[k]);
        }
        while out_mels.len() < (b + 1) * width {
            out_states.extend(row);
            out_mels.push(T::zero());
        }
    }
    (out_states, out_mels)
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
            (Kind::Terms { definition: a, .. }, Kind::Terms { definition: b, .. }) => a == b,
            (Kind::Custom { kernel: a, .. }, Kind::Custom { kernel: b, .. }) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}
