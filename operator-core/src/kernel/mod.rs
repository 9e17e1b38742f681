//! Operators in the form that backends run.
//!
//! [`Definition`](crate::Definition) lowers its terms once to one of two kernels:
//! masks where every site has two local states, tables for any local dimension. A kernel is
//! static: it names its matrix elements by *slots*, and [`Forms`] says what value each slot takes for given
//! parameters. [`Engine`] joins the two and visits the connected elements of one configuration; backends
//! add batches, threads, buffers and devices to it.

mod batch;
mod dependents;
mod forms;
mod mask;
mod mask_build;
mod mask_diagonal;
mod mask_hermitian;
mod mask_occupied;
mod mask_planes;
mod mask_string;
mod moves;
mod rows;
mod table;
mod table_build;
mod table_hermitian;
mod table_list;
mod table_steps;
mod tally;
mod write;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use batch::Found;
pub use forms::Forms;
pub(crate) use forms::{Form, FormBuilder, clean};
pub(crate) use mask::MaskKernel;
pub use moves::Moves;
pub(crate) use table::TableKernel;

use batch::BatchPlan;
use dependents::Dependents;

use crate::bits::SiteSet;
use crate::element::Element;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::terms::Term;

use num_complex::Complex64;

/// One connected configuration x', as its difference from the sample x.
#[derive(Clone, Copy, Debug)]
pub struct Connected<'a> {
    sites: &'a [u32],
    values: NewValues<'a>,
    origin: Origin<'a>,
}

#[derive(Clone, Copy, Debug)]
enum NewValues<'a> {
    /// For each site of the space, the sum of its two quantum numbers: the new one is the sum less the old.
    Mirror(&'a [i8]),
    /// For each changed site, its new quantum number.
    Given(&'a [i8]),
}

/// Where a matrix element comes from, so that it can be differentiated.
#[derive(Clone, Copy, Debug)]
enum Origin<'a> {
    Mask { kernel: &'a MaskKernel, pieces: (u32, u32), words: &'a [u64] },
    Table { kernel: &'a TableKernel, lookups: (u32, u32), target: Option<u32>, digits: &'a [u8] },
    Custom,
}

impl<'a> Connected<'a> {
    /// A change to the quantum numbers of `sites`, for kernels written outside this crate. The two slices
    /// have equal lengths; no site is repeated.
    pub fn new(sites: &'a [u32], values: &'a [i8]) -> Self {
        debug_assert_eq!(sites.len(), values.len());
        Connected { sites, values: NewValues::Given(values), origin: Origin::Custom }
    }

    /// The sites on which x' differs from x, none on the diagonal.
    #[inline]
    pub fn sites(&self) -> &'a [u32] {
        self.sites
    }

    /// Whether x' = x.
    #[inline]
    pub fn is_diagonal(&self) -> bool {
        self.sites.is_empty()
    }

    /// Turns `row`, which holds x, into x'.
    #[inline]
    pub fn write(&self, row: &mut [i8]) {
        match self.values {
            NewValues::Mirror(sums) => {
                for &site in self.sites {
                    let site = site as usize;
                    row[site] = sums[site].wrapping_sub(row[site]);
                }
            }
            NewValues::Given(values) => {
                for (&site, &value) in self.sites.iter().zip(values) {
                    row[site as usize] = value;
                }
            }
        }
    }

    /// The sites on which x' differs from `x`, which is x, each with its new quantum number.
    #[inline]
    pub fn changes<'x>(&self, x: &'x [i8]) -> impl Iterator<Item = (usize, i8)> + use<'a, 'x> {
        let values = self.values;
        self.sites.iter().enumerate().map(move |(k, &site)| {
            let site = site as usize;
            match values {
                NewValues::Mirror(sums) => (site, sums[site].wrapping_sub(x[site])),
                NewValues::Given(values) => (site, values[k]),
            }
        })
    }

    /// The slots whose values add up to this matrix element, each with whether it enters negatively.
    ///
    /// This is the derivative of the element: 1 (or −1) in each of these slots, 0 in all others.
    pub fn for_each_slot(&self, mut f: impl FnMut(usize, bool)) {
        match self.origin {
            Origin::Mask { kernel, pieces, words } => kernel.for_each_slot(pieces, words, &mut f),
            Origin::Table { kernel, lookups, target, digits } => {
                kernel.for_each_slot(lookups, target, digits, &mut f);
            }
            Origin::Custom => {}
        }
    }
}

/// Working memory of one thread, reused from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct Scratch<T> {
    words: SiteSet,
    hits: mask::Hits<T>,
    digits: Vec<u8>,
    sums: Vec<T>,
}

/// A lowered operator without values: what is connected to what, by which slots.
#[derive(Debug)]
pub(crate) enum Kernel {
    Mask(MaskKernel),
    Table(TableKernel),
}

