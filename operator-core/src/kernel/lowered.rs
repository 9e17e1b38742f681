//! A lowered operator without values, as masks or as tables, and its working memory.

use num_complex::Complex64;

use super::forms::{FormBuilder, Forms};
use super::mask::{self, MaskKernel};
use super::table::{self, TableKernel};
use crate::bits::SiteSet;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::terms::Term;

/// Working memory of one thread, reused from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct Scratch<T> {
    pub(crate) words: SiteSet,
    pub(crate) hits: mask::Hits<T>,
    pub(crate) digits: Vec<u8>,
    pub(crate) sums: Vec<T>,
}

/// A lowered operator without values: which states are connected, and by which slots.
#[derive(Debug)]
pub(crate) enum Kernel {
    Mask(MaskKernel),
    Table(TableKernel),
}

impl Kernel {
    /// Lowers terms to masks if all sites are two-level, otherwise to tables.
    pub(crate) fn build(hilbert: &HilbertSpace, terms: &[Term]) -> Result<(Self, Forms)> {
        let mut forms = FormBuilder::new();
        let kernel = if hilbert.is_two_level() {
            Kernel::Mask(mask::build(hilbert, terms, &mut forms)?)
        } else {
            Kernel::Table(table::build(hilbert, terms, &mut forms)?)
        };
        Ok((kernel, forms.finish()))
    }

    pub(crate) fn n_sites(&self) -> usize {
        match self {
            Kernel::Mask(kernel) => kernel.mirror.len(),
            Kernel::Table(kernel) => kernel.blocks.iter().map(|block| block.n_sites).sum(),
        }
    }

    pub(crate) fn n_groups(&self) -> usize {
        match self {
            Kernel::Mask(kernel) => kernel.groups.len(),
            Kernel::Table(kernel) => kernel.groups.len(),
        }
    }

    /// Upper bound of the number of groups that are evaluated for a configuration.
    pub(crate) fn n_tried(&self) -> usize {
        match self {
            Kernel::Mask(kernel) => kernel.n_tried(),
            Kernel::Table(kernel) => kernel.groups.len(),
        }
    }

    pub(crate) fn max_conn_size(&self) -> usize {
        match self {
            Kernel::Mask(kernel) => kernel.max_conn_size(),
            Kernel::Table(kernel) => kernel.max_conn_size(),
        }
    }

    pub(crate) fn is_hermitian(&self, values: &[Complex64]) -> bool {
        match self {
            Kernel::Mask(kernel) => mask::is_hermitian(kernel, values),
            Kernel::Table(kernel) => table::is_hermitian(kernel, values),
        }
    }
}
