//! Connected elements as functions of the operator's parameters.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use operator_core::Definition;
use operator_core::parallel::BatchEngine;

use crate::compact::{ChangeTables, CompactStates};
use crate::complex::ComplexTensor;
use crate::conn::Padding;
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
    tables: Arc<ChangeTables>,
    slot_values: SlotValues,
    device: Device,
}

impl Differentiable {
    pub(crate) fn new(definition: &Definition, dtype: DType, device: &Device) -> Result<Self> {
        let pattern = definition.pattern();
        Ok(Differentiable {
            tables: Arc::new(ChangeTables::new(definition.hilbert(), pattern.changes())),
            pattern: BatchEngine::new(pattern),
            slot_values: SlotValues::new(definition.forms(), dtype, device)?,
            device: device.clone(),
        })
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

    /// Connected configurations, all that can have an element.
    pub(crate) fn states(&self, samples: Rows) -> Result<CompactStates> {
        Ok(ops::connect(&self.pattern, &self.tables, samples, Padding::Static, &self.device, None)?.0)
    }

    /// Their matrix elements, shape `(batch, max_conn_size)`, for parameters `(n_values,)`, or
    /// `(batch, n_values)` if each sample has its own.
    pub(crate) fn mels(&self, samples: Arc<Rows>, parameters: &Tensor) -> Result<ComplexTensor> {
        self.slot_values.values(parameters)?.map(|values| {
            let values = values.to_device(&Device::Cpu)?;
            ops::mels_of(self.pattern.engine(), samples.clone(), &values)?.to_device(&self.device)
        })
    }
}
