//! Connected configurations as samples and numbers of changes.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Result, Tensor, WithDType};
use operator_core::hilbert::{Block, LocalStates};
use operator_core::kernel::{Changes, Edit, MaskedRows};
use operator_core::{HilbertSpace, memory as core_memory};
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use crate::cuda;
use crate::memory::{is_overwritable, with_memory, with_numbers};
use crate::rows::Rows;

/// The changes of an operator, as its kernel made them. All blocks of an operator share it.
#[derive(Debug)]
pub(crate) struct ChangeTables {
    /// The local states of each site.
    locals: Vec<LocalStates>,
    quantum_numbers: Changes,
    /// The same for local indices, once they are asked for.
    local_indices: OnceLock<Changes>,
    /// And as masks, if they only flip sites or only add to indices.
    masked: OnceLock<Option<MaskedRows>>,
}

impl ChangeTables {
    pub(crate) fn new(hilbert: &HilbertSpace, changes: &Changes) -> Self {
        let of_block = |block: &Block| std::iter::repeat_n(block.local(), block.sites().len());
        let locals = hilbert.blocks().iter().flat_map(of_block).collect();
        let (local_indices, masked) = (OnceLock::new(), OnceLock::new());
        ChangeTables { locals, quantum_numbers: changes.clone(), local_indices, masked }
    }

    /// The changes of quantum numbers.
    pub(crate) fn quantum_numbers(&self) -> &Changes {
        &self.quantum_numbers
    }

    /// With q = first + step · index, the change q' = offset + factor · q of quantum numbers is one of indices.
    fn local_indices(&self) -> &Changes {
        self.local_indices.get_or_init(|| {
            self.quantum_numbers.map(|edit| {
                let local = self.locals[edit.site as usize];
                let [first, step] = [local.first(), local.step()].map(i32::from);
                let moved_first = i32::from(edit.offset) + i32::from(edit.factor) * first;
                // Differences of local indices fit into bytes.
                Edit { offset: ((moved_first - first) / step) as i8, ..edit }
            })
        })
    }

    /// What flips or sums do to local indices, unless changes do something else.
    fn masked(&self) -> Option<&MaskedRows> {
        let new = || MaskedRows::new(self.local_indices(), self.locals.len());
        self.masked.get_or_init(new).as_ref()
    }

    /// The local indices of states given by quantum numbers.
    fn indices_of(&self, samples: &Rows) -> Vec<i8> {
        let index = |(&q, local): (&i8, &LocalStates)| {
            ((i32::from(q) - i32::from(local.first())) / i32::from(local.step())) as i8
        };
        samples.iter().flat_map(|x| x.iter().zip(&self.locals).map(index)).collect()
    }
}

/// Samples where their operator's kernels read them.
#[derive(Clone, Debug)]
pub(crate) enum Samples {
    /// Checked, with the changes that kernels number.
    Host { tables: Arc<ChangeTables>, rows: Arc<Rows> },
    #[cfg(feature = "cuda")]
    Cuda(cuda::Samples),
}

impl Samples {
    fn part(&self, range: Range<usize>) -> Result<Self> {
        Ok(match self {
            Samples::Host { tables, rows } => {
                Samples::Host { tables: tables.clone(), rows: Arc::new(rows.part(range)) }
            }
            #[cfg(feature = "cuda")]
            Samples::Cuda(samples) => Samples::Cuda(samples.part(range)?),
        })
    }
}

/// The connected configurations of a block of samples.
#[derive(Clone, Debug)]
pub(crate) struct CompactStates {
    pub(crate) samples: Samples,
    /// `(batch, width)`
    pub(crate) items: Tensor,
    /// `(batch,)`
    pub(crate) counts: Tensor,
}

impl CompactStates {
    pub(crate) fn items(&self) -> &Tensor {
        &self.items
    }

    pub(crate) fn counts(&self) -> &Tensor {
        &self.counts
    }

    /// A word of a device's memory that tells whether all samples are states of the space; `None` if they were checked.
    pub(crate) fn status(&self) -> Option<&Tensor> {
        match &self.samples {
            Samples::Host { .. } => None,
            #[cfg(feature = "cuda")]
            Samples::Cuda(samples) => Some(samples.status()),
        }
    }

    /// `(batch, width, n_sites)`
    pub(crate) fn shape(&self) -> [usize; 3] {
        let (batch, n_sites) = match &self.samples {
            Samples::Host { rows, .. } => (rows.n_samples(), rows.n_sites()),
            #[cfg(feature = "cuda")]
            Samples::Cuda(samples) => (samples.n_samples(), samples.engine().n_sites()),
        };
        [batch, self.items.elem_count().checked_div(batch).unwrap_or(0), n_sites]
    }

