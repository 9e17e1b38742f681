//! The operator of the flat backend.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array1, ArrayView2};
use operator_core::kernel::Engine;
use operator_core::parallel::BatchEngine;
use operator_core::{
    Backend, ConnBatch, Definition, DiscreteOperator, Element, Error, HilbertSpace, PackedConn, PaddedConn,
    Parameters, Result, ranked_conn,
};

use crate::custom::FlatKernel;
use crate::engine::FlatEngine;
use crate::visitor::{VisitConn, Visitor};
use crate::{Flat, custom_batch};

/// An operator on the flat backend, with matrix elements of type `T`.
///
/// [`Model::lower`](operator_core::Model::lower) makes it from a model, [`custom`](Self::custom) from a kernel of
/// your own. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct FlatOperator<T: Element = f64> {
    pub(crate) engine: FlatEngine<T>,
}

impl<T: Element> FlatOperator<T> {
    /// Lowers a definition.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if `T` is real and the operator is not.
    pub fn new(definition: Definition) -> Result<Self> {
        let engine = definition.engine()?;
        Ok(FlatOperator { engine: FlatEngine::Terms { definition, engine: BatchEngine::new(engine) } })
    }

    /// An operator from a kernel of your own.
    ///
    /// # Errors
    /// [`Error::Custom`] if the kernel leaves its space on the states it is tried on.
    pub fn custom(kernel: impl FlatKernel<T> + 'static) -> Result<Self> {
        let kernel: Arc<dyn FlatKernel<T>> = Arc::new(kernel);
        let hermitian = match kernel.is_hermitian() {
            Some(known) => known,
            None => custom_batch::is_hermitian(kernel.as_ref())?,
        };
        let max_conn_size = match kernel.max_conn_size() {
            Some(known) => known,
            None => custom_batch::largest_row(kernel.as_ref())?,
        };
        Ok(FlatOperator { engine: FlatEngine::Custom { kernel, max_conn_size, hermitian } })
    }

    /// Where the operator is: always the CPU, the only device of this backend.
    pub fn device(&self) -> <Flat as Backend>::Device {}

    /// The same operator with other values of its parameters; nothing is lowered again.
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; otherwise see
    /// [`Structure::pack`](operator_core::Structure::pack).
    pub fn with_parameters(&self, parameters: Parameters) -> Result<Self> {
        let (_, structure) = self.unpack()?;
        Self::new(structure.pack(parameters)?)
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
            FlatEngine::Terms { engine, .. } => engine.connect_into(&rows, conn),
            FlatEngine::Custom { kernel, .. } => {
                custom_batch::connect(kernel.as_ref(), &rows, conn)?;
                let checked = self.hilbert().check(conn.states());
                checked.map_err(|error| Error::leaves_space(self.describe(), &error))
            }
        }
    }

    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        let rows = self.hilbert().check_rows(x)?;
        match &self.engine {
            FlatEngine::Terms { engine, .. } => Ok(engine.n_conn(&rows).into()),
            FlatEngine::Custom { kernel, .. } => Ok(custom_batch::count(kernel.as_ref(), &rows)?.into()),
        }
    }

    fn get_conn_indices_into(&self, states: Range<usize>, conn: &mut ConnBatch<T, usize>) -> Result<()> {
        match &self.engine {
            FlatEngine::Terms { engine, .. } if self.hilbert().is_two_level() => {
                engine.connect_indices_into(self.hilbert(), states, conn)
            }
            _ => ranked_conn(self, states, conn),
        }
    }

    fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<T>> {
        let conn = self.get_conn_flattened(x)?;
        let widest = conn.counts().max().unwrap_or(0);
        let width = match &self.engine {
            FlatEngine::Terms { .. } => self.max_conn_size(),
            // A custom kernel's bound may be unknown or wrong: pad to what there is.
            FlatEngine::Custom { .. } => widest,
        };
        conn.to_padded(x, width)
    }
}

impl<T: Element> VisitConn for FlatOperator<T> {
    fn visitor(&self) -> Visitor<'_, T> {
        self.engine.visitor()
    }

    fn engine(&self) -> Option<&Engine<T>> {
        match &self.engine {
            FlatEngine::Terms { engine, .. } => Some(engine.engine()),
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
