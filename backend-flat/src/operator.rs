//! The operator of the flat backend.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array1, ArrayView2};
use operator_core::kernel::{Connected, Engine, Scratch};
use operator_core::{
    ConnBatch, Definition, DiscreteOperator, Element, Error, HilbertSpace, HostRows, PackedConn, PaddedConn,
    Parameters, Result, ranked_conn,
};

use crate::custom::{self, FlatKernel};
use crate::engine::FlatEngine;
use crate::{Flat, parallel};

/// Spaces of at most this many states are gone through to learn about a custom kernel.
const SMALL_SPACE: usize = 1 << 14;

/// An operator on the flat backend, with matrix elements of type `T`.
///
/// Cheap to clone. Made from a model by [`Model::lower`](operator_core::Model::lower), or from a third
/// party's kernel by [`custom`](Self::custom).
#[derive(Clone, Debug)]
pub struct FlatOperator<T: Element = f64> {
    pub(crate) engine: FlatEngine<T>,
}

/// Operators of the flat backend whose elements can be visited without storing them.
pub trait VisitConn: DiscreteOperator<Backend = Flat> {
    /// Calls `visit` for each connected element of one sample.
    ///
    /// The sample is not checked: it must be a state of the space
    /// ([`HilbertSpace::check`](operator_core::HilbertSpace)).
    ///
    /// # Errors
    /// [`Error::Custom`] if a custom kernel breaks its promises.
    fn visit_conn(
        &self,
        x: &[i8],
        scratch: &mut Scratch<Self::Element>,
        visit: &mut dyn FnMut(Connected<'_>, Self::Element),
    ) -> Result<()>;

    /// What the operator was lowered to, which goes through blocks of samples and follows moves; `None` for
    /// custom kernels.
    fn engine(&self) -> Option<&Engine<Self::Element>> {
        None
    }

    /// Connected elements with states packed into words; see
    /// [`FlatOperator::get_conn_packed_into`].
    ///
    /// # Errors
    /// [`Error::NoDefinition`] unless the operator has an own way to pack.
    fn get_conn_packed_into(
        &self,
        _x: ArrayView2<'_, i8>,
        _conn: &mut PackedConn<Self::Element>,
    ) -> Result<()> {
        Err(Error::NoDefinition { operator: self.describe(), action: "give packed states" })
    }
}

impl<T: Element> FlatOperator<T> {
    /// Lowers a definition.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if `T` is real and the operator is not.
    pub fn new(definition: Definition) -> Result<Self> {
        let engine = definition.engine()?;
        Ok(FlatOperator { engine: FlatEngine::of_terms(definition, engine) })
    }

    /// An operator from a kernel written elsewhere.
    ///
    /// # Errors
    /// [`Error::Custom`] if the kernel leaves its space on the states it is tried on.
    pub fn custom(kernel: impl FlatKernel<T> + 'static) -> Result<Self> {
        let kernel: Arc<dyn FlatKernel<T>> = Arc::new(kernel);
        let hermitian = match kernel.is_hermitian() {
            Some(known) => known,
            None => custom::probe_hermitian(kernel.as_ref(), SMALL_SPACE)?,
        };
        let max_conn_size = match kernel.max_conn_size() {
            Some(known) => known,
            None => largest_row(kernel.as_ref())?,
        };
        Ok(FlatOperator { engine: FlatEngine::Custom { kernel, max_conn_size, hermitian } })
    }

    /// The same operator with other values of its parameters; nothing is lowered again.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; otherwise see
    /// [`Structure::pack`](operator_core::Structure::pack).
    pub fn with_parameters(&self, parameters: Parameters) -> Result<Self> {
        let (_, structure) = self.unpack()?;
        Self::new(structure.pack(parameters)?)
    }

