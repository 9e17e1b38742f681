//! An operator's arrays on a device, and the kernels that run on them.

use std::fmt;
use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DevicePtr, DeviceRepr};
use candle_core::cuda_backend::{CudaDevice, CudaStorage};
use candle_core::{DType, Device, Layout, Result, Shape, Tensor, bail};
use operator_core::Element;
use operator_core::kernel::{Engine, EngineArgument, EngineArrays, EngineKind};
use operator_core::memory;

use super::kernels::{Kind, Number, Program};
use super::launch::{Launch, new_storage, new_tensor};
use super::modules;
use crate::complex::{ComplexTensor, real_dtype};
use crate::rows::ALL_STATES;

/// A gradient over all samples is summed in at most this many parts, which become one sum in the end.
pub(super) const MOST_PARTS: usize = 2048;
/// The parts have at most this many numbers in all.
pub(super) const MOST_NUMBERS: usize = 1 << 22;

/// An operator without values on a device. Cheap to clone.
#[derive(Clone)]
pub(crate) struct DeviceEngine(Arc<Inner>);

struct Inner {
    device: Device,
    cuda: CudaDevice,
    kind: EngineKind,
    argument: Argument,
    /// What the argument points to.
    _memory: CudaSlice<u8>,
    n_sites: usize,
    n_slots: usize,
    /// Numbers of a packed sample, and their type.
    sample: (usize, DType),
}

/// The engine as kernels take it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Argument(EngineArgument);

// SAFETY: it is plain words.
unsafe impl DeviceRepr for Argument {}

impl fmt::Debug for DeviceEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceEngine").field("device", &self.0.device).field("kind", &self.0.kind).finish()
    }
}

/// The elements of a block, or how many they are.
pub(crate) struct Found {
    /// `(batch, width)`
    pub(crate) items: Tensor,
    /// `(batch,)`
    pub(crate) counts: Tensor,
    /// `(batch, width)`
    pub(crate) mels: ComplexTensor,
}

impl DeviceEngine {
    /// Copies an operator's arrays to a device.
    pub(crate) fn new<T: Element>(engine: &Engine<T>, device: &Device) -> Result<Self> {
        let cuda = device.as_cuda_device()?.clone();
        let arrays = engine.arrays();
        let block = arrays.block();
        let (bytes, starts) = block.joined();
        let memory = cuda.clone_htod(&bytes)?;
        let start = memory.device_ptr(&cuda.cuda_stream()).0;
        let argument = Argument(block.argument(starts.iter().map(|&offset| start + offset as u64)));
        let n_sites = arrays.space().n_sites();
        let sample = match &arrays {
            EngineArrays::Mask(arrays) => (arrays.n_words, DType::I64),
            EngineArrays::Table(_) => (n_sites, DType::U8),
        };
        Ok(DeviceEngine(Arc::new(Inner {
            device: device.clone(),
            cuda,
            kind: arrays.kind(),
            argument,
            _memory: memory,
            n_sites,
            n_slots: engine.values().len(),
            sample,
        })))
    }

    pub(super) fn cuda(&self) -> &CudaDevice {
        &self.0.cuda
    }

    pub(crate) fn n_sites(&self) -> usize {
        self.0.n_sites
    }

    /// The values of an engine's slots, where the kernels read them.
    pub(crate) fn values_of<T: Element>(&self, engine: &Engine<T>) -> Result<ComplexTensor> {
        let dtype = real_dtype::<T>();
        let column = |part: fn(num_complex::Complex64) -> f64| {
            let values: Vec<f64> = engine.values().iter().map(|value| part(value.to_complex())).collect();
            let n = values.len();
            Tensor::from_vec(values, n, &Device::Cpu)?.to_dtype(dtype)?.to_device(&self.0.device)
        };
        let im = if T::IS_COMPLEX { Some(column(|value| value.im)?) } else { None };
        ComplexTensor::new(column(|value| value.re)?, im)
    }

