//! Connected elements of blocks of samples: first found and counted, then visited or [written](super::write).
//!
//! In between, a backend knows how many elements each sample has, and lays out its buffers.

use std::sync::OnceLock;

use super::mask::MaskKernel;
use super::mask_planes::{MaskFound, MaskPlanes};
use super::rows::RowMasks;
use super::table::TableKernel;
use super::table_list::{MAX_WIDTH, TableList};
use super::table_steps::TableSteps;
use super::{Connected, Engine, Kernel, Scratch, range, table_list};
use crate::bits;
use crate::element::Element;

/// How an engine goes through blocks of samples.
#[derive(Debug)]
pub(super) struct BatchPlan<T> {
    pub(super) finder: Finder<T>,
    /// For masks, the flips of each group, packed, and as rows once these are asked for.
    pub(super) flips: Vec<u64>,
    pub(super) row_masks: OnceLock<RowMasks>,
    /// For tables, the sites of each group, and what is added to rows, once these are asked for.
    pub(super) changed: ChangedSites,
    pub(super) steps: OnceLock<Option<TableSteps>>,
}

#[derive(Debug)]
pub(super) enum Finder<T> {
    /// 64 samples at a time.
    Planes(MaskPlanes<T>),
    /// One sample after another, without branches.
    List(TableList<T>),
    /// One sample after another, as they are visited.
    Visit,
}

/// The sites that each group changes, in arrays of one length; the first is repeated where there are fewer,
/// since a site may be set twice.
#[derive(Debug)]
pub(super) enum ChangedSites {
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
    pub(super) fn new(kernel: &Kernel, values: &[T]) -> Self {
        match kernel {
            Kernel::Mask(kernel) => {
                let mut flips = vec![0; kernel.groups.len() * kernel.n_words];
                for (g, flips) in flips.chunks_exact_mut(kernel.n_words).enumerate() {
                    kernel.flips_of(g).iter().for_each(|&site| bits::insert(flips, site as usize));
                }
                let finder = match kernel.occupied {
                    None => Finder::Planes(MaskPlanes::new(kernel, values)),
                    Some(_) => Finder::Visit,
                };
                let changed = ChangedSites::Any;
                BatchPlan { finder, flips, row_masks: OnceLock::new(), changed, steps: OnceLock::new() }
            }
            Kernel::Table(kernel) => {
                let groups = kernel.groups.iter().map(|group| &kernel.changed[range(group.changed)]);
                let finder = TableList::new(kernel, values).map_or(Finder::Visit, Finder::List);
                let changed = ChangedSites::new(groups);
                let (row_masks, steps) = (OnceLock::new(), OnceLock::new());
                BatchPlan { finder, flips: Vec::new(), row_masks, changed, steps }
            }
        }
    }
}

/// The elements of a block of samples between being found and being written. It keeps its memory.
#[derive(Clone, Debug, Default)]
pub struct Found<T> {
    /// The samples as the kernel reads them: packed, or as digits.
    pub(super) words: Vec<u64>,
    pub(super) digits: Vec<u8>,
    /// Of each sample, the number of elements and the one on the diagonal.
    pub(super) counts: Vec<usize>,
    pub(super) diagonal: Vec<T>,
    /// The others, as sets or as a list.
    masks: MaskFound<T>,
    listed: Listed<T>,
    scratch: Scratch<T>,
}

/// Elements of all samples one after another: items, which say what each is, and values unless the items say
/// them too.
#[derive(Clone, Debug, Default)]
struct Listed<T> {
    /// Only the first `n_items` are meant.
    items: Vec<u64>,
    n_items: usize,
    mels: Vec<T>,
    /// Where the elements of each sample end.
    ends: Vec<usize>,
}

impl<T> Listed<T> {
    fn clear(&mut self) {
        self.n_items = 0;
        self.mels.clear();
        self.ends.clear();
    }

    fn push(&mut self, item: u64, mel: T) {
        self.items.truncate(self.n_items);
        self.items.push(item);
        self.mels.push(mel);
        self.n_items = self.items.len();
    }

    fn end_sample(&mut self) {
        self.ends.push(self.n_items);
    }

    /// Where the elements of sample `b` stand.
    #[inline(always)]
    fn of(&self, b: usize) -> std::ops::Range<usize> {
        let start = if b == 0 { 0 } else { self.ends[b - 1] };
        start..self.ends[b]
    }
}

