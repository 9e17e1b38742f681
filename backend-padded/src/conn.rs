//! Connected elements as tensors, and what every operator of this backend does with tensors.

use candle_core::{DType, Tensor};
use operator_core::kernel::Engine;
use operator_core::{DiscreteOperator, Result};

use crate::backend::Padded;
use crate::compact::CompactStates;
use crate::complex::ComplexTensor;
use crate::differentiable::Differentiable;
use crate::ops::{self, Unit};
use crate::origins::Origins;

/// Connected elements of a batch as tensors of static shape, in a compact form.
///
/// Each sample has `width` slots: [`max_conn_size`](operator_core::DiscreteOperator::max_conn_size), or the block's
/// largest number of elements ([`Padding`]). The used ones come first. An unused slot holds the sample itself with
/// matrix element 0.
///
/// A connected configuration is stored as its sample and a number that names the change ([`items`](Self::items)).
/// Rows are made when [`states`](Self::states) is called.
///
/// ```
/// use backend_padded::{Padded, TensorConn};
/// use candle_core::{DType, Device, Tensor};
/// use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
///
/// let chain = Graph::chain(3, Boundary::Periodic)?;
/// let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Padded>()?;
/// let x = Tensor::new(&[[1f32, 1.0, -1.0]], &Device::Cpu).unwrap();
/// let conn = ising.conn(&x)?;
/// assert_eq!(conn.items().unwrap().to_vec2::<u32>().unwrap(), [[0, 1, 2, 3]]); // the diagonal, and three flips
/// let states = conn.states(DType::F32).unwrap();
/// assert_eq!(states.to_vec3::<f32>().unwrap()[0][1], [-1.0, 1.0, -1.0]);
/// let indices = conn.states(DType::U8).unwrap();
/// assert_eq!(indices.to_vec3::<u8>().unwrap()[0][1], [1, 0, 1]); // spin down has the local index 1
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConnTensors {
    states: States,
    mels: ComplexTensor,
}

#[derive(Clone, Debug)]
enum States {
    Compact(CompactStates),
    /// Quantum numbers, `(batch, width, n_sites)`.
    Rows(Tensor),
}

impl States {
    /// `(batch, width, n_sites)`, in the memory of `earlier` if it fits.
    fn rows(&self, dtype: DType, earlier: Option<&Tensor>) -> candle_core::Result<Tensor> {
        match self {
            States::Compact(states) => states.rows(dtype, earlier),
            States::Rows(rows) if dtype == DType::U8 && rows.dtype() != dtype => {
                candle_core::bail!("a custom kernel gives quantum numbers; ask for its states in F32 or F64")
            }
            States::Rows(rows) => rows.to_dtype(dtype),
        }
    }
}

/// The states of a [`ConnTensors`], for a wave function that reads them as rows of one dtype, or in their compact form.
#[derive(Clone, Debug)]
pub struct ConnStates {
    states: States,
    dtype: DType,
}

impl ConnStates {
    pub(crate) fn compact(states: CompactStates, dtype: DType) -> Self {
        ConnStates { states: States::Compact(states), dtype }
    }

    /// Rows of quantum numbers, shape `(batch, width, n_sites)`.
    ///
    /// # Errors
    /// If the device fails.
    pub fn rows(&self) -> candle_core::Result<Tensor> {
        self.states.rows(self.dtype, None)
    }

    /// Samples, and slots of each.
    pub(crate) fn n_slots(&self) -> [usize; 2] {
        match &self.states {
            States::Compact(states) => {
                let [batch, width, _] = states.shape();
                [batch, width]
            }
            States::Rows(rows) => {
                let n = |dim: usize| rows.dims().get(dim).copied().unwrap_or(0);
                [n(0), n(1)]
            }
        }
    }

    /// `z[b, m] + Σ_i (x'_i − x_i) w[i, m]` for each state x' that is connected to sample b, shape
    /// `(batch · width, n_units)`, in the type of `z`; `None` for a custom kernel, and on Metal. No x' is stored.
    ///
    /// `z` is `(batch, n_units)`, and `w` is `(n_sites, n_units)`. Gradients flow into both.
    #[doc(hidden)]
    pub fn changed_layer(
        &self,
        z: &ComplexTensor,
        w: &ComplexTensor,
    ) -> candle_core::Result<Option<ComplexTensor>> {
        self.with_kernels().map(|states| ops::changed_layer(states, z, w)).transpose()
    }

