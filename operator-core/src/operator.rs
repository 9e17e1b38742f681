//! What every operator can do on any backend.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use sprs::CsMat;

use crate::backend::{Backend, Lower};
use crate::conn::{ConnBatch, PaddedConn};
use crate::definition::{Definition, Structure};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::memory;
use crate::parameters::Parameters;

/// How many basis states are connected at a time in a pass through the whole space.
const STATES_AT_A_TIME: usize = 4096;

/// Called with a row of the matrix and its non-zero elements, as (column, element).
pub type RowVisitor<'a, T> = &'a mut dyn FnMut(usize, &[(usize, T)]) -> Result<()>;

/// A discrete operator on some backend.
///
/// Five methods define it. All others follow from them; backends override those that they can do faster.
/// Samples are batches of quantum numbers, shape `(batch, n_sites)`, on the host. What a backend does on its own
/// device is in its own crate.
pub trait DiscreteOperator: Send + Sync {
    /// Marker of the backend. Samplers and local kernels find their implementation through it.
    type Backend: Backend;

    /// Type of the matrix elements.
    type Element: Element;

    /// The space that it acts on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Where the operator runs; by default the backend's default device.
    ///
    /// Backends with more than one device override it.
    fn device(&self) -> <Self::Backend as Backend>::Device {
        Self::Backend::default_device()
    }

    /// Upper bound of the number of connected elements of any configuration.
    fn max_conn_size(&self) -> usize;

    /// Whether the operator is Hermitian.
    fn is_hermitian(&self) -> bool;

    /// Fills a buffer with all x' with `<x|O|x'>` ≠ 0 of each sample. The buffer keeps its memory.
    ///
    /// The diagonal comes first if it is not 0. The other elements have a fixed order.
    ///
    /// # Shapes
    /// `x` is `(batch, n_sites)`; see [`ConnBatch`].
    ///
    /// # Errors
    /// [`Error::SampleWidth`], [`Error::NotALocalState`], [`Error::OutsideConstraint`] for bad samples;
    /// [`Error::Backend`] if the device fails.
    fn get_conn_flattened_into(
        &self,
        x: ArrayView2<'_, i8>,
        conn: &mut ConnBatch<Self::Element>,
    ) -> Result<()>;

    /// The definition in terms, `None` for a custom kernel.
    fn definition(&self) -> Option<&Definition>;

    /// A short description for messages.
    fn describe(&self) -> String {
        match self.definition() {
            Some(definition) => definition.to_string(),
            None => format!("custom operator on {}", self.hilbert()),
        }
    }

