//! Matrix elements as functions of the values of the operator's slots, on a CUDA device.

use candle_core::{CpuStorage, CudaStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::engine::Elements;
use super::samples::Samples;

/// The real or imaginary part of the elements of these items `(batch, width)`, of which `counts` are used, as a function
/// of the slots' values, through which gradients flow. Values are `(n_slots,)`, or `(batch, n_slots)` if each sample has
/// its own.
pub(crate) fn mels_of(samples: &Samples, items: &Tensor, counts: &Tensor, values: &Tensor) -> Result<Tensor> {
    let (samples, items, counts) = (samples.clone(), items.clone(), counts.clone());
    values.contiguous()?.apply_op1(Mels { samples, items, counts })
}

struct Mels {
    samples: Samples,
    items: Tensor,
    counts: Tensor,
}

impl Mels {
    fn elements(&self) -> Elements<'_> {
        Elements { samples: self.samples.packed(), items: &self.items, counts: &self.counts }
    }
}

impl CustomOp1 for Mels {
    fn name(&self) -> &'static str {
        "matrix-elements"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("the samples are on a CUDA device, the values of the slots on the CPU")
    }

    fn cuda_fwd(&self, values: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        self.samples.engine().mels(&self.elements(), values, layout)
    }

    fn bwd(&self, values: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        self.samples.engine().slot_gradient(&self.elements(), values, gradient).map(Some)
    }
}
