//! Launches of kernels on tensors.

use std::marker::PhantomData;
use std::sync::Arc;

use candle_core::backend::BackendDevice;
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaStream, DevicePtr, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::{CudaDType, CudaDevice, CudaStorage, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{DType, Layout, Result, Shape, Storage, Tensor, bail};

use super::kernels::THREADS;

/// Threads of a warp.
const LANES: usize = 32;

/// A kernel and its arguments, in the order in which it takes them. They are checked as they are added.
///
/// `A` is the type of a first argument that is passed by value.
///
/// A device has one stream, on which tensors are made, used and freed in the order of calls. So addresses are enough;
/// the tensors that they are of live until the launch.
pub(crate) struct Launch<'a, A = u64> {
    stream: Arc<CudaStream>,
    function: CudaFunction,
    first: Option<A>,
    words: Vec<u64>,
    tensors: PhantomData<&'a Tensor>,
}

impl Launch<'_> {
    /// A launch of a kernel that takes words alone.
    pub(crate) fn of_words(device: &CudaDevice, function: CudaFunction) -> Self {
        Self::with(device, function, None)
    }
}

impl<'a, A: DeviceRepr> Launch<'a, A> {
    /// A launch on a device with the first argument, which is passed by value.
    pub(crate) fn new(device: &CudaDevice, function: CudaFunction, first: A) -> Self {
        Self::with(device, function, Some(first))
    }

    fn with(device: &CudaDevice, function: CudaFunction, first: Option<A>) -> Self {
        Launch { stream: device.cuda_stream(), function, first, words: Vec::new(), tensors: PhantomData }
    }

    /// An array of this type and length that starts where the tensor does, which has to be contiguous.
    pub(crate) fn array(self, tensor: &'a Tensor, dtype: DType, len: usize) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else {
            bail!("a tensor is on {:?}; expected the operator's CUDA device", tensor.device().location())
        };
        self.part_of(storage, layout, dtype, len)
    }

    /// The same as a part of a device's memory.
    pub(crate) fn part(
        self,
        storage: &'a CudaStorage,
        layout: &Layout,
        dtype: DType,
        len: usize,
    ) -> Result<Self> {
        self.part_of(storage, layout, dtype, len)
    }

    fn part_of(mut self, storage: &CudaStorage, layout: &Layout, dtype: DType, len: usize) -> Result<Self> {
        let address = match (layout.contiguous_offsets(), dtype) {
            (None, _) => bail!("a tensor of shape {:?} is not contiguous", layout.shape()),
            (Some((start, end)), _) if end - start != len => {
                bail!("a tensor has {} elements; expected {len}", end - start)
            }
            (Some((start, _)), DType::U8) => self.address::<u8>(storage, start),
            (Some((start, _)), DType::U32) => self.address::<u32>(storage, start),
            (Some((start, _)), DType::I16) => self.address::<i16>(storage, start),
            (Some((start, _)), DType::I32) => self.address::<i32>(storage, start),
            (Some((start, _)), DType::I64) => self.address::<i64>(storage, start),
            (Some((start, _)), DType::F32) => self.address::<f32>(storage, start),
            (Some((start, _)), DType::F64) => self.address::<f64>(storage, start),
            (Some(_), dtype) => bail!("kernels take no tensors of {dtype:?}"),
        };
        self.words.push(address?);
        Ok(self)
    }

    fn address<V: CudaDType + DeviceRepr>(&self, storage: &CudaStorage, start: usize) -> Result<u64> {
        let slice = storage.as_cuda_slice::<V>()?;
        Ok(slice.slice(start..).device_ptr(&self.stream).0)
    }

    /// An array, or null.
    pub(crate) fn optional(self, tensor: Option<&'a Tensor>, dtype: DType, len: usize) -> Result<Self> {
        match tensor {
            Some(tensor) => self.array(tensor, dtype, len),
            None => Ok(self.null()),
        }
    }

    /// A null pointer.
    pub(crate) fn null(mut self) -> Self {
        self.words.push(0);
        self
    }

    /// A 32-bit number.
    pub(crate) fn number(mut self, number: usize) -> Result<Self> {
        // Kernels read the lower half, which comes first in the memory of every host of CUDA.
        self.words.push(u32::try_from(number)?.into());
        Ok(self)
    }

    /// A 64-bit number.
    pub(crate) fn long_number(mut self, number: usize) -> Self {
        self.words.push(number as u64);
        self
    }

    /// Starts as many warps as there are `items`.
    ///
    /// # Safety
    /// The arguments are those of the kernel in number, type and order, and it writes only to arrays that nobody else uses.
    pub(crate) unsafe fn warps(self, items: usize) -> Result<()> {
        // SAFETY: as the caller says.
        unsafe { self.threads(items.saturating_mul(LANES)) }
    }

    /// Starts as many threads as there are `items`.
    ///
    /// # Safety
    /// As for [`warps`](Self::warps).
    pub(crate) unsafe fn threads(self, items: usize) -> Result<()> {
        let n_blocks = items.div_ceil(THREADS as usize);
        if n_blocks == 0 {
            return Ok(());
        }
        // The driver's limit of blocks.
        let Ok(grid) = i32::try_from(n_blocks) else {
            bail!(
                "{n_blocks} blocks of threads are more than a device takes; use fewer samples at a time, or a chunk size"
            )
        };
        let config = LaunchConfig {
            grid_dim: (grid.unsigned_abs(), 1, 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: 0,
        };
        let mut launch = self.stream.launch_builder(&self.function);
        self.first.iter().for_each(|first| {
            launch.arg(first);
        });
        self.words.iter().for_each(|word| {
            launch.arg(word);
        });
        // SAFETY: as the caller says.
        unsafe { launch.launch(config) }.w()?;
        Ok(())
    }
}

/// Memory of a device for what a kernel writes. It holds nothing yet.
pub(crate) fn new_storage(device: &CudaDevice, shape: &Shape, dtype: DType) -> Result<CudaStorage> {
    // Drivers need not give memory of no size.
    let n = Shape::from(shape.elem_count().max(1));
    // SAFETY: kernels write every element before anyone reads one.
    unsafe { device.alloc_uninit(&n, dtype) }
}

/// The same as a tensor.
pub(crate) fn new_tensor(device: &CudaDevice, shape: impl Into<Shape>, dtype: DType) -> Result<Tensor> {
    let shape = shape.into();
    let storage = Storage::Cuda(new_storage(device, &shape, dtype)?);
    Ok(Tensor::from_storage(storage, shape, BackpropOp::none(), false))
}