    /// Number of non-zero elements of each sample.
    ///
    /// # Errors
    /// As [`get_conn_flattened_into`](Self::get_conn_flattened_into).
    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        let conn = self.get_conn_flattened(x)?;
        Ok(conn.counts().collect())
    }

    /// Connected elements of one sample: states `(n_conn, n_sites)` and matrix elements `(n_conn,)`.
    ///
    /// # Errors
    /// As [`get_conn_flattened_into`](Self::get_conn_flattened_into).
    fn get_conn(&self, x: ArrayView1<'_, i8>) -> Result<(Array2<i8>, Array1<Self::Element>)> {
        let conn = self.get_conn_flattened(x.insert_axis(Axis(0)))?;
        Ok((conn.states().to_owned(), conn.mels().to_owned()))
    }

    /// Connected elements of a batch in a new buffer.
    ///
    /// # Errors
    /// As [`get_conn_flattened_into`](Self::get_conn_flattened_into).
    fn get_conn_flattened(&self, x: ArrayView2<'_, i8>) -> Result<ConnBatch<Self::Element>> {
        let mut conn = ConnBatch::new();
        self.get_conn_flattened_into(x, &mut conn)?;
        Ok(conn)
    }

    /// Connected elements of a batch, padded to [`max_conn_size`](Self::max_conn_size).
    ///
    /// # Shapes
    /// States `(batch, max_conn_size, n_sites)` and elements `(batch, max_conn_size)`; unused slots hold the
    /// sample itself with element 0.
    ///
    /// # Errors
    /// As [`get_conn_flattened_into`](Self::get_conn_flattened_into).
    fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<Self::Element>> {
        let conn = self.get_conn_flattened(x)?;
        let widest = conn.counts().max().unwrap_or(0);
        if widest > self.max_conn_size() {
            return Err(Error::Custom {
                operator: self.describe(),
                reason: format!("{widest} elements of one sample; max_conn_size is {}", self.max_conn_size()),
            });
        }
        conn.to_padded(x, self.max_conn_size())
    }

    /// The matrix in compressed rows, in the order of [`HilbertSpace::all_states`].
    ///
    /// # Errors
    /// [`Error::NotIndexable`] and [`Error::TooLarge`] for spaces that are too large; [`Error::Custom`] if a
    /// custom operator leaves its space.
    fn to_sparse(&self) -> Result<CsMat<Self::Element>> {
        let n_states = self.hilbert().n_states()?;
        let mut rows = SparseRows::new(n_states, self.hilbert())?;
        self.for_all_states(&mut |_, connected| rows.push(connected))?;
        rows.finish()
    }

    /// The full matrix, shape `(n_states, n_states)`, in the order of [`HilbertSpace::all_states`].
    ///
    /// # Errors
    /// As [`to_sparse`](Self::to_sparse).
    fn to_dense(&self) -> Result<Array2<Self::Element>> {
        let n_states = self.hilbert().n_states()?;
        let bytes = (n_states as f64).powi(2) * size_of::<Self::Element>() as f64;
        memory::expect_fits(
            || format!("the dense matrix on {}", self.hilbert()),
            bytes,
            "use to_sparse or apply",
        )?;
        let mut dense = Array2::zeros((n_states, n_states));
        self.for_all_states(&mut |row, connected| {
            connected.iter().for_each(|&(col, mel)| dense[[row, col]] += mel);
            Ok(())
        })?;
        Ok(dense)
    }

    /// `H v` without building the matrix.
    ///
    /// # Errors
    /// [`Error::VectorLength`], [`Error::NotIndexable`].
    fn apply(&self, v: ArrayView1<'_, Self::Element>) -> Result<Array1<Self::Element>> {
        let expected = self.hilbert().n_states()?;
        if v.len() != expected {
            return Err(Error::VectorLength { got: v.len(), expected, hilbert: self.hilbert().to_string() });
        }
        let mut out = Array1::zeros(expected);
        self.for_all_states(&mut |row, connected| {
            out[row] = connected.iter().fold(Self::Element::default(), |sum, &(col, mel)| sum + mel * v[col]);
            Ok(())
        })?;
        Ok(out)
    }

    /// Calls `f` with the number of each state and its connected elements, whose x' are numbers of states too.
    ///
    /// # Errors
    /// [`Error::NotIndexable`]; [`Error::Custom`] if a custom operator leaves its space; those of `f`.
    #[doc(hidden)]
    fn for_all_states(&self, f: RowVisitor<'_, Self::Element>) -> Result<()> {
        let n_states = self.hilbert().n_states()?;
        let mut conn = ConnBatch::new();
        let mut connected = Vec::new();
        for start in (0..n_states).step_by(STATES_AT_A_TIME) {
            self.get_conn_indices_into(start..n_states.min(start + STATES_AT_A_TIME), &mut conn)?;
            for (b, (columns, mels)) in conn.samples().enumerate() {
                connected.clear();
                connected.extend(columns.into_iter().copied().zip(mels.iter().copied()));
                f(start + b, &connected)?;
            }
        }
        Ok(())
    }

    /// Fills a buffer with the connected elements of consecutive states. Each x' is its number among the states.
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::IndexOutOfRange`]; [`Error::Custom`] if a custom operator leaves its
    /// space.
    fn get_conn_indices_into(
        &self,
        states: Range<usize>,
        conn: &mut ConnBatch<Self::Element, usize>,
    ) -> Result<()> {
        ranked_conn(self, states, conn)
    }

    /// Splits the operator into its parameters and its static part.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel.
    fn unpack(&self) -> Result<(Parameters, Structure)> {
        self.definition()
            .map(Definition::unpack)
            .ok_or_else(|| Error::NoDefinition { operator: self.describe(), action: "be unpacked" })
    }

    /// The Hermitian conjugate (conjugate transpose), on the same backend and device.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; [`Error::LeavesHilbert`] for an operator that only enters a
    /// constrained space; [`Error::Backend`] if the device fails.
    fn adjoint(&self) -> Result<<Self::Backend as Lower<Self::Element>>::Operator>
    where
        Self: Sized,
        Self::Backend: Lower<Self::Element>,
    {
        match self.definition() {
            Some(definition) => {
                definition.adjoint()?.lower_on::<Self::Backend, Self::Element>(&self.device())
            }
            None => Err(Error::NoDefinition { operator: self.describe(), action: "be conjugated" }),
        }
    }

    /// The same operator on the default device of another backend, `operator.to_backend::<Padded>()`.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; [`Error::Backend`] if the device fails.
    fn to_backend<B: Lower<Self::Element>>(&self) -> Result<B::Operator>
    where
        Self: Sized,
    {
        self.to_backend_on::<B>(&B::default_device())
    }

    /// The same operator on a device of another backend, or of its own.
    ///
    /// # Errors
    /// As [`to_backend`](Self::to_backend).
    fn to_backend_on<B: Lower<Self::Element>>(&self, device: &B::Device) -> Result<B::Operator>
    where
        Self: Sized,
    {
        match self.definition() {
            Some(definition) => definition.lower_on::<B, Self::Element>(device),
            None => {
                Err(Error::NoDefinition { operator: self.describe(), action: "be moved to another backend" })
            }
        }
    }
}

/// What [`DiscreteOperator::get_conn_indices_into`] does by default: it finds the connected elements, then their
/// numbers.
///
/// # Errors
/// As that method.
pub fn ranked_conn<O: DiscreteOperator + ?Sized>(
    operator: &O,
    states: Range<usize>,
    conn: &mut ConnBatch<O::Element, usize>,
) -> Result<()> {
    let x = operator.hilbert().states_in(states)?;
    let flattened = operator.get_conn_flattened(x.view())?;
    let indices = operator
        .hilbert()
        .states_to_indices(flattened.states())
        .map_err(|error| Error::leaves_space(operator.describe(), &error))?;
    let counts: Vec<usize> = flattened.counts().collect();
    let (columns, mels, _) = conn.reset(1, &counts)?;
    columns.iter_mut().zip(indices).for_each(|(to, index)| *to = index);
    mels.iter_mut().zip(flattened.mels()).for_each(|(to, &mel)| *to = mel);
    Ok(())
}

/// A CSR matrix that is built row by row.
struct SparseRows<T> {
    name: String,
    n_states: usize,
    row_starts: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<T>,
    row: Vec<(usize, T)>,
}

impl<T: Element> SparseRows<T> {
    fn new(n_states: usize, hilbert: &HilbertSpace) -> Result<Self> {
        let name = format!("the sparse matrix on {hilbert}");
        memory::expect_fits(|| name.clone(), n_states as f64 * 8.0, "use apply or samples")?;
        let row_starts = Vec::with_capacity(n_states + 1);
        let mut rows = SparseRows {
            name,
            n_states,
            row_starts,
            columns: Vec::new(),
            values: Vec::new(),
            row: Vec::new(),
        };
        rows.row_starts.push(0);
        Ok(rows)
    }

    fn push(&mut self, connected: &[(usize, T)]) -> Result<()> {
        self.row.clear();
        self.row.extend_from_slice(connected);
        self.row.sort_unstable_by_key(|&(col, _)| col);
        let start = self.columns.len();
        for &(col, mel) in &self.row {
            match self.columns.last() {
                // A custom operator may emit one x' twice.
                Some(&last) if self.columns.len() > start && last == col => {
                    if let Some(value) = self.values.last_mut() {
                        *value += mel;
                    }
                }
                _ => {
                    self.columns.push(col);
                    self.values.push(mel);
                }
            }
        }
        self.row_starts.push(self.columns.len());
        let bytes = self.columns.len() as f64 * (8 + size_of::<T>()) as f64;
        memory::expect_fits(|| self.name.clone(), bytes, "use apply or samples")
    }

    fn finish(self) -> Result<CsMat<T>> {
        let shape = (self.n_states, self.n_states);
        CsMat::try_new(shape, self.row_starts, self.columns, self.values)
            .map_err(|(_, _, _, error)| Error::Custom { operator: self.name, reason: error.to_string() })
    }
}
