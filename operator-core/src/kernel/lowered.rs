//! A lowered operator without values, as masks or as tables, and its working memory.

use num_complex::Complex64;

use super::conservation::{Condition, Conservation};
use super::forms::{Dropped, FormBuilder, Forms};
use super::mask::{self, MaskKernel, Strings};
use super::table::{self, TableKernel, TableLimits};
use crate::bits::SiteSet;
use crate::element::Element;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::memory;
use crate::terms::Term;

/// Working memory of one thread, reused from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct Scratch<T> {
    pub(crate) words: SiteSet,
    pub(crate) hits: mask::Hits<T>,
    pub(crate) digits: Vec<u8>,
}

/// A lowered operator without values: which states are connected, and by which slots.
#[derive(Debug)]
pub(crate) enum Kernel {
    Mask(MaskKernel),
    Table(TableKernel),
}

/// What lowering gives.
pub(crate) struct Lowered {
    pub(crate) kernel: Kernel,
    pub(crate) forms: Forms,
    pub(crate) dropped: Dropped,
    /// What the parameters must satisfy.
    pub(crate) conditions: Vec<Condition>,
}

/// Which kernel an operator is lowered to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Operators on two-level sites become masks on up to so many sites,
    pub(crate) mask_sites: usize,
    /// and on more if the masks take at most so many bytes. A mask takes a bit for every site; tables grow with the sites
    /// that terms act on.
    pub(crate) mask_bytes: f64,
    pub(crate) tables: TableLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { mask_sites: 4096, mask_bytes: (64 << 20) as f64, tables: TableLimits::DEFAULT }
    }
}

#[cfg(feature = "testing")]
impl Limits {
    /// Tables, whatever the space.
    pub(crate) const TABLES: Self = Limits { mask_sites: 0, mask_bytes: 0.0, tables: TableLimits::DEFAULT };
    /// Tables split by steps, whatever the space.
    pub(crate) const STEPS: Self = Limits { mask_sites: 0, mask_bytes: 0.0, tables: TableLimits::NONE };
}

impl Kernel {
    /// Lowers terms to masks if all sites are two-level and the masks are not too large, otherwise to tables.
    pub(crate) fn build(
        hilbert: &HilbertSpace,
        terms: &[Term],
        cutoff: f64,
        mut conservation: Conservation<'_>,
        limits: Limits,
    ) -> Result<Lowered> {
        let mut forms = FormBuilder::with_cutoff(terms, cutoff);
        let strings = if !hilbert.is_two_level() {
            None
        } else if hilbert.n_sites() <= limits.mask_sites {
            Some(Strings::new(hilbert, terms, memory::limit() as f64)?)
        } else {
            // Tables may have room for those that masks have not.
            Strings::new(hilbert, terms, limits.mask_bytes).ok()
        };
        let kernel = match strings {
            Some(strings) => {
                Kernel::Mask(mask::build(hilbert, terms, strings, &mut forms, &mut conservation)?)
            }
            None => {
                Kernel::Table(table::build(hilbert, terms, &mut forms, &mut conservation, limits.tables)?)
            }
        };
        let (dropped, conditions) = (forms.dropped(), conservation.conditions());
        Ok(Lowered { kernel, forms: forms.finish(), dropped, conditions })
    }

    /// Appends what the kernel needs besides the values of slots.
    pub(crate) fn extend_values<T: Element>(&self, values: &mut Vec<T>) {
        if let Kernel::Table(kernel) = self {
            values.extend(kernel.factors.iter().map(|&factor| T::from_complex(factor.into())));
        }
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
            Kernel::Table(kernel) => kernel.n_groups(),
        }
    }

    /// Upper bound of the number of groups that are evaluated for a configuration.
    pub(crate) fn n_tried(&self) -> usize {
        match self {
            Kernel::Mask(kernel) => kernel.n_tried(),
            Kernel::Table(kernel) => kernel.n_groups(),
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
