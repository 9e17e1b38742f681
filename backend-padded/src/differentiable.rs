//! Connected elements as functions of the operator's parameters.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use operator_core::parallel::BatchEngine;
use operator_core::{Definition, HilbertSpace};

use crate::compact::{ChangeTables, CompactStates, Samples};
use crate::complex::ComplexTensor;
use crate::conn::Padding;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::error::failed;
use crate::ops;
use crate::rows::Rows;
use crate::values::SlotValues;

/// An operator's connected elements as functions of its parameters, through which gradients flow.
///
/// It holds every element that can be non-zero: one that is 0 at the present parameters can still have a
/// non-zero derivative. The values of the parameters do not enter.
#[derive(Clone, Debug)]
pub struct Differentiable {
    pattern: BatchEngine<f64>,
    hilbert: HilbertSpace,
    tables: Arc<ChangeTables>,
    slot_values: SlotValues,
    device: Device,
    #[cfg(feature = "cuda")]
    on_device: cuda::OnDevice,
}

impl Differentiable {
    pub(crate) fn new(definition: &Definition, dtype: DType, device: &Device) -> Result<Self> {
        let pattern = definition.pattern();
        Ok(Differentiable {
            tables: Arc::new(ChangeTables::new(definition.hilbert(), pattern.changes())),
            pattern: BatchEngine::new(pattern),
            hilbert: definition.hilbert().clone(),
            slot_values: SlotValues::new(definition.forms(), dtype, device)?,
            device: device.clone(),
            #[cfg(feature = "cuda")]
            on_device: cuda::OnDevice::default(),
        })
    }

    /// The same with the arrays that the operator itself has on its device.
    #[cfg(feature = "cuda")]
    pub(crate) fn sharing(self, on_device: &cuda::OnDevice) -> Self {
        Differentiable { on_device: on_device.with_other_values(), ..self }
    }

    /// Number of slots. Elements are sums of slots.
    pub(crate) fn n_slots(&self) -> usize {
        self.slot_values.n_slots()
    }

    /// The precision of the elements.
    pub(crate) fn dtype(&self) -> DType {
        self.slot_values.dtype()
    }

    /// Where the elements are.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Connected configurations of a batch, all that can have an element.
    pub(crate) fn states(&self, x: &Tensor) -> operator_core::Result<CompactStates> {
        #[cfg(feature = "cuda")]
        if self.device.is_cuda() {
            let (arrays, values) = self.on_device.get(self.pattern.engine(), &self.device).map_err(failed)?;
            let samples = cuda::Samples::new(arrays, &self.hilbert, x)?;
            let width = self.pattern.engine().max_conn_size();
            let found = arrays.find(samples.packed(), values, width).map_err(failed)?;
            let (items, counts) = (found.items, found.counts);
            return Ok(CompactStates { samples: Samples::Cuda(samples), items, counts });
        }
        let samples = Rows::from_tensor(&self.hilbert, x)?;
        let connected =
            ops::connect(&self.pattern, &self.tables, samples, Padding::Static, &self.device, None);
        connected.map(|(states, _)| states).map_err(failed)
    }

    /// Their matrix elements, shape `(batch, max_conn_size)`, for parameters `(n_values,)`, or
    /// `(batch, n_values)` if each sample has its own.
    pub(crate) fn mels(&self, states: &CompactStates, parameters: &Tensor) -> Result<ComplexTensor> {
        self.slot_values.values(parameters)?.map(|values| match &states.samples {
            Samples::Host { rows, .. } => {
                let values = values.to_device(&Device::Cpu)?;
                ops::mels_of(self.pattern.engine(), rows.clone(), &values)?.to_device(&self.device)
            }
            #[cfg(feature = "cuda")]
            Samples::Cuda(samples) => cuda::mels_of(samples, &states.items, &states.counts, values),
        })
    }
}
