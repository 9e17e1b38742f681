//! What a flat operator runs: an engine lowered from terms, or a kernel of a third party.

use std::sync::Arc;

use operator_core::parallel::BatchEngine;
use operator_core::{Definition, Element, HilbertSpace};

use crate::custom::FlatKernel;
use crate::visitor::Visitor;

#[derive(Clone, Debug)]
pub(crate) enum FlatEngine<T> {
    Terms { definition: Definition, engine: BatchEngine<T> },
    Custom { kernel: Arc<dyn FlatKernel<T>>, max_conn_size: usize, hermitian: bool },
}

impl<T: Element> FlatEngine<T> {
    pub(crate) fn hilbert(&self) -> &HilbertSpace {
        match self {
            FlatEngine::Terms { definition, .. } => definition.hilbert(),
            FlatEngine::Custom { kernel, .. } => kernel.hilbert(),
        }
    }

    pub(crate) fn visitor(&self) -> Visitor<'_, T> {
        match self {
            FlatEngine::Terms { engine, .. } => Visitor::of_engine(engine.engine()),
            FlatEngine::Custom { kernel, .. } => Visitor::of_kernel(kernel.as_ref()),
        }
    }
}