impl<T: Element> Engine<T> {
    /// Finds the elements of a block of samples, `counts.len()` rows one after another, and counts those of
    /// each.
    pub fn find(&self, rows: &[i8], counts: &mut [usize], found: &mut Found<T>) {
        found.diagonal.clear();
        found.diagonal.resize(counts.len(), T::zero());
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                kernel.pack_rows(rows, &mut found.words);
                match &self.plan().finder {
                    Finder::Planes(planes) => {
                        let Found { words, diagonal, masks, .. } = found;
                        planes.find(kernel, &self.values, words, masks, diagonal, counts);
                    }
                    _ => self.list_masks(kernel, counts, found),
                }
            }
            Kernel::Table(kernel) => {
                found.digits.clear();
                rows.chunks_exact(self.n_sites()).for_each(|x| kernel.push_digits(x, &mut found.digits));
                self.list_tables(kernel, counts, found);
            }
        }
        for (count, diagonal) in counts.iter_mut().zip(&found.diagonal) {
            *count += usize::from(*diagonal != T::zero());
        }
        found.counts.clear();
        found.counts.extend_from_slice(counts);
    }

    /// Lists the elements off the diagonal and counts them.
    fn list_masks(&self, kernel: &MaskKernel, counts: &mut [usize], found: &mut Found<T>) {
        let Found { words, diagonal, listed, scratch, .. } = found;
        listed.clear();
        let samples = words.chunks_exact(kernel.n_words).zip(diagonal).zip(counts);
        for ((words, diagonal), count) in samples {
            *diagonal = kernel.evaluate(words, &self.values, &mut scratch.hits);
            let (groups, mels) = scratch.hits.as_slices();
            groups.iter().zip(mels).for_each(|(&g, &mel)| listed.push(u64::from(g), mel));
            *count = groups.len();
            listed.end_sample();
        }
    }

    /// Lists the elements off the diagonal and counts them.
    fn list_tables(&self, kernel: &TableKernel, counts: &mut [usize], found: &mut Found<T>) {
        let finder = &self.plan().finder;
        let Found { digits, diagonal, listed, scratch, .. } = found;
        listed.clear();
        let samples = digits.chunks_exact(self.n_sites()).zip(diagonal).zip(counts);
        for ((digits, diagonal), count) in samples {
            let start = listed.n_items;
            if let Finder::List(list) = finder {
                listed.n_items += list.list(kernel, digits, start, &mut listed.items);
                *diagonal = list.diagonal(kernel, digits, &self.values);
            } else {
                kernel.for_each(digits, &self.values, &mut scratch.sums, |g, target, mel| {
                    listed.push(u64::from(target) << 32 | g as u64, mel);
                });
                *diagonal = kernel.diagonal(digits, &self.values);
            }
            *count = listed.n_items - start;
            listed.end_sample();
        }
    }

    /// Passes on the elements of sample `b` off the diagonal.
    #[inline(always)]
    pub(super) fn for_each_found(&self, found: &Found<T>, b: usize, sink: &mut impl Sink<T>) {
        let Found { masks, listed, .. } = found;
        match &self.plan().finder {
            Finder::Planes(planes) => planes.for_each(masks, b, sink),
            // Loops, as closures would not be inlined where vectors are chosen.
            Finder::List(list) => {
                for &item in &listed.items[listed.of(b)] {
                    sink.element(item, list.mel(item));
                }
            }
            Finder::Visit => {
                for k in listed.of(b) {
                    sink.element(listed.items[k], listed.mels[k]);
                }
            }
        }
    }

    /// Calls `visit` with the change and the matrix element, for all elements of one of the samples that were
    /// found by this engine, in the order of [`visit`](Self::visit); for none if there is no such sample.
    #[inline]
    pub fn visit_found<F>(&self, found: &Found<T>, sample: usize, mut visit: F)
    where
        F: FnMut(Connected<'_>, T),
    {
        let Some(&diagonal) = found.diagonal.get(sample) else { return };
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                let words = &found.words[sample * kernel.n_words..(sample + 1) * kernel.n_words];
                if diagonal != T::zero() {
                    visit(kernel.diagonal_connection(words), diagonal);
                }
                self.for_each_found(found, sample, &mut MaskVisitor { kernel, words, visit });
            }
            Kernel::Table(kernel) => {
                let n_sites = self.n_sites();
                let digits = &found.digits[sample * n_sites..(sample + 1) * n_sites];
                if diagonal != T::zero() {
                    visit(kernel.diagonal_connection(digits), diagonal);
                }
                let list = match &self.plan().finder {
                    Finder::List(list) => Some(list),
                    _ => None,
                };
                self.for_each_found(found, sample, &mut TableVisitor { kernel, list, digits, visit });
            }
        }
    }
}

/// Takes the elements of a sample off the diagonal, one after another.
///
/// Not a closure, since it has to be inlined wherever elements come from.
pub(super) trait Sink<T> {
    /// An item, which names the element, and its value.
    fn element(&mut self, item: u64, mel: T);
}

struct MaskVisitor<'a, F> {
    kernel: &'a MaskKernel,
    words: &'a [u64],
    visit: F,
}

impl<T, F: FnMut(Connected<'_>, T)> Sink<T> for MaskVisitor<'_, F> {
    #[inline(always)]
    fn element(&mut self, group: u64, mel: T) {
        (self.visit)(self.kernel.connection(group as usize, self.words), mel);
    }
}

struct TableVisitor<'a, T, F> {
    kernel: &'a TableKernel,
    list: Option<&'a TableList<T>>,
    digits: &'a [u8],
    visit: F,
}

impl<T: Element, F: FnMut(Connected<'_>, T)> Sink<T> for TableVisitor<'_, T, F> {
    #[inline(always)]
    fn element(&mut self, item: u64, mel: T) {
        let (g, target) = match self.list {
            Some(list) => (table_list::parts(item).0, list.target(item)),
            None => (item as u32 as usize, (item >> 32) as u32),
        };
        (self.visit)(self.kernel.connection(g, target, self.digits), mel);
    }
}
