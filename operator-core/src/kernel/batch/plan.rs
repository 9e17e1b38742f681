//! What an engine prepares once, before its first block of samples.

use std::sync::{Arc, OnceLock};

use super::row_steps::RowSteps;
use super::row_writer::RowMasks;
use crate::bits;
use crate::element::Element;
use crate::kernel::changes::Changes;
use crate::kernel::lowered::Kernel;
use crate::kernel::mask::MaskPlanes;
use crate::kernel::offsets::range;
use crate::kernel::table::{MAX_WIDTH, StepList, TableList};

/// How an engine works through blocks of samples.
#[derive(Debug)]
pub(crate) struct BatchPlan<T> {
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) values: Arc<[T]>,
    pub(crate) strategy: Strategy<T>,
    /// For masks: the flips of each group, packed; also as rows once they are needed.
    pub(crate) flips: Vec<u64>,
    pub(crate) row_masks: OnceLock<RowMasks>,
    /// For tables: the sites of each group, and what its entries add to rows once that is needed.
    pub(crate) changed: ChangedSites,
    pub(crate) row_steps: OnceLock<Option<RowSteps>>,
    /// All changes by number, once they are needed.
    pub(crate) changes: OnceLock<Changes>,
}

#[derive(Debug)]
pub(crate) enum Strategy<T> {
    /// 64 samples at a time.
    Planes(MaskPlanes<T>),
    /// One sample after another, without branches.
    List(TableList<T>),
    /// The same, with step groups after the others.
    Steps(TableList<T>, StepList<T>),
    /// One sample after another, with the code that visits one.
    Visit,
}

/// The sites that each group changes, in arrays of equal length. Shorter lists repeat their first site, since
/// setting a site twice is harmless.
#[derive(Debug)]
pub(crate) enum ChangedSites {
    One(Vec<[u32; 1]>),
    Two(Vec<[u32; 2]>),
    Four(Vec<[u32; MAX_WIDTH]>),
    Any,
}

impl ChangedSites {
    fn new<'a>(groups: impl Iterator<Item = &'a [u32]> + Clone) -> Self {
        fn padded<const N: usize>(sites: &[u32]) -> [u32; N] {
            std::array::from_fn(|k| sites.get(k).or(sites.first()).copied().unwrap_or(0))
        }
        match groups.clone().map(<[u32]>::len).max() {
            None | Some(0 | 1) => ChangedSites::One(groups.map(padded).collect()),
            Some(2) => ChangedSites::Two(groups.map(padded).collect()),
            Some(3..=MAX_WIDTH) => ChangedSites::Four(groups.map(padded).collect()),
            Some(_) => ChangedSites::Any,
        }
    }
}

impl<T: Element> BatchPlan<T> {
    pub(crate) fn new(kernel: Arc<Kernel>, values: Arc<[T]>) -> Self {
        let (mut flips, mut changed) = (Vec::new(), ChangedSites::Any);
        let strategy = match &*kernel {
            Kernel::Mask(kernel) => {
                flips = vec![0; kernel.groups.len() * kernel.n_words()];
                for (g, flips) in flips.chunks_exact_mut(kernel.n_words()).enumerate() {
                    kernel.flips_of(g).iter().for_each(|&site| bits::insert(flips, site as usize));
                }
                match kernel.occupied {
                    None => Strategy::Planes(MaskPlanes::new(kernel, &values)),
                    Some(_) => Strategy::Visit,
                }
            }
            Kernel::Table(kernel) => {
                let groups = kernel.groups.iter().map(|group| &kernel.changed[range(group.changed)]);
                changed = ChangedSites::new(groups);
                match TableList::new(kernel, &values) {
                    None => Strategy::Visit,
                    Some(list) if kernel.steps.is_empty() => Strategy::List(list),
                    Some(list) => Strategy::Steps(list, StepList::new(kernel, &values)),
                }
            }
        };
        let (row_masks, row_steps, changes) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        BatchPlan { kernel, values, strategy, flips, row_masks, changed, row_steps, changes }
    }
}