    /// Those of some consecutive samples.
    pub(crate) fn part(&self, range: Range<usize>) -> Result<Self> {
        let of = |tensor: &Tensor| tensor.narrow(0, range.start, range.len());
        let (items, counts) = (of(&self.items)?, of(&self.counts)?);
        Ok(CompactStates { samples: self.samples.part(range)?, items, counts })
    }

    /// Rows of quantum numbers, or of local indices in u8, `(batch, width, n_sites)`: in the memory of `earlier` if that
    /// has this shape and type, and otherwise in a new tensor.
    pub(crate) fn rows(&self, dtype: DType, earlier: Option<&Tensor>) -> Result<Tensor> {
        let (tables, rows) = match &self.samples {
            Samples::Host { tables, rows } => (tables, rows),
            #[cfg(feature = "cuda")]
            Samples::Cuda(samples) => return samples.rows(&self.items, dtype),
        };
        let (samples, changes) = (rows.data(), &tables.quantum_numbers);
        match dtype {
            DType::U8 => {
                let indices = tables.indices_of(rows);
                match tables.masked() {
                    Some(masked) => {
                        self.write_rows(&indices, earlier, |_, x, items, rows| masked.write(x, items, rows))
                    }
                    None => self.edited_rows(&indices, tables.local_indices(), earlier, |index| index as u8),
                }
            }
            DType::F32 => self.edited_rows(samples, changes, earlier, f32::from),
            DType::F64 => self.edited_rows(samples, changes, earlier, f64::from),
            DType::I16 => self.edited_rows(samples, changes, earlier, i16::from),
            DType::I32 => self.edited_rows(samples, changes, earlier, i32::from),
            DType::I64 => self.edited_rows(samples, changes, earlier, i64::from),
            // Other types have no kernel of their own.
            _ => self.rows(DType::F32, None)?.to_dtype(dtype),
        }
    }

    /// Rows of the values of samples, with edits.
    fn edited_rows<Q: WithDType>(
        &self,
        samples: &[i8],
        changes: &Changes,
        earlier: Option<&Tensor>,
        value: impl Fn(i8) -> Q + Sync,
    ) -> Result<Tensor> {
        self.write_rows(samples, earlier, |converted, x, items, rows| {
            converted.clear();
            converted.extend(x.iter().map(|&q| value(q)));
            for (row, &item) in rows.chunks_exact_mut(x.len()).zip(items) {
                copy_row(converted, row);
                for edit in changes.edits(item) {
                    let site = edit.site as usize;
                    if let (Some(to), Some(&q)) = (row.get_mut(site), x.get(site)) {
                        *to = value(edit.apply(q));
                    }
                }
            }
        })
    }

    /// Rows that `write` makes from a sample and the numbers of its changes. It has a thread's memory, to keep.
    fn write_rows<Q: WithDType>(
        &self,
        samples: &[i8],
        earlier: Option<&Tensor>,
        write: impl Fn(&mut Vec<Q>, &[i8], &[u32], &mut [Q]) + Sync,
    ) -> Result<Tensor> {
        let shape = self.shape();
        let [batch, width, n_sites] = shape;
        let reused = earlier.filter(|rows| is_overwritable(rows, &shape, Q::DTYPE));
        let rows = match reused {
            Some(rows) => rows.clone(),
            None => {
                let bytes = shape.iter().map(|&n| n as f64).product::<f64>() * size_of::<Q>() as f64;
                let what = || format!("connected states of {batch} samples as rows");
                core_memory::expect_fits(what, bytes, "use fewer samples at a time, or a chunk size")
                    .map_err(candle_core::Error::wrap)?;
                Tensor::zeros(&shape, Q::DTYPE, &Device::Cpu)?
            }
        };
        if batch * width > 0 {
            let items = self.items.to_device(&Device::Cpu)?;
            let write_all = |items: &[u32], rows: &mut [Q]| {
                let samples = samples.par_chunks_exact(n_sites).zip(items.par_chunks_exact(width));
                rows.par_chunks_exact_mut(width * n_sites)
                    .zip(samples)
                    .for_each_init(Vec::new, |memory, (rows, (x, items))| write(memory, x, items, rows));
            };
            with_memory(&rows, &mut |rows| with_numbers(&items, |items| write_all(items, rows)))?;
        }
        rows.to_device(self.items.device())
    }
}

/// Values copied at a time.
const CHUNK: usize = 32;

/// Copies a row. Rows of bytes are so short that a call of `memcpy` would take as long as copying.
#[inline(always)]
fn copy_row<Q: Copy>(from: &[Q], to: &mut [Q]) {
    let (Some(from_end), Some(to_end)) = (from.last_chunk::<CHUNK>(), to.last_chunk_mut::<CHUNK>()) else {
        return to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    };
    // The last chunk overlaps with the one before.
    *to_end = *from_end;
    for (to, from) in to.as_chunks_mut::<CHUNK>().0.iter_mut().zip(from.as_chunks().0) {
        *to = *from;
    }
}
