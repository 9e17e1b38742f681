//! The memory of tensors on the CPU, to write to it anew.

use std::any::Any;
use std::cell::RefCell;

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Result, Storage, Tensor};

/// Whether a tensor on the CPU has this shape and type, is not a part of another, and leads to no gradient.
pub(crate) fn is_overwritable(tensor: &Tensor, dims: &[usize], dtype: DType) -> bool {
    let is_whole = tensor.is_contiguous() && tensor.layout().start_offset() == 0;
    let fits = tensor.dims() == dims && tensor.dtype() == dtype && tensor.device().is_cpu();
    fits && is_whole && !tensor.track_op()
}

/// Calls `f` with the numbers of a contiguous tensor on the CPU, to read them.
pub(crate) fn with_numbers<V: 'static, R>(tensor: &Tensor, f: impl FnOnce(&[V]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
        candle_core::bail!("only contiguous tensors on the CPU are read in place")
    };
    let numbers: &dyn Any = match storage {
        CpuStorage::U32(numbers) => numbers,
        CpuStorage::I64(numbers) => numbers,
        CpuStorage::F32(numbers) => numbers,
        CpuStorage::F64(numbers) => numbers,
        other => candle_core::bail!("tensors of {:?} are not read in place", other.dtype()),
    };
    match numbers.downcast_ref::<Vec<V>>() {
        Some(numbers) => Ok(f(&numbers[start..end])),
        None => candle_core::bail!("the tensor holds {:?}", storage.dtype()),
    }
}

/// What writes numbers.
type Writer<'a, V> = dyn FnMut(&mut [V]) -> Result<()> + 'a;

/// Calls `f` with the numbers of a whole tensor on the CPU, to write them.
pub(crate) fn with_memory<V: 'static>(tensor: &Tensor, f: &mut Writer<'_, V>) -> Result<()> {
    tensor.inplace_op1(&Write { f: RefCell::new(f) })
}

/// Candle lends a tensor's memory only to operations in place.
struct Write<'a, 'f, V> {
    f: RefCell<&'a mut Writer<'f, V>>,
}

impl<V: 'static> InplaceOp1 for Write<'_, '_, V> {
    fn name(&self) -> &'static str {
        "write"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, _: &Layout) -> Result<()> {
        let numbers: &mut dyn Any = match storage {
            CpuStorage::U8(numbers) => numbers,
            CpuStorage::U32(numbers) => numbers,
            CpuStorage::I16(numbers) => numbers,
            CpuStorage::I32(numbers) => numbers,
            CpuStorage::I64(numbers) => numbers,
            CpuStorage::F32(numbers) => numbers,
            CpuStorage::F64(numbers) => numbers,
            other => candle_core::bail!("nothing is written to tensors of {:?}", other.dtype()),
        };
        match numbers.downcast_mut::<Vec<V>>() {
            Some(numbers) => (self.f.borrow_mut())(numbers),
            None => candle_core::bail!("the tensor holds {:?}", storage.dtype()),
        }
    }
}
