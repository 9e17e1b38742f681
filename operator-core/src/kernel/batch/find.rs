//! Finds and counts the elements of blocks of samples, and visits them sample by sample.
//!
//! Between finding elements and visiting or writing them, a backend knows each sample's number of elements and
//! lays out its buffers.

use super::plan::{BatchPlan, Strategy};
use crate::element::Element;
use crate::kernel::connected::Connected;
use crate::kernel::lowered::{Kernel, Scratch};
use crate::kernel::mask::{MaskFound, MaskKernel};
use crate::kernel::sink::Sink;
use crate::kernel::table::{self, StepScratch, TableKernel, TableList};

/// The elements found for a block of samples and not yet written. It keeps its memory for the next block.
#[derive(Clone, Debug, Default)]
pub struct Found<T> {
    /// The address of the plan that found them. Items mean something only to that plan.
    plan: usize,
    /// The samples as the kernel reads them: packed words or digits.
    pub(crate) words: Vec<u64>,
    pub(crate) digits: Vec<u8>,
    /// For each sample, its number of elements and its diagonal element.
    pub(crate) counts: Vec<usize>,
    pub(crate) diagonal: Vec<T>,
    /// The off-diagonal elements, as sets or as a list.
    masks: MaskFound<T>,
    listed: Listed<T>,
    scratch: Scratch<T>,
}

/// The elements of all samples in order. Each has an item that names it, and a value unless the item gives that
/// too.
#[derive(Clone, Debug, Default)]
struct Listed<T> {
    /// Only the first `n_items` are valid.
    items: Vec<u64>,
    n_items: usize,
    mels: Vec<T>,
    /// The end of each sample's elements.
    ends: Vec<usize>,
    /// For step groups: where each sample's elements of step groups start among its items, and among all values.
    steps: Vec<(usize, usize)>,
    /// Only the first `n_mels` values are valid.
    n_mels: usize,
    /// The step groups of one sample.
    step_scratch: StepScratch<T>,
}

impl<T> Listed<T> {
    fn clear(&mut self) {
        (self.n_items, self.n_mels) = (0, 0);
        self.mels.clear();
        self.ends.clear();
        self.steps.clear();
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

    /// The range of sample `b`'s elements.
    #[inline(always)]
    fn of(&self, b: usize) -> std::ops::Range<usize> {
        let start = if b == 0 { 0 } else { self.ends[b - 1] };
        start..self.ends[b]
    }
}

/// Makes a list at least `n` long.
fn grow<T: Default + Clone>(list: &mut Vec<T>, n: usize) {
    if list.len() < n {
        list.resize(n.max(2 * list.len()), T::default());
    }
}

impl<T: Element> BatchPlan<T> {
    /// Finds the elements of a block of `counts.len()` consecutive rows, and counts the elements of each
    /// sample.
    pub(crate) fn find(&self, rows: &[i8], counts: &mut [usize], found: &mut Found<T>) {
        found.diagonal.clear();
        found.diagonal.resize(counts.len(), T::zero());
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                kernel.pack_rows(rows, &mut found.words);
                match &self.strategy {
                    Strategy::Planes(planes) => {
                        let Found { words, diagonal, masks, .. } = found;
                        planes.find(kernel, &self.values, words, masks, diagonal, counts);
                    }
                    _ => self.list_masks(kernel, counts, found),
                }
            }
            Kernel::Table(kernel) => {
                found.digits.clear();
                rows.chunks_exact(self.kernel.n_sites())
                    .for_each(|x| kernel.push_digits(x, &mut found.digits));
                self.list_tables(kernel, counts, found);
            }
        }
        for (count, diagonal) in counts.iter_mut().zip(&found.diagonal) {
            *count += usize::from(*diagonal != T::zero());
        }
        found.counts.clear();
        found.counts.extend_from_slice(counts);
        found.plan = self.address();
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Checks that the elements were found by this plan, and fit slices of `n_mels` elements.
    pub(crate) fn check_found(&self, found: &Found<T>, n_mels: usize) {
        self.check_finder(found);
        let n: usize = found.counts.iter().sum();
        assert_eq!(n_mels, n, "there is room for exactly the elements that were found");
    }

    /// Checks that the elements were found by this plan.
    #[inline]
    pub(crate) fn check_finder(&self, found: &Found<T>) {
        assert_eq!(found.plan, self.address(), "elements are read by the engine that found them");
    }

    /// Lists the off-diagonal elements and counts them.
    fn list_masks(&self, kernel: &MaskKernel, counts: &mut [usize], found: &mut Found<T>) {
        let Found { words, diagonal, listed, scratch, .. } = found;
        listed.clear();
        let samples = words.chunks_exact(kernel.n_words()).zip(diagonal).zip(counts);
        for ((words, diagonal), count) in samples {
            *diagonal = kernel.evaluate(words, &self.values, &mut scratch.hits);
            let (groups, mels) = scratch.hits.as_slices();
            groups.iter().zip(mels).for_each(|(&g, &mel)| listed.push(u64::from(g), mel));
            *count = groups.len();
            listed.end_sample();
        }
    }

