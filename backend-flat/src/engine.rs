//! What a flat operator runs: kernels lowered from terms, and those of third parties.

use std::sync::Arc;

use operator_core::kernel::{Connected, Engine, Scratch};
use operator_core::{Definition, Element, HilbertSpace, Result};

use crate::custom::{self, FlatKernel};
use crate::finder::Finders;

/// What a flat operator runs: a kernel lowered from terms, or somebody else's.
#[derive(Clone, Debug)]
pub(crate) enum FlatEngine<T> {
    /// Clones share their finders.
    Terms {
        definition: Definition,
        engine: Engine<T>,
        finders: Arc<Finders<T>>,
    },
    Custom {
        kernel: Arc<dyn FlatKernel<T>>,
        max_conn_size: usize,
        hermitian: bool,
    },
}

impl<T: Element> FlatEngine<T> {
    pub(crate) fn of_terms(definition: Definition, engine: Engine<T>) -> Self {
        FlatEngine::Terms { definition, engine, finders: Arc::default() }
    }

    pub(crate) fn hilbert(&self) -> &HilbertSpace {
        match self {
            FlatEngine::Terms { definition, .. } => definition.hilbert(),
            FlatEngine::Custom { kernel, .. } => kernel.hilbert(),
        }
    }

    /// Visits the non-zero elements of one checked sample.
    #[inline]
    pub(crate) fn visit<F>(&self, x: &[i8], scratch: &mut Scratch<T>, mut f: F) -> Result<()>
    where
        F: FnMut(Connected<'_>, T),
    {
        match self {
            FlatEngine::Terms { engine, .. } => {
                engine.visit(x, scratch, f);
                Ok(())
            }
            FlatEngine::Custom { kernel, .. } => custom::visit(kernel.as_ref(), x, &mut f),
        }
    }

    /// Number of non-zero elements of one checked sample.
    #[inline]
    pub(crate) fn n_conn(&self, x: &[i8], scratch: &mut Scratch<T>) -> Result<usize> {
        match self {
            FlatEngine::Terms { engine, .. } => Ok(engine.n_conn(x, scratch)),
            FlatEngine::Custom { kernel, .. } => {
                let mut n = 0;
                custom::visit(kernel.as_ref(), x, &mut |_, _| n += 1)?;
                Ok(n)
            }
        }
    }
}