    /// `Σ_m f(z[b, m] + Σ_i (x'_i − x_i) w[i, m])` for each state x' that is connected to sample b, shape
    /// `(batch · width,)`, in f64; `None` for a custom kernel, and on Metal. Neither x' nor what f is taken of is stored.
    ///
    /// `z` is `(batch, n_units)`, and `w` is `(n_sites, n_units)`. Gradients flow into both.
    #[doc(hidden)]
    pub fn sums_of_units(
        &self,
        unit: Unit,
        z: &ComplexTensor,
        w: &ComplexTensor,
    ) -> candle_core::Result<Option<ComplexTensor>> {
        self.with_kernels().map(|states| ops::sums_of_units(states, unit, z, w)).transpose()
    }

    /// States in the form that kernels read, on a device that has these.
    fn with_kernels(&self) -> Option<&CompactStates> {
        match &self.states {
            States::Compact(states) if !states.items().device().is_metal() => Some(states),
            _ => None,
        }
    }
}

impl ConnTensors {
    /// Connected elements from their configurations, shape `(batch, max_conn_size, n_sites)`, and matrix
    /// elements, shape `(batch, max_conn_size)`.
    ///
    /// Shapes and dtypes are checked where a [`PaddedKernel`](crate::PaddedKernel) returns them.
    pub fn new(states: Tensor, mels: ComplexTensor) -> Self {
        ConnTensors { states: States::Rows(states), mels }
    }

    pub(crate) fn compact(states: CompactStates, mels: ComplexTensor) -> Self {
        ConnTensors { states: States::Compact(states), mels }
    }

    /// Connected configurations, shape `(batch, width, n_sites)`: quantum numbers in f32, f64 or an integer type with a
    /// sign, or local indices in [`DType::U8`].
    ///
    /// Rows are made in this call.
    ///
    /// # Errors
    /// If the device fails, if its memory limit forbids rows of this size, and for local indices of a custom kernel's
    /// states.
    pub fn states(&self, dtype: DType) -> candle_core::Result<Tensor> {
        self.states.rows(dtype, None)
    }

    /// The states for [`log_psi_conn`](operator_core::WaveFunction::log_psi_conn) of a wave function that reads rows of
    /// this dtype.
    pub fn conn_states(&self, dtype: DType) -> ConnStates {
        ConnStates { states: self.states.clone(), dtype }
    }

    /// The same in the memory of `rows`, if that is a tensor on the CPU of this shape that leads to no gradient; its type
    /// is the one asked for. Otherwise `rows` becomes a new tensor.
    ///
    /// # Errors
    /// As [`states`](Self::states).
    pub fn states_into(&self, rows: &mut Tensor) -> candle_core::Result<()> {
        *rows = self.states.rows(rows.dtype(), Some(rows))?;
        Ok(())
    }

    /// The shape of the states: `[batch, width, n_sites]`, unless a custom kernel gives another.
    pub fn shape(&self) -> Vec<usize> {
        match &self.states {
            States::Compact(states) => states.shape().to_vec(),
            States::Rows(rows) => rows.dims().to_vec(),
        }
    }

    /// The type of a custom kernel's rows.
    pub(crate) fn rows_dtype(&self) -> Option<DType> {
        match &self.states {
            States::Compact(_) => None,
            States::Rows(rows) => Some(rows.dtype()),
        }
    }

    /// For each slot, the number of the change that leads from the sample to its state, shape `(batch, width)`, u32.
    /// 0 is no change. `None` for a custom kernel, which gives rows.
    pub fn items(&self) -> Option<&Tensor> {
        match &self.states {
            States::Compact(states) => Some(states.items()),
            States::Rows(_) => None,
        }
    }

    /// The number of used slots of each sample, shape `(batch,)`, u32; `None` for a custom kernel.
    pub fn counts(&self) -> Option<&Tensor> {
        match &self.states {
            States::Compact(states) => Some(states.counts()),
            States::Rows(_) => None,
        }
    }

    /// Matrix elements, shape `(batch, width)`, f32 or f64; 0 in unused slots.
    pub fn mels(&self) -> &ComplexTensor {
        &self.mels
    }

    /// The share of slots that are unused, from 0 to 1; `None` for a custom kernel or without slots.
    ///
    /// # Errors
    /// If the device fails.
    pub fn unused_share(&self) -> candle_core::Result<Option<f64>> {
        let n_slots = self.mels.re().elem_count();
        let Some(counts) = self.counts().filter(|_| n_slots > 0) else { return Ok(None) };
        let n_used: f64 = counts.to_vec1::<u32>()?.into_iter().map(f64::from).sum();
        Ok(Some(1.0 - n_used / n_slots as f64))
    }

    /// A word of a device's memory that tells whether all samples are states of the space; `None` if they were checked.
    pub(crate) fn status(&self) -> Option<&Tensor> {
        match &self.states {
            States::Compact(states) => states.status(),
            States::Rows(_) => None,
        }
    }