    fn count_custom(&self, rows: &HostRows<'_>) -> Result<Vec<usize>> {
        let mut counts = vec![0; rows.len()];
        let blocks = parallel::blocks(rows.len());
        let parts = parallel::split(&mut counts, blocks.iter().map(ExactSizeIterator::len));
        let jobs = blocks.into_iter().zip(parts).collect();
        parallel::run(jobs, |(block, counts)| {
            let mut scratch = Scratch::default();
            for (b, count) in block.zip(counts) {
                *count = self.engine.n_conn(rows.row(b), &mut scratch)?;
            }
            Ok(())
        })?;
        Ok(counts)
    }

    fn fill_custom(&self, rows: &HostRows<'_>, counts: &[usize], conn: &mut ConnBatch<T>) -> Result<()> {
        let n_sites = rows.n_sites();
        let (states, mels, offsets) = conn.reset(n_sites, counts);
        let blocks = parallel::blocks(counts.len());
        let totals: Vec<usize> =
            blocks.iter().map(|block| offsets[block.end] - offsets[block.start]).collect();
        let states = parallel::split(states, totals.iter().map(|total| total * n_sites));
        let mels = parallel::split(mels, totals);
        let jobs = blocks.into_iter().zip(states).zip(mels).collect();
        parallel::run(jobs, |((block, states), mels)| {
            let mut scratch = Scratch::default();
            let start = offsets[block.start];
            for b in block {
                let row = rows.row(b);
                let (from, to) = (offsets[b] - start, offsets[b + 1] - start);
                let states = &mut states[from * n_sites..to * n_sites];
                self.fill_sample(row, &mut scratch, states, &mut mels[from..to])?;
            }
            Ok(())
        })
    }

    /// Writes one sample's elements into slices of just their number.
    fn fill_sample(
        &self,
        x: &[i8],
        scratch: &mut Scratch<T>,
        states: &mut [i8],
        mels: &mut [T],
    ) -> Result<()> {
        let mut rows = states.chunks_exact_mut(x.len());
        let mut slots = mels.iter_mut();
        let mut surplus = 0;
        self.engine.visit(x, scratch, |connected, mel| match (rows.next(), slots.next()) {
            (Some(row), Some(slot)) => {
                row.copy_from_slice(x);
                connected.write(row);
                *slot = mel;
            }
            _ => surplus += 1,
        })?;
        if surplus > 0 || slots.len() > 0 {
            return Err(Error::Custom {
                operator: self.describe(),
                reason: "it emitted different numbers of elements for the same sample".into(),
            });
        }
        Ok(())
    }
}

impl FlatOperator<f64> {
    /// Everything that can be non-zero, with arbitrary elements: [`Definition::pattern`].
    pub(crate) fn pattern(definition: &Definition) -> Self {
        let (definition, engine) = (definition.clone(), definition.pattern());
        FlatOperator { engine: FlatEngine::of_terms(definition, engine) }
    }
}

impl<T: Element> DiscreteOperator for FlatOperator<T> {
    type Backend = Flat;
    type Element = T;

    fn hilbert(&self) -> &HilbertSpace {
        self.engine.hilbert()
    }

    fn max_conn_size(&self) -> usize {
        match &self.engine {
            FlatEngine::Terms { definition, .. } => definition.max_conn_size(),
            FlatEngine::Custom { max_conn_size, .. } => *max_conn_size,
        }
    }

    fn is_hermitian(&self) -> bool {
        match &self.engine {
            FlatEngine::Terms { definition, .. } => definition.is_hermitian(),
            FlatEngine::Custom { hermitian, .. } => *hermitian,
        }
    }

    fn definition(&self) -> Option<&Definition> {
        match &self.engine {
            FlatEngine::Terms { definition, .. } => Some(definition),
            FlatEngine::Custom { .. } => None,
        }
    }

