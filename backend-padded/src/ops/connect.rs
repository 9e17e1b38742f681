//! Connected elements with the operator's present values.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use operator_core::Element;
use operator_core::parallel::{BatchEngine, Slots};

use crate::compact::{ChangeTables, CompactStates, Samples};
use crate::complex::{ComplexTensor, real_dtype};
use crate::conn::Padding;
use crate::memory::{is_overwritable, with_memory};
use crate::rows::Rows;

/// Finds the elements of a block and writes them to slots on the CPU. The tensors of an earlier block are overwritten
/// if they fit; otherwise there are new ones. Results are moved to the device.
pub(crate) fn connect<T: Element>(
    engine: &BatchEngine<T>,
    tables: &Arc<ChangeTables>,
    samples: Rows,
    padding: Padding,
    device: &Device,
    earlier: Option<(CompactStates, ComplexTensor)>,
) -> Result<(CompactStates, ComplexTensor)> {
    let (batch, samples) = (samples.n_samples(), Arc::new(samples));
    let width = match padding {
        Padding::Static => engine.engine().max_conn_size(),
        Padding::LargestRow => engine.n_conn(&samples.as_host()).into_iter().max().unwrap_or(0),
    };
    let earlier = earlier.filter(|_| device.is_cpu()).map(|(states, mels)| Buffers::of(states, mels));
    let buffers = match earlier.filter(|buffers| buffers.fit::<T>(batch, width)) {
        Some(buffers) => buffers,
        None => Buffers::new::<T>(batch, width)?,
    };
    if batch * width > 0 {
        buffers.with_slices::<T>(width, &mut |slots| engine.write_items(&samples.as_host(), slots))?;
    }
    let Buffers { items, counts, re, im } = buffers;
    let [items, counts] = [items, counts].map(|tensor| tensor.to_device(device));
    let samples = Samples::Host { tables: tables.clone(), rows: samples };
    let states = CompactStates { samples, items: items?, counts: counts? };
    let mels = ComplexTensor::new(re, im)?.map(|part| part.to_device(device))?;
    Ok((states, mels))
}

/// Tensors on the CPU that a block is written to.
struct Buffers {
    items: Tensor,
    counts: Tensor,
    re: Tensor,
    im: Option<Tensor>,
}

impl Buffers {
    fn new<T: Element>(batch: usize, width: usize) -> Result<Self> {
        let zeros = |dtype| Tensor::zeros((batch, width), dtype, &Device::Cpu);
        Ok(Buffers {
            items: zeros(DType::U32)?,
            counts: Tensor::zeros(batch, DType::U32, &Device::Cpu)?,
            re: zeros(real_dtype::<T>())?,
            im: if T::IS_COMPLEX { Some(zeros(real_dtype::<T>())?) } else { None },
        })
    }

    fn of(states: CompactStates, mels: ComplexTensor) -> Self {
        let (re, im) = mels.into_parts();
        Buffers { items: states.items, counts: states.counts, re, im }
    }

    /// Whether a block of this size can be written to these tensors.
    fn fit<T: Element>(&self, batch: usize, width: usize) -> bool {
        let fits = |part: &Tensor| is_overwritable(part, &[batch, width], real_dtype::<T>());
        is_overwritable(&self.items, &[batch, width], DType::U32)
            && is_overwritable(&self.counts, &[batch], DType::U32)
            && fits(&self.re)
            && self.im.as_ref().map_or(!T::IS_COMPLEX, |im| T::IS_COMPLEX && fits(im))
    }

    /// Calls `write` with the memory of all tensors.
    fn with_slices<T: Element>(&self, width: usize, write: &mut dyn FnMut(Slots<'_, T::Real>)) -> Result<()> {
        with_memory(&self.items, &mut |items| {
            with_memory(&self.counts, &mut |counts| {
                with_memory(&self.re, &mut |re| match &self.im {
                    None => {
                        write(Slots { width, items, re, im: &mut [], counts });
                        Ok(())
                    }
                    Some(im) => with_memory(im, &mut |im| {
                        write(Slots { width, items, re, im, counts });
                        Ok(())
                    }),
                })
            })
        })
    }
}
