use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use operator_core::Definition;
use operator_core::kernel::Engine;

use crate::complex::ComplexTensor;
use crate::operator::ConnTensors;
use crate::ops::{self, Batch};
use crate::values::SlotValues;

/// Connected elements as functions of parameters in a tensor, through which gradients flow.
///
/// All elements are there that can be non-zero, so that those which happen to be 0 have their derivatives.
#[derive(Clone, Debug)]
pub(crate) struct Differentiable {
    pattern: Engine<f64>,
    slot_values: Arc<SlotValues>,
    n_sites: usize,
}

impl Differentiable {
    pub(crate) fn new(definition: &Definition, dtype: DType, device: &Device) -> Result<Self> {
        let slot_values = Arc::new(SlotValues::new(definition.forms(), dtype, device)?);
        Ok(Differentiable {
            pattern: definition.pattern(),
            slot_values,
            n_sites: definition.hilbert().n_sites(),
        })
    }

    /// Connected configurations of a checked batch, shape `(batch, max_conn_size, n_sites)`.
    pub(crate) fn states(&self, rows: &[i8], dtype: DType, device: &Device) -> Result<Tensor> {
        ops::states(&Batch { engine: &self.pattern, rows, n_sites: self.n_sites }, dtype, device)
    }

    /// Their matrix elements, shape `(batch, max_conn_size)`, for parameters `(n_values,)`, or
    /// `(batch, n_values)` where each sample has its own.
    pub(crate) fn mels(&self, rows: &[i8], parameters: &Tensor, device: &Device) -> Result<ComplexTensor> {
        let rows: Arc<[i8]> = rows.into();
        self.slot_values.values(parameters)?.map(|values| {
            let values = values.to_device(&Device::Cpu)?;
            ops::mels_of(&self.pattern, rows.clone(), self.n_sites, &values)?.to_device(device)
        })
    }

    pub(crate) fn conn(
        &self,
        rows: &[i8],
        parameters: &Tensor,
        dtype: DType,
        device: &Device,
    ) -> Result<ConnTensors> {
        let states = self.states(rows, dtype, device)?;
        Ok(ConnTensors { states, mels: self.mels(rows, parameters, device)? })
    }
}
