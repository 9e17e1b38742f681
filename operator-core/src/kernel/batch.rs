//! Connected elements of blocks of samples: first found and counted, then written where they belong.
//!
//! In between, a backend knows how many elements each sample has, and lays out its buffers.

use super::mask::MaskKernel;
use super::mask_planes::{MaskFound, MaskPlanes};
use super::rows::{self, Edit};
use super::table::TableKernel;
use super::table_list::{MAX_WIDTH, TableList};
use super::{Connected, Engine, Kernel, Scratch, range, table_list};
use crate::bits::{self, SiteSet};
use crate::element::Element;
use crate::hilbert::PackedRanking;

/// How an engine goes through blocks of samples.
#[derive(Debug)]
pub(super) struct BatchPlan<T> {
    finder: Finder<T>,
    changed: ChangedSites,
    /// For masks, the flips of each group as words.
    flips: Vec<u64>,
}

#[derive(Debug)]
enum Finder<T> {
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
enum ChangedSites {
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

/// The elements of a block of samples between being found and being written. It keeps its memory.
#[derive(Clone, Debug, Default)]
pub struct Found<T> {
    masks: MaskFound<T>,
    /// Elements of all samples, where they are listed: what each is, its value unless the item says it, and
    /// where each sample's elements end.
    items: Vec<u64>,
    n_items: usize,
    mels: Vec<T>,
    ends: Vec<usize>,
    diagonal: Vec<T>,
    /// The groups of one sample.
    groups: Vec<u64>,
    mirrored: Vec<i8>,
    scratch: Scratch<T>,
}

/// `row[site] = sums[site] − x[site]` on a group's sites.
struct Flip<'a, const N: usize> {
    sites: &'a [[u32; N]],
    mirrored: &'a [i8],
}

impl<const N: usize> Edit for Flip<'_, N> {
    type Item = u64;

    #[inline(always)]
    fn edit(&self, group: u64, row: &mut [i8]) {
        for site in self.sites[group as usize] {
            row[site as usize] = self.mirrored[site as usize];
        }
    }
}

/// [`Flip`] of any number of sites.
struct FlipAny<'a> {
    kernel: &'a MaskKernel,
    mirrored: &'a [i8],
}

impl Edit for FlipAny<'_> {
    type Item = u64;

    #[inline(always)]
    fn edit(&self, group: u64, row: &mut [i8]) {
        for &site in self.kernel.flips_of(group as usize) {
            row[site as usize] = self.mirrored[site as usize];
        }
    }
}

/// The new quantum numbers of an entry on its group's sites.
struct SetListed<'a, const N: usize> {
    sites: &'a [[u32; N]],
    values: &'a [[i8; MAX_WIDTH]],
}

impl<const N: usize> Edit for SetListed<'_, N> {
    type Item = u64;

    #[inline(always)]
    fn edit(&self, item: u64, row: &mut [i8]) {
        let (group, entry) = table_list::parts(item);
        for (site, value) in self.sites[group].into_iter().zip(self.values[entry]) {
            row[site as usize] = value;
        }
    }
}

/// The new quantum numbers of a target, which is the upper half of an item, on the sites of a group.
struct SetTarget<'a> {
    kernel: &'a TableKernel,
}

impl Edit for SetTarget<'_> {
    type Item = u64;

    #[inline(always)]
    fn edit(&self, item: u64, row: &mut [i8]) {
        let (sites, values) = self.kernel.target(item as u32 as usize, (item >> 32) as u32);
        for (&site, &value) in sites.iter().zip(values) {
            row[site as usize] = value;
        }
    }
}

impl<T: Element> BatchPlan<T> {
    pub(super) fn new(kernel: &Kernel, values: &[T]) -> Self {
        match kernel {
            Kernel::Mask(kernel) => {
                let groups = 0..kernel.groups.len();
                let mut flips = vec![0; kernel.groups.len() * kernel.n_words];
                for (g, flips) in flips.chunks_exact_mut(kernel.n_words).enumerate() {
                    kernel.flips_of(g).iter().for_each(|&site| bits::insert(flips, site as usize));
                }
                let finder = match kernel.occupied {
                    None => Finder::Planes(MaskPlanes::new(kernel, values)),
                    Some(_) => Finder::Visit,
                };
                BatchPlan { finder, changed: ChangedSites::new(groups.map(|g| kernel.flips_of(g))), flips }
            }
            Kernel::Table(kernel) => {
                let groups = kernel.groups.iter().map(|group| &kernel.changed[range(group.changed)]);
                let finder = TableList::new(kernel, values).map_or(Finder::Visit, Finder::List);
                BatchPlan { finder, changed: ChangedSites::new(groups), flips: Vec::new() }
            }
        }
    }
}