    /// The parts of the compact form; `None` for rows.
    pub(crate) fn into_compact(self) -> Option<(CompactStates, ComplexTensor)> {
        match self.states {
            States::Compact(states) => Some((states, self.mels)),
            States::Rows(_) => None,
        }
    }
}

/// How many slots each sample has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// [`max_conn_size`](operator_core::DiscreteOperator::max_conn_size), so that no shape depends on data.
    #[default]
    Static,
    /// The largest number of elements of any sample of the batch. Fewer slots are unused, but each batch has shapes of
    /// its own, and its elements are found twice: to count them, and to write them.
    LargestRow,
}

/// What every operator of the padded backend can do with tensors.
///
/// Samples may be on any device: they are moved to the operator's device, where the results are.
///
/// Write a [`PaddedKernel`](crate::PaddedKernel) for an operator of your own;
/// [`PaddedOperator::custom`](crate::PaddedOperator::custom) gives it this trait.
pub trait TensorConn: DiscreteOperator<Backend = Padded> {
    /// Connected elements of a batch of quantum numbers, shape `(batch, n_sites)` of any dtype.
    ///
    /// Used slots come first; an unused one holds the sample itself with element 0. If the operator's
    /// parameters are a tensor
    /// ([`PaddedOperator::with_parameter_tensor`](crate::PaddedOperator::with_parameter_tensor)), gradients
    /// flow from the elements into it.
    ///
    /// The slots of a custom kernel are in its own order, and the states in them are not checked, because
    /// that would bring all of them to the host.
    ///
    /// # Errors
    /// As [`DiscreteOperator::get_conn_flattened_into`]; [`Error::Backend`](operator_core::Error::Backend)
    /// for values that are not whole; [`Error::Custom`](operator_core::Error::Custom) if a custom kernel
    /// gives tensors of another shape or dtype.
    fn conn(&self, x: &Tensor) -> Result<ConnTensors>;

    /// The same into the tensors of an earlier block, which are overwritten if their shapes and types fit. On the CPU,
    /// a block of equal size then needs no new memory for its elements.
    ///
    /// After an error, `conn` is as before or overwritten in part.
    ///
    /// # Errors
    /// As [`conn`](Self::conn).
    fn conn_into(&self, x: &Tensor, conn: &mut ConnTensors) -> Result<()> {
        *conn = self.conn(x)?;
        Ok(())
    }

    /// Number of connected x' ≠ x of each sample, shape `(batch,)`, u32.
    ///
    /// # Errors
    /// As [`conn`](Self::conn); [`Error::Custom`](operator_core::Error::Custom) if a custom kernel leaves its
    /// space.
    fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor>;

    /// The k-th connected x' ≠ x of each sample, shape `(batch, n_sites)`, or the sample itself beyond the
    /// last.
    ///
    /// `k` has shape `(batch,)` and dtype u32. The order is the operator's own.
    ///
    /// # Errors
    /// As [`n_off_diagonal`](Self::n_off_diagonal); [`Error::Count`](operator_core::Error::Count) unless `k`
    /// has one number a sample.
    fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor>;

    /// [`conn`](Self::conn) for those who read [`ConnTensors::status`] with the values that they bring to the host, so
    /// that samples on a device are not waited for.
    #[doc(hidden)]
    fn conn_unchecked(&self, x: &Tensor) -> Result<ConnTensors> {
        self.conn(x)
    }

    /// The states connected to `x`, `(batch, n_sites)`, which are states of the space on the operator's device, for chains
    /// that stay there; `None` for custom kernels.
    ///
    /// # Errors
    /// As [`n_off_diagonal`](Self::n_off_diagonal). On CUDA devices samples are not checked.
    #[doc(hidden)]
    fn origins(&self, _x: &Tensor) -> Result<Option<Origins<Self::Element>>> {
        Ok(None)
    }

    /// The engine that the operator was lowered to, which runs on the host; `None` for custom kernels.
    #[doc(hidden)]
    fn engine(&self) -> Option<&Engine<Self::Element>> {
        None
    }

    /// The parameters, if they are a tensor.
    #[doc(hidden)]
    fn parameters_as_tensor(&self) -> Option<&Tensor> {
        None
    }

    /// The matrix elements as functions of the operator's parameters. They are made on the first call, and
    /// kept.
    ///
    /// # Errors
    /// [`Error::NoDefinition`](operator_core::Error::NoDefinition) for a custom kernel;
    /// [`Error::Backend`](operator_core::Error::Backend) if the device fails.
    #[doc(hidden)]
    fn differentiable(&self) -> Result<&Differentiable>;
}