    fn describe(&self) -> String {
        match &self.engine {
            FlatEngine::Terms { definition, .. } => definition.to_string(),
            FlatEngine::Custom { kernel, .. } => format!("{kernel:?}"),
        }
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<T>) -> Result<()> {
        let rows = self.hilbert().check_rows(x)?;
        match &self.engine {
            FlatEngine::Terms { engine, finders, .. } => {
                finders.with(|finder| {
                    finder.find(engine, &rows);
                    finder.write_into(engine, &rows, rows.n_sites(), conn, Engine::write);
                });
                Ok(())
            }
            FlatEngine::Custom { .. } => {
                let counts = self.count_custom(&rows)?;
                self.fill_custom(&rows, &counts, conn)?;
                let checked = self.hilbert().check(conn.states());
                checked.map_err(|error| Error::leaves_space(self.describe(), &error))
            }
        }
    }

    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        let rows = self.hilbert().check_rows(x)?;
        match &self.engine {
            FlatEngine::Terms { engine, finders, .. } => Ok(finders.with(|finder| {
                finder.find(engine, &rows);
                finder.counts().to_vec().into()
            })),
            FlatEngine::Custom { .. } => Ok(self.count_custom(&rows)?.into()),
        }
    }

    fn get_conn_indices_into(&self, states: Range<usize>, conn: &mut ConnBatch<T, usize>) -> Result<()> {
        let hilbert = self.hilbert();
        let FlatEngine::Terms { engine, finders, .. } = &self.engine else {
            return ranked_conn(self, states, conn);
        };
        if !hilbert.is_two_level() {
            return ranked_conn(self, states, conn);
        }
        let (ranking, x) = (hilbert.packed_ranking()?, hilbert.states_in(states)?);
        let rows = HostRows::of_states(x.view());
        finders.with(|finder| {
            finder.find(engine, &rows);
            finder.write_into(engine, &rows, 1, conn, |engine, _, found, indices: &mut [usize], mels| {
                engine.write_indices(found, ranking, indices, mels);
            });
        });
        Ok(())
    }

    fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<T>> {
        let conn = self.get_conn_flattened(x)?;
        let widest = conn.offsets().windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let width = match &self.engine {
            FlatEngine::Terms { .. } => self.max_conn_size(),
            // A custom kernel's bound may be unknown or wrong: pad to what there is.
            FlatEngine::Custom { .. } => widest,
        };
        Ok(conn.to_padded(x, width))
    }
}

impl<T: Element> VisitConn for FlatOperator<T> {
    fn visit_conn(
        &self,
        x: &[i8],
        scratch: &mut Scratch<T>,
        visit: &mut dyn FnMut(Connected<'_>, T),
    ) -> Result<()> {
        self.engine.visit(x, scratch, visit)
    }

    fn engine(&self) -> Option<&Engine<T>> {
        match &self.engine {
            FlatEngine::Terms { engine, .. } => Some(engine),
            FlatEngine::Custom { .. } => None,
        }
    }

    fn get_conn_packed_into(&self, x: ArrayView2<'_, i8>, conn: &mut PackedConn<T>) -> Result<()> {
        self.get_conn_packed_into(x, conn)
    }
}

impl<T: Element> fmt::Display for FlatOperator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Equal definitions; custom kernels are equal only to themselves.
impl<T: Element> PartialEq for FlatOperator<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.engine, &other.engine) {
            (FlatEngine::Terms { definition: a, .. }, FlatEngine::Terms { definition: b, .. }) => a == b,
            (FlatEngine::Custom { kernel: a, .. }, FlatEngine::Custom { kernel: b, .. }) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// The largest number of elements of any state, or the number of states where there are too many to look.
fn largest_row<T: Element>(kernel: &dyn FlatKernel<T>) -> Result<usize> {
    let n_states = kernel.hilbert().n_states().unwrap_or(usize::MAX);
    if n_states > SMALL_SPACE {
        return Ok(n_states);
    }
    let mut widest = 0;
    for x in kernel.hilbert().all_states()?.rows() {
        let mut n_conn = 0;
        custom::visit(kernel, &x.to_vec(), &mut |_, _| n_conn += 1)?;
        widest = widest.max(n_conn);
    }
    Ok(widest)
}