    /// Lists the off-diagonal elements and counts them.
    fn list_tables(&self, kernel: &TableKernel, counts: &mut [usize], found: &mut Found<T>) {
        let strategy = &self.strategy;
        let Found { digits, diagonal, listed, .. } = found;
        listed.clear();
        let samples = digits.chunks_exact(self.kernel.n_sites()).zip(diagonal).zip(counts);
        for ((digits, diagonal), count) in samples {
            let start = listed.n_items;
            if let Strategy::List(list) = strategy {
                listed.n_items += list.list(kernel, digits, start, &mut listed.items);
                *diagonal = list.diagonal(kernel, digits, &self.values);
            } else if let Strategy::Steps(list, steps) = strategy {
                listed.n_items += list.list(kernel, digits, start, &mut listed.items);
                listed.steps.push((listed.n_items, listed.n_mels));
                let n = kernel.steps.len();
                grow(&mut listed.items, listed.n_items + n);
                grow(&mut listed.mels, listed.n_mels + n);
                let first = list.step_item(kernel.groups.len());
                let (items, mels) = (&mut listed.items[listed.n_items..], &mut listed.mels[listed.n_mels..]);
                let scratch = &mut listed.step_scratch;
                steps.evaluate(kernel, digits, &self.values, scratch);
                let n = scratch.list(first, items, mels);
                (listed.n_items, listed.n_mels) = (listed.n_items + n, listed.n_mels + n);
                *diagonal = list.diagonal_of_tables(kernel, digits, &self.values);
                if kernel.n_diagonal_products > 0 {
                    *diagonal += steps.diagonal(kernel, digits, &self.values, &listed.step_scratch);
                }
            } else {
                kernel.for_each(digits, &self.values, |g, target, mel| {
                    listed.push(u64::from(target) << 32 | g as u64, mel);
                });
                *diagonal = kernel.diagonal(digits, &self.values);
            }
            *count = listed.n_items - start;
            listed.end_sample();
        }
    }

    /// Passes on the off-diagonal elements of sample `b`.
    #[inline(always)]
    pub(crate) fn for_each_found(&self, found: &Found<T>, b: usize, sink: &mut impl Sink<T>) {
        let Found { masks, listed, .. } = found;
        match &self.strategy {
            Strategy::Planes(planes) => planes.for_each(masks, b, sink),
            // Loops, because closures would not be inlined where vectors are chosen.
            Strategy::List(list) => {
                for &item in &listed.items[listed.of(b)] {
                    sink.element(item, list.mel(item));
                }
            }
            Strategy::Steps(list, _) => {
                let all = listed.of(b);
                let (start, first_mel) = listed.steps[b];
                for &item in &listed.items[all.start..start] {
                    sink.element(item, list.mel(item));
                }
                let items = &listed.items[start..all.end];
                for (&item, &mel) in items.iter().zip(&listed.mels[first_mel..]) {
                    sink.element(item, mel);
                }
            }
            Strategy::Visit => {
                for k in listed.of(b) {
                    sink.element(listed.items[k], listed.mels[k]);
                }
            }
        }
    }

    /// Calls `visit` with the change and the matrix element for every element of one sample that this engine
    /// found, in the order of [`visit`](Self::visit).
    ///
    /// # Panics
    /// If there is no such sample.
    #[inline]
    pub(crate) fn visit_found<F>(&self, found: &Found<T>, sample: usize, mut visit: F)
    where
        F: FnMut(Connected<'_>, T),
    {
        self.check_finder(found);
        let diagonal = found.diagonal[sample];
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                let words = &found.words[sample * kernel.n_words()..(sample + 1) * kernel.n_words()];
                if diagonal != T::zero() {
                    visit(Connected::mask_diagonal(kernel, words), diagonal);
                }
                self.for_each_found(found, sample, &mut MaskVisitor { kernel, words, visit });
            }
            Kernel::Table(kernel) => {
                let n_sites = self.kernel.n_sites();
                let digits = &found.digits[sample * n_sites..(sample + 1) * n_sites];
                if diagonal != T::zero() {
                    visit(Connected::table_diagonal(kernel, digits), diagonal);
                }
                let list = match &self.strategy {
                    Strategy::List(list) | Strategy::Steps(list, _) => Some(list),
                    _ => None,
                };
                self.for_each_found(found, sample, &mut TableVisitor { kernel, list, digits, visit });
            }
        }
    }
}

struct MaskVisitor<'a, F> {
    kernel: &'a MaskKernel,
    words: &'a [u64],
    visit: F,
}

impl<T, F: FnMut(Connected<'_>, T)> Sink<T> for MaskVisitor<'_, F> {
    #[inline(always)]
    fn element(&mut self, group: u64, mel: T) {
        (self.visit)(Connected::mask_group(self.kernel, group as usize, self.words), mel);
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
            Some(list) => {
                let g = table::parts(item).0;
                (g, if g < self.kernel.groups.len() { list.target(item) } else { 0 })
            }
            None => (item as u32 as usize, (item >> 32) as u32),
        };
        (self.visit)(Connected::table_target(self.kernel, g, target, self.digits), mel);
    }
}