impl Kernel {
    /// Lowers terms to masks where all sites are two-level, to tables otherwise.
    pub(crate) fn build(hilbert: &HilbertSpace, terms: &[Term]) -> Result<(Self, Forms)> {
        let mut forms = FormBuilder::new();
        let kernel = if hilbert.is_two_level() {
            Kernel::Mask(mask_build::build(hilbert, terms, &mut forms)?)
        } else {
            Kernel::Table(table_build::build(hilbert, terms, &mut forms)?)
        };
        Ok((kernel, forms.finish()))
    }

    fn n_sites(&self) -> usize {
        match self {
            Kernel::Mask(kernel) => kernel.mirror.len(),
            Kernel::Table(kernel) => kernel.blocks.iter().map(|block| block.n_sites).sum(),
        }
    }

    fn n_groups(&self) -> usize {
        match self {
            Kernel::Mask(kernel) => kernel.groups.len(),
            Kernel::Table(kernel) => kernel.groups.len(),
        }
    }

    /// Upper bound of the number of groups that are evaluated for a configuration.
    fn n_tried(&self) -> usize {
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
            Kernel::Mask(kernel) => mask_hermitian::is_hermitian(kernel, values),
            Kernel::Table(kernel) => table_hermitian::is_hermitian(kernel, values),
        }
    }
}

/// A lowered operator with the values of its matrix elements: visits connected elements one configuration
/// at a time.
///
/// Cheap to clone. It checks nothing about its samples; batches are checked once by
/// [`HilbertSpace::check`] before they get here. A sample that was not checked gives meaningless elements
/// or a panic, never undefined behaviour.
#[derive(Clone, Debug)]
pub struct Engine<T> {
    kernel: Arc<Kernel>,
    values: Arc<[T]>,
    /// Made when the first block of samples comes.
    plan: Arc<OnceLock<BatchPlan<T>>>,
    /// Made when moves are first followed.
    dependents: Arc<OnceLock<Dependents>>,
}

impl<T: Element> Engine<T> {
    pub(crate) fn new(kernel: Arc<Kernel>, values: Vec<T>) -> Self {
        Engine { kernel, values: values.into(), plan: Arc::default(), dependents: Arc::default() }
    }

    fn plan(&self) -> &BatchPlan<T> {
        self.plan.get_or_init(|| BatchPlan::new(&self.kernel, &self.values))
    }

    fn n_sites(&self) -> usize {
        self.kernel.n_sites()
    }

    /// The value of each slot; slot 0 is always 0.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Upper bound of the number of connected elements of any configuration.
    pub fn max_conn_size(&self) -> usize {
        self.kernel.max_conn_size()
    }

    /// Calls `visit` for each non-zero element `<x|O|x'>`: the diagonal first where it is present, then a
    /// fixed order of groups. No x' comes twice.
    #[inline]
    pub fn visit<F>(&self, x: &[i8], scratch: &mut Scratch<T>, mut visit: F)
    where
        F: FnMut(Connected<'_>, T),
    {
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                kernel.pack(x, &mut scratch.words);
                kernel.visit(&scratch.words, &self.values, &mut scratch.hits, &mut visit);
            }
            Kernel::Table(kernel) => {
                scratch.digits.clear();
                kernel.push_digits(x, &mut scratch.digits);
                kernel.visit(&scratch.digits, &self.values, &mut scratch.sums, &mut visit);
            }
        }
    }

    /// Number of non-zero elements of one configuration.
    #[inline]
    pub fn n_conn(&self, x: &[i8], scratch: &mut Scratch<T>) -> usize {
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                kernel.pack(x, &mut scratch.words);
                kernel.n_conn(&scratch.words, &self.values, &mut scratch.hits)
            }
            Kernel::Table(_) => {
                let mut n = 0;
                self.visit(x, scratch, |_, _| n += 1);
                n
            }
        }
    }
}

impl Engine<f64> {
    /// An engine in which no element is zero unless its slots cancel.
    pub(crate) fn pattern(kernel: Arc<Kernel>, n_slots: usize) -> Self {
        let values = (0..n_slots as u64).map(|slot| if slot == 0 { 0.0 } else { generic(slot) });
        Engine::new(kernel, values.collect())
    }
}

/// A number from 1 to 2 for each slot, without whole relations among them: a sum of slots with signs is zero
/// only if each cancels. (The mixing function of SplitMix64, Steele et al., OOPSLA 2014.)
fn generic(slot: u64) -> f64 {
    let mut z = slot.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    1.0 + ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}

/// A number to be used as a 32-bit offset into a kernel's arrays.
fn offset(n: usize) -> Result<u32> {
    u32::try_from(n).map_err(|_| crate::Error::TooLarge {
        what: "the operator's lowered form".into(),
        bytes: n as f64 * 4.0,
        limit: f64::from(u32::MAX) * 4.0,
        remedy: "split it into a sum of operators",
    })
}