impl<T: Element> Engine<T> {
    /// Calls `visit` with the number of the sample, the change and the matrix element, for all elements that
    /// were found.
    #[inline]
    pub fn visit_found<F>(&self, rows: &[i8], found: &mut Found<T>, mut visit: F)
    where
        F: FnMut(usize, Connected<'_>, T),
    {
        self.visit_here(rows, found, &mut visit);
    }

    /// Finds the elements of a block of samples, `counts.len()` rows one after another, and counts those of
    /// each.
    pub fn find(&self, rows: &[i8], counts: &mut [usize], found: &mut Found<T>) {
        let n_sites = self.n_sites();
        match (&*self.kernel, &self.plan().finder) {
            (Kernel::Mask(kernel), Finder::Planes(planes)) => {
                let words = &mut found.masks.words;
                words.clear();
                words.resize(counts.len() * kernel.n_words, 0);
                let packed = words.chunks_exact_mut(kernel.n_words);
                rows.chunks_exact(n_sites).zip(packed).for_each(|(x, words)| kernel.pack_into(x, words));
                planes.find(kernel, &self.values, &mut found.masks, counts);
            }
            (kernel, finder) => {
                found.n_items = 0;
                found.mels.clear();
                found.ends.clear();
                found.diagonal.clear();
                let mut start = 0;
                for (x, count) in rows.chunks_exact(n_sites).zip(counts) {
                    let diagonal = self.list(kernel, finder, x, found);
                    found.diagonal.push(diagonal);
                    found.ends.push(found.n_items);
                    *count = found.n_items - start + usize::from(diagonal != T::zero());
                    start = found.n_items;
                }
            }
        }
    }

    /// Appends the elements of one sample to the list; returns the diagonal.
    #[inline(always)]
    fn list(&self, kernel: &Kernel, finder: &Finder<T>, x: &[i8], found: &mut Found<T>) -> T {
        let Found { items, n_items, mels, scratch, .. } = found;
        match kernel {
            Kernel::Mask(kernel) => {
                kernel.pack(x, &mut scratch.words);
                let diagonal = kernel.evaluate(&scratch.words, &self.values, &mut scratch.hits);
                let (groups, values) = scratch.hits.as_slices();
                items.truncate(*n_items);
                items.extend(groups.iter().map(|&g| u64::from(g)));
                *n_items = items.len();
                mels.extend_from_slice(values);
                diagonal
            }
            Kernel::Table(kernel) => {
                kernel.digits(x, &mut scratch.digits);
                if let Finder::List(list) = finder {
                    *n_items += list.list(kernel, &scratch.digits, *n_items, items);
                    list.diagonal(kernel, &scratch.digits, &self.values)
                } else {
                    items.truncate(*n_items);
                    kernel.for_each(&scratch.digits, &self.values, &mut scratch.sums, |g, target, mel| {
                        items.push(u64::from(target) << 32 | g as u64);
                        mels.push(mel);
                    });
                    *n_items = items.len();
                    kernel.diagonal(&scratch.digits, &self.values)
                }
            }
        }
    }

    /// Writes the elements that were found: states, a row each, and matrix elements. The slices have room for
    /// just these.
    pub fn write(&self, rows: &[i8], found: &mut Found<T>, mut states: &mut [i8], mut mels: &mut [T]) {
        let (plan, n_sites) = (self.plan(), self.n_sites());
        let mut list = std::mem::take(&mut found.groups);
        let mut mirrored = std::mem::take(&mut found.mirrored);
        for (b, x) in rows.chunks_exact(n_sites).enumerate() {
            if let Some(diagonal) = self.diagonal_of(found, b)
                && let Some((mel, rest)) = std::mem::take(&mut mels).split_first_mut()
            {
                let (row, others) = std::mem::take(&mut states).split_at_mut(n_sites);
                row.copy_from_slice(x);
                *mel = diagonal;
                (states, mels) = (others, rest);
            }
            let items = self.write_mels(found, b, &mut list, mels);
            let (own, others) = std::mem::take(&mut states).split_at_mut(items.len() * n_sites);
            match &*self.kernel {
                Kernel::Mask(kernel) => {
                    mirrored.clear();
                    mirrored.extend(kernel.mirror.iter().zip(x).map(|(sum, q)| sum.wrapping_sub(*q)));
                    let mirrored = &mirrored[..];
                    match &plan.changed {
                        ChangedSites::One(sites) => rows::write(x, items, &Flip { sites, mirrored }, own),
                        ChangedSites::Two(sites) => rows::write(x, items, &Flip { sites, mirrored }, own),
                        ChangedSites::Four(sites) => rows::write(x, items, &Flip { sites, mirrored }, own),
                        ChangedSites::Any => rows::write(x, items, &FlipAny { kernel, mirrored }, own),
                    }
                }
                Kernel::Table(kernel) => match (&plan.finder, &plan.changed) {
                    (Finder::List(list), ChangedSites::One(sites)) => {
                        rows::write(x, items, &SetListed { sites, values: list.values() }, own);
                    }
                    (Finder::List(list), ChangedSites::Two(sites)) => {
                        rows::write(x, items, &SetListed { sites, values: list.values() }, own);
                    }
                    (Finder::List(list), ChangedSites::Four(sites)) => {
                        rows::write(x, items, &SetListed { sites, values: list.values() }, own);
                    }
                    _ => rows::write(x, items, &SetTarget { kernel }, own),
                },
            }
            (states, mels) = (others, &mut std::mem::take(&mut mels)[items.len()..]);
        }
        (found.groups, found.mirrored) = (list, mirrored);
    }

    /// The diagonal element of sample `b`, if it has one.
    #[inline(always)]
    fn diagonal_of(&self, found: &Found<T>, b: usize) -> Option<T> {
        let diagonal = match self.plan().finder {
            Finder::Planes(_) => found.masks.diagonal[b],
            _ => found.diagonal[b],
        };
        (diagonal != T::zero()).then_some(diagonal)
    }

    /// The items of sample `b`, whose matrix elements are written.
    #[inline(always)]
    fn write_mels<'a>(
        &self,
        found: &'a Found<T>,
        b: usize,
        list: &'a mut Vec<u64>,
        mels: &mut [T],
    ) -> &'a [u64] {
        match &self.plan().finder {
            Finder::Planes(planes) => {
                let items = planes.list(&found.masks, b, list);
                let mut mels = mels.iter_mut();
                planes.for_each_value(&found.masks, b, items, |_, value| {
                    if let Some(mel) = mels.next() {
                        *mel = value;
                    }
                });
                items
            }
            Finder::List(table) => {
                let items = &found.items[found.listed(b)];
                mels.iter_mut().zip(items).for_each(|(mel, &item)| *mel = table.mel(item));
                items
            }
            Finder::Visit => {
                let own = found.listed(b);
                mels.iter_mut().zip(&found.mels[own.clone()]).for_each(|(to, &mel)| *to = mel);
                &found.items[own]
            }
        }
    }

    /// Writes the elements that were found, each state packed into words: bit i % 64 of word i / 64 is the
    /// local index of site i. Nothing is written where the sites have more than two states.
    pub fn write_packed(&self, rows: &[i8], found: &mut Found<T>, states: &mut [u64], mels: &mut [T]) {
        let Kernel::Mask(kernel) = &*self.kernel else { return };
        match kernel.n_words {
            1 => self.write_words::<1>(rows, found, states.as_chunks_mut().0, mels),
            2 => self.write_words::<2>(rows, found, states.as_chunks_mut().0, mels),
            n => self.write_any_words(n, rows, found, states, mels),
        }
    }

    /// Writes the elements that were found, each state as its number among those of the space. Nothing is
    /// written where the sites have more than two states.
    pub fn write_indices(
        &self,
        rows: &[i8],
        found: &mut Found<T>,
        ranking: &PackedRanking,
        indices: &mut [usize],
        mels: &mut [T],
    ) {
        let flips = &self.plan().flips;
        let mut indices = indices.iter_mut();
        let mut state = SiteSet::new();
        self.for_each_packed_sample(rows, found, mels, |words, has_diagonal, groups| {
            if has_diagonal && let Some(index) = indices.next() {
                *index = ranking.index_of(words);
            }
            for (&g, index) in groups.iter().zip(&mut indices) {
                let flip = &flips[g as usize * words.len()..];
                state.clear();
                state.extend(words.iter().zip(flip).map(|(word, flip)| word ^ flip));
                *index = ranking.index_of(&state);
            }
        });
    }

    /// Writes packed states of `N` words.
    fn write_words<const N: usize>(
        &self,
        rows: &[i8],
        found: &mut Found<T>,
        states: &mut [[u64; N]],
        mels: &mut [T],
    ) {
        let (flips, _) = self.plan().flips.as_chunks::<N>();
        let mut states = states.iter_mut();
        self.for_each_packed_sample(rows, found, mels, |words, has_diagonal, groups| {
            let x: [u64; N] = std::array::from_fn(|k| words[k]);
            if has_diagonal && let Some(state) = states.next() {
                *state = x;
            }
            for (&g, state) in groups.iter().zip(&mut states) {
                let flip = &flips[g as usize];
                *state = std::array::from_fn(|k| x[k] ^ flip[k]);
            }
        });
    }

    fn write_any_words(
        &self,
        n_words: usize,
        rows: &[i8],
        found: &mut Found<T>,
        states: &mut [u64],
        mels: &mut [T],
    ) {
        let flips = &self.plan().flips;
        let mut states = states.chunks_exact_mut(n_words);
        self.for_each_packed_sample(rows, found, mels, |words, has_diagonal, groups| {
            if has_diagonal && let Some(state) = states.next() {
                state.copy_from_slice(words);
            }
            for (&g, state) in groups.iter().zip(&mut states) {
                let flip = &flips[g as usize * n_words..];
                state.iter_mut().zip(words).zip(flip).for_each(|((to, word), flip)| *to = word ^ flip);
            }
        });
    }

    /// Writes matrix elements, and calls `f` with each packed sample, whether it has a diagonal element, and
    /// the groups that have one.
    #[inline(always)]
    fn for_each_packed_sample(
        &self,
        rows: &[i8],
        found: &mut Found<T>,
        mut mels: &mut [T],
        mut f: impl FnMut(&[u64], bool, &[u64]),
    ) {
        let Kernel::Mask(kernel) = &*self.kernel else { return };
        let mut words = std::mem::take(&mut found.scratch.words);
        let mut list = std::mem::take(&mut found.groups);
        for (b, x) in rows.chunks_exact(self.n_sites()).enumerate() {
            kernel.pack(x, &mut words);
            let diagonal = self.diagonal_of(found, b);
            if let Some(diagonal) = diagonal
                && let Some((mel, rest)) = std::mem::take(&mut mels).split_first_mut()
            {
                *mel = diagonal;
                mels = rest;
            }
            let groups = self.write_mels(found, b, &mut list, mels);
            f(&words, diagonal.is_some(), groups);
            mels = &mut std::mem::take(&mut mels)[groups.len()..];
        }
        (found.scratch.words, found.groups) = (words, list);
    }

    /// Calls `f` with each element's sample, the same packed, its group (`None` for the diagonal) and its value.
    #[inline(always)]
    fn for_each_packed(
        &self,
        rows: &[i8],
        found: &mut Found<T>,
        mut f: impl FnMut(usize, &[u64], Option<u32>, T),
    ) {
        let Kernel::Mask(kernel) = &*self.kernel else { return };
        let mut words = std::mem::take(&mut found.scratch.words);
        let mut list = std::mem::take(&mut found.groups);
        for (b, x) in rows.chunks_exact(self.n_sites()).enumerate() {
            let diagonal = self.diagonal_of(found, b);
            match &self.plan().finder {
                Finder::Planes(planes) => {
                    let words = &found.masks.words[b * kernel.n_words..(b + 1) * kernel.n_words];
                    if let Some(mel) = diagonal {
                        f(b, words, None, mel);
                    }
                    let groups = planes.list(&found.masks, b, &mut list);
                    planes.for_each_value(&found.masks, b, groups, |g, mel| f(b, words, Some(g as u32), mel));
                }
                _ => {
                    kernel.pack(x, &mut words);
                    if let Some(mel) = diagonal {
                        f(b, &words, None, mel);
                    }
                    for k in found.listed(b) {
                        f(b, &words, Some(found.items[k] as u32), found.mels[k]);
                    }
                }
            }
        }
        (found.scratch.words, found.groups) = (words, list);
    }

    #[inline(always)]
    fn visit_here(&self, rows: &[i8], found: &mut Found<T>, visit: &mut impl FnMut(usize, Connected<'_>, T)) {
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                self.for_each_packed(rows, found, |b, words, group, mel| {
                    let connected = match group {
                        None => kernel.diagonal_connection(words),
                        Some(g) => kernel.connection(g as usize, words),
                    };
                    visit(b, connected, mel);
                });
            }
            Kernel::Table(kernel) => self.visit_tables(kernel, rows, found, visit),
        }
    }

    #[inline(always)]
    fn visit_tables(
        &self,
        kernel: &TableKernel,
        rows: &[i8],
        found: &mut Found<T>,
        visit: &mut impl FnMut(usize, Connected<'_>, T),
    ) {
        let mut digits = std::mem::take(&mut found.scratch.digits);
        for (b, x) in rows.chunks_exact(self.n_sites()).enumerate() {
            kernel.digits(x, &mut digits);
            if let Some(mel) = self.diagonal_of(found, b) {
                visit(b, kernel.diagonal_connection(&digits), mel);
            }
            for k in found.listed(b) {
                let item = found.items[k];
                let (g, target, mel) = match &self.plan().finder {
                    Finder::List(list) => (table_list::parts(item).0, list.target(item), list.mel(item)),
                    _ => (item as u32 as usize, (item >> 32) as u32, found.mels[k]),
                };
                visit(b, kernel.connection(g, target, &digits), mel);
            }
        }
        found.scratch.digits = digits;
    }
}

impl<T> Found<T> {
    /// Where the elements of sample `b` stand in the list.
    #[inline(always)]
    fn listed(&self, b: usize) -> std::ops::Range<usize> {
        let start = if b == 0 { 0 } else { self.ends[b - 1] };
        start..self.ends[b]
    }
}
