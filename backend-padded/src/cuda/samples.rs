//! Samples on a CUDA device, where the kernels read them.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Result, Tensor};
use operator_core::kernel::Engine;
use operator_core::{Element, HilbertSpace};

use super::engine::{DeviceEngine, Found};
use crate::compact::{self, CompactStates};
use crate::complex::ComplexTensor;
use crate::conn::Padding;
use crate::error::failed;
use crate::rows;

/// Packed samples of an operator, and whether they are states of its space.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    engine: DeviceEngine,
    packed: Tensor,
    status: Tensor,
}

impl Samples {
    /// Packs a batch on any device. Only its shape is checked in this call; [`status`](Self::status) tells the rest.
    pub(crate) fn new(
        engine: &DeviceEngine,
        hilbert: &HilbertSpace,
        x: &Tensor,
    ) -> operator_core::Result<Self> {
        match x.dims() {
            [_, n_sites] if *n_sites == engine.n_sites() => {}
            // The host says what is wrong.
            _ => return Err(rows::refusal(hilbert, x)),
        }
        let (packed, status) = engine.pack(x).map_err(failed)?;
        Ok(Samples { engine: engine.clone(), packed, status })
    }

    pub(crate) fn engine(&self) -> &DeviceEngine {
        &self.engine
    }

    /// As the kernels read them.
    pub(crate) fn packed(&self) -> &Tensor {
        &self.packed
    }

    /// The number of the first sample that is no state of the space, or [`ALL_STATES`](rows::ALL_STATES), shape `(1,)`,
    /// u32.
    pub(crate) fn status(&self) -> &Tensor {
        &self.status
    }

    pub(crate) fn n_samples(&self) -> usize {
        self.packed.dims().first().copied().unwrap_or(0)
    }

    /// Some consecutive samples, with the status of all.
    pub(crate) fn part(&self, range: Range<usize>) -> Result<Self> {
        Ok(Samples { packed: self.packed.narrow(0, range.start, range.len())?, ..self.clone() })
    }

    /// The elements, with `width` slots a sample or as many as the largest row needs.
    pub(crate) fn connect(
        &self,
        values: &ComplexTensor,
        padding: Padding,
        width: usize,
    ) -> Result<(CompactStates, ComplexTensor)> {
        let width = match padding {
            Padding::LargestRow if self.n_samples() > 0 => {
                let largest = self.engine.counts(&self.packed, values)?.max(0)?.to_scalar::<u32>()?;
                // What is no state of the space may have more.
                width.min(largest as usize)
            }
            _ => width,
        };
        let Found { items, counts, mels } = self.engine.find(&self.packed, values, width)?;
        Ok((CompactStates { samples: compact::Samples::Cuda(self.clone()), items, counts }, mels))
    }

    /// The number of connected x' ≠ x of each sample, `(batch,)`, u32.
    pub(crate) fn n_off_diagonal(&self, values: &ComplexTensor) -> Result<Tensor> {
        self.engine.n_off_diagonal(&self.packed, values)
    }

    /// The `numbers[b]`-th x' ≠ x of each sample b, or the sample itself beyond the last.
    pub(crate) fn select_off_diagonal(&self, values: &ComplexTensor, numbers: &Tensor) -> Result<Self> {
        let packed = self.engine.select(&self.packed, values, numbers)?;
        Ok(Samples { packed, ..self.clone() })
    }

    /// Quantum numbers, `(batch, n_sites)`.
    pub(crate) fn quantum_numbers(&self, dtype: DType) -> Result<Tensor> {
        self.engine.quantum_numbers(&self.packed, dtype)
    }

    /// Those of `others` where `is_replaced`, `(batch,)` in u8, is not 0.
    pub(crate) fn replaced(&self, others: &Self, is_replaced: &Tensor) -> Result<Self> {
        let is_replaced = is_replaced.unsqueeze(1)?.broadcast_as(self.packed.shape())?;
        let packed = is_replaced.where_cond(&others.packed, &self.packed)?;
        Ok(Samples { packed, ..self.clone() })
    }

    /// The states of items `(batch, width)` as rows, shape `(batch, width, n_sites)`.
    pub(crate) fn rows(&self, items: &Tensor, dtype: DType) -> Result<Tensor> {
        self.engine.rows(&self.packed, items, dtype)
    }
}

/// What an operator has on a CUDA device once it is used there.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnDevice {
    /// All operators that differ only in the values of their parameters share it.
    arrays: Arc<OnceLock<DeviceEngine>>,
    values: OnceLock<ComplexTensor>,
}

impl OnDevice {
    /// For the same operator with other values.
    pub(crate) fn with_other_values(&self) -> Self {
        OnDevice { arrays: self.arrays.clone(), values: OnceLock::new() }
    }

    /// The arrays of an engine and the values of its slots.
    pub(crate) fn get<T: Element>(
        &self,
        engine: &Engine<T>,
        device: &Device,
    ) -> Result<(&DeviceEngine, &ComplexTensor)> {
        let arrays = match self.arrays.get() {
            Some(arrays) => arrays,
            None => {
                let made = DeviceEngine::new(engine, device)?;
                self.arrays.get_or_init(|| made)
            }
        };
        let values = match self.values.get() {
            Some(values) => values,
            None => {
                let made = arrays.values_of(engine)?;
                self.values.get_or_init(|| made)
            }
        };
        Ok((arrays, values))
    }
}