    pub(super) fn launch<'a>(&self, program: Program, kernel: &str) -> Result<Launch<'a, Argument>> {
        let stream = self.0.cuda.cuda_stream();
        let function = modules::function(stream.context(), Kind::new(program, self.0.kind), kernel)?;
        Ok(Launch::new(&self.0.cuda, function, self.0.argument))
    }

    /// Adds packed samples to a launch.
    pub(super) fn with_samples<'a>(
        &self,
        launch: Launch<'a, Argument>,
        x: &'a Tensor,
    ) -> Result<Launch<'a, Argument>> {
        let (n_numbers, dtype) = self.0.sample;
        launch.array(x, dtype, x.dim(0)? * n_numbers)
    }

    /// Samples `(batch, n_sites)` of quantum numbers as the kernels read them, and a word `(1,)`, u32: the number of the
    /// first that is no state of the space, or [`ALL_STATES`].
    pub(crate) fn pack(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let (batch, n_sites) = x.dims2()?;
        if n_sites != self.0.n_sites {
            bail!("samples have {n_sites} sites; expected {}", self.0.n_sites);
        }
        let (n_numbers, sample) = self.0.sample;
        let packed = new_tensor(&self.0.cuda, (batch, n_numbers), sample)?;
        let status = Tensor::full(ALL_STATES, 1, &self.0.device)?;
        if batch == 0 {
            // Candle does not convert tensors without elements.
            return Ok((packed, status));
        }
        let x = x.to_device(&self.0.device)?;
        let dtype = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let x = x.to_dtype(dtype)?.contiguous()?;
        let launch = self
            .launch(Program::Pack(number(dtype)?), "pack")?
            .array(&x, dtype, batch * n_sites)?
            .array(&packed, sample, batch * n_numbers)?
            .array(&status, DType::U32, 1)?
            .number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the last two arrays, which are new.
        unsafe { launch.warps(batch) }?;
        Ok((packed, status))
    }

    /// The states of items `(batch, width)` as rows of quantum numbers, or of local indices in u8, shape
    /// `(batch, width, n_sites)`.
    pub(crate) fn rows(&self, x: &Tensor, items: &Tensor, dtype: DType) -> Result<Tensor> {
        let (batch, width) = items.dims2()?;
        let shape = (batch, width, self.0.n_sites);
        self.rows_of(x, Some(items), width, dtype)?.reshape(shape)
    }

    /// Rows `(batch · width, n_sites)`.
    fn rows_of(&self, x: &Tensor, items: Option<&Tensor>, width: usize, dtype: DType) -> Result<Tensor> {
        let (batch, n_sites) = (x.dim(0)?, self.0.n_sites);
        if batch * width == 0 {
            return new_tensor(&self.0.cuda, (0, n_sites), dtype);
        }
        if !matches!(dtype, DType::U8 | DType::F32 | DType::F64) {
            return self.rows_of(x, items, width, DType::F32)?.to_dtype(dtype);
        }
        let bytes = batch as f64 * width as f64 * n_sites as f64 * dtype.size_in_bytes() as f64;
        let what = || format!("connected states of {batch} samples as rows");
        memory::expect_fits(what, bytes, "use fewer samples at a time, or a chunk size")
            .map_err(candle_core::Error::wrap)?;
        let rows = new_tensor(&self.0.cuda, (batch * width, n_sites), dtype)?;
        let launch = self
            .with_samples(self.launch(Program::Rows(number(dtype)?), "rows")?, x)?
            .optional(items, DType::U32, batch * width)?
            .array(&rows, dtype, batch * width * n_sites)?
            .number(width)?
            .number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the rows, which are new.
        unsafe { launch.warps(batch * width) }?;
        Ok(rows)
    }

    /// The elements of packed samples, `width` slots each, for these values of the slots.
    pub(crate) fn find(&self, x: &Tensor, values: &ComplexTensor, width: usize) -> Result<Found> {
        let (batch, dtype) = (x.dim(0)?, values.dtype());
        let new = |dtype| new_tensor(&self.0.cuda, (batch, width), dtype);
        let (items, counts, re) =
            (new(DType::U32)?, new_tensor(&self.0.cuda, batch, DType::U32)?, new(dtype)?);
        let im = values.im().map(|_| new(dtype)).transpose()?;
        let n = batch * width;
        let launch = self
            .with_values("conn", x, values)?
            .array(&counts, DType::U32, batch)?
            .array(&items, DType::U32, n)?
            .array(&re, dtype, n)?
            .optional(im.as_ref(), dtype, n)?
            .number(width)?
            .number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the last four arrays, which are new.
        unsafe { launch.warps(batch) }?;
        Ok(Found { items, counts, mels: ComplexTensor::new(re, im)? })
    }

    /// The number of elements of packed samples, `(batch,)`, u32.
    pub(crate) fn counts(&self, x: &Tensor, values: &ComplexTensor) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let counts = new_tensor(&self.0.cuda, batch, DType::U32)?;
        let launch = self
            .with_values("conn", x, values)?
            .array(&counts, DType::U32, batch)?
            .null()
            .null()
            .null()
            .number(0)?
            .number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the counts, which are new, and not to null.
        unsafe { launch.warps(batch) }?;
        Ok(counts)
    }

    /// The number of x' ≠ x of packed samples, `(batch,)`, u32.
    pub(crate) fn n_off_diagonal(&self, x: &Tensor, values: &ComplexTensor) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let counts = new_tensor(&self.0.cuda, batch, DType::U32)?;
        let launch = self
            .with_values("n_off_diagonal", x, values)?
            .array(&counts, DType::U32, batch)?
            .number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the counts, which are new.
        unsafe { launch.warps(batch) }?;
        Ok(counts)
    }

    /// The `numbers[b]`-th x' ≠ x of each packed sample b, or the sample itself beyond the last, packed.
    pub(crate) fn select(&self, x: &Tensor, values: &ComplexTensor, numbers: &Tensor) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let chosen = new_tensor(&self.0.cuda, x.shape(), self.0.sample.1)?;
        if batch == 0 {
            return Ok(chosen);
        }
        let numbers = numbers.to_device(&self.0.device)?.to_dtype(DType::U32)?.contiguous()?;
        let launch =
            self.with_values("select_off_diagonal", x, values)?.array(&numbers, DType::U32, batch)?;
        let launch = self.with_samples(launch, &chosen)?.number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the chosen samples, which are new.
        unsafe { launch.warps(batch) }?;
        Ok(chosen)
    }

    /// Packed samples as rows of quantum numbers, `(batch, n_sites)`.
    pub(crate) fn quantum_numbers(&self, x: &Tensor, dtype: DType) -> Result<Tensor> {
        // Rows of bytes would be local indices.
        let number = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
        self.rows_of(x, None, 1, number)?.to_dtype(dtype)
    }

    /// A launch with samples and values.
    fn with_values<'a>(
        &self,
        kernel: &str,
        x: &'a Tensor,
        values: &'a ComplexTensor,
    ) -> Result<Launch<'a, Argument>> {
        let (dtype, n_slots) = (values.dtype(), self.0.n_slots);
        let is_complex = values.im().is_some();
        let real = number(dtype)?;
        let program = match kernel {
            "select_off_diagonal" => Program::Select { real, is_complex },
            _ => Program::Conn { real, is_complex },
        };
        self.with_samples(self.launch(program, kernel)?, x)?.array(values.re(), dtype, n_slots)?.optional(
            values.im(),
            dtype,
            n_slots,
        )
    }

    /// Whether values of slots belong to all samples, or each has its own.
    fn whose(&self, values: &Shape, batch: usize) -> Result<Whose> {
        let n_slots = self.0.n_slots;
        match values.dims() {
            &[n] if n == n_slots => Ok(Whose::All),
            &[samples, n] if (samples, n) == (batch, n_slots) => Ok(Whose::Each),
            dims => {
                bail!("values of slots have the shape {dims:?}; expected [{n_slots}] or [{batch}, {n_slots}]")
            }
        }
    }

    /// The elements of these items `(batch, width)` as functions of the slots' values.
    pub(crate) fn mels(
        &self,
        at: &Elements<'_>,
        values: &CudaStorage,
        layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (batch, width) = at.items.dims2()?;
        let (dtype, n_slots) = (values.dtype(), self.0.n_slots);
        let stride = match self.whose(layout.shape(), batch)? {
            Whose::All => 0,
            Whose::Each => n_slots,
        };
        let n = batch * width;
        let mels = new_storage(&self.0.cuda, &(batch, width).into(), dtype)?;
        let launch = self
            .with_samples(self.launch(Program::Mels { real: number(dtype)? }, "mels")?, at.samples)?
            .array(at.items, DType::U32, n)?
            .array(at.counts, DType::U32, batch)?
            .part(values, layout, dtype, layout.shape().elem_count())?
            .number(stride)?
            .part(&mels, &Layout::contiguous((batch, width)), dtype, n)?
            .number(width)?
            .number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the elements, which are new.
        unsafe { launch.threads(n) }?;
        Ok((mels, (batch, width).into()))
    }

    /// The gradient in the slots' values, of their shape and type, from that in the elements.
    pub(crate) fn slot_gradient(
        &self,
        at: &Elements<'_>,
        values: &Tensor,
        gradient: &Tensor,
    ) -> Result<Tensor> {
        let (batch, width) = at.items.dims2()?;
        let n_slots = self.0.n_slots;
        if batch == 0 {
            return values.zeros_like();
        }
        let run = match self.whose(values.shape(), batch)? {
            Whose::All => {
                let n_parts = (MOST_NUMBERS / n_slots).clamp(1, MOST_PARTS);
                batch.div_ceil(n_parts)
            }
            Whose::Each => 1,
        };
        let n_runs = batch.div_ceil(run);
        let gradient = gradient.to_dtype(values.dtype())?.contiguous()?;
        let parts = new_tensor(&self.0.cuda, (n_runs, n_slots), DType::F64)?;
        let launch = self
            .with_samples(
                self.launch(Program::Mels { real: number(values.dtype())? }, "mels_backward")?,
                at.samples,
            )?
            .array(at.items, DType::U32, batch * width)?
            .array(at.counts, DType::U32, batch)?
            .array(&gradient, values.dtype(), batch * width)?
            .array(&parts, DType::F64, n_runs * n_slots)?
            .number(run)?
            .number(width)?
            .number(batch)?;
        // SAFETY: these are the kernel's arguments; it writes to the parts, which are new.
        unsafe { launch.warps(n_runs) }?;
        let sum = match values.rank() {
            1 => parts.sum(0)?,
            _ => parts,
        };
        sum.to_dtype(values.dtype())
    }
}

/// Which elements a list names.
pub(crate) struct Elements<'a> {
    /// Packed.
    pub(crate) samples: &'a Tensor,
    pub(crate) items: &'a Tensor,
    pub(crate) counts: &'a Tensor,
}

/// Which samples a row of slot values belongs to.
enum Whose {
    /// One row for all samples.
    All,
    /// One row for each sample.
    Each,
}

/// Numbers of a type, as kernels know them.
pub(super) fn number(dtype: DType) -> Result<Number> {
    match dtype {
        DType::U8 => Ok(Number::U8),
        DType::F32 => Ok(Number::F32),
        DType::F64 => Ok(Number::F64),
        dtype => bail!("kernels have no numbers of {dtype:?}"),
    }
}
