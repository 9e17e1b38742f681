//! Writes the elements that were [found](super::find): as rows of bytes, packed into words, or as numbers of
//! states.

use std::slice::{ChunksExactMut, IterMut};

use super::find::Found;
use super::plan::{BatchPlan, ChangedSites, Strategy};
use super::row_steps::RowSteps;
use super::row_writer::{self, Change, RowMasks, Rows, Source};
use crate::bits::{self, SiteSet};
use crate::element::Element;
use crate::hilbert::PackedRanking;
use crate::kernel::changes::Changes;
use crate::kernel::lowered::Kernel;
use crate::kernel::sink::Sink;
use crate::kernel::table::{self, MAX_WIDTH, TableKernel, TableList};

/// Sets the sites of an entry's group to the entry's new quantum numbers.
struct SetListed<'a, const N: usize> {
    sites: &'a [[u32; N]],
    values: &'a [[i8; MAX_WIDTH]],
}

impl<const N: usize> Change for SetListed<'_, N> {
    #[inline(always)]
    fn edit(&self, item: u64, row: &mut [i8]) {
        let (group, entry) = table::parts(item);
        for (site, value) in self.sites[group].into_iter().zip(self.values[entry]) {
            row[site as usize] = value;
        }
    }
}

/// Sets the sites of a group to the quantum numbers of a target; the target is the upper half of an item.
struct SetTarget<'a> {
    kernel: &'a TableKernel,
}

impl Change for SetTarget<'_> {
    #[inline(always)]
    fn edit(&self, item: u64, row: &mut [i8]) {
        self.kernel.edit(item as u32 as usize, (item >> 32) as u32, row);
    }
}

/// Does what an entry of a list or a step group does.
struct SetEntry<'a, T> {
    kernel: &'a TableKernel,
    list: &'a TableList<T>,
}

impl<T: Element> Change for SetEntry<'_, T> {
    #[inline(always)]
    fn edit(&self, item: u64, row: &mut [i8]) {
        let g = table::parts(item).0;
        let target = if g < self.kernel.groups.len() { self.list.target(item) } else { 0 };
        self.kernel.edit(g, target, row);
    }
}

/// The off-diagonal elements found for one sample. Their values are written alongside the rows.
struct Elements<'a, T> {
    plan: &'a BatchPlan<T>,
    found: &'a Found<T>,
    sample: usize,
    mels: &'a mut [T],
}

impl<T: Element> Source for Elements<'_, T> {
    #[inline(always)]
    fn send(self, rows: impl Rows) {
        let Elements { plan, found, sample, mels } = self;
        plan.for_each_found(found, sample, &mut ElementWriter { mels: mels.iter_mut(), rows });
    }
}

struct ElementWriter<'a, T, R> {
    mels: IterMut<'a, T>,
    rows: R,
}

impl<T, R: Rows> Sink<T> for ElementWriter<'_, T, R> {
    #[inline(always)]
    fn element(&mut self, item: u64, mel: T) {
        if let Some(to) = self.mels.next() {
            *to = mel;
            self.rows.push(item);
        }
    }
}

impl<T: Element> BatchPlan<T> {
    /// Writes the elements found as states, one a row, and matrix elements. `rows` are the samples; the slices
    /// have room for exactly these elements.
    pub(crate) fn write(&self, rows: &[i8], found: &Found<T>, mut states: &mut [i8], mut mels: &mut [T]) {
        let n_sites = self.kernel.n_sites();
        self.check_found(found, mels.len());
        assert_eq!(rows.len(), found.counts.len() * n_sites, "the rows are the samples");
        assert_eq!(states.len(), mels.len() * n_sites, "there is a row for each element");
        for (b, x) in rows.chunks_exact(n_sites).enumerate() {
            let (diagonal, mut n_conn) = (found.diagonal[b], found.counts[b]);
            if diagonal != T::zero() {
                let (row, mel);
                (row, states) = std::mem::take(&mut states).split_at_mut(n_sites);
                (mel, mels) = std::mem::take(&mut mels).split_at_mut(1);
                row.copy_from_slice(x);
                mel.fill(diagonal);
                n_conn -= 1;
            }
            let (own_states, own_mels);
            (own_states, states) = std::mem::take(&mut states).split_at_mut(n_conn * n_sites);
            (own_mels, mels) = std::mem::take(&mut mels).split_at_mut(n_conn);
            let elements = Elements { plan: self, found, sample: b, mels: own_mels };
            match &*self.kernel {
                Kernel::Mask(kernel) => {
                    let masks = self.row_masks.get_or_init(|| RowMasks::new(kernel));
                    row_writer::write(elements, masks, x, own_states);
                }
                Kernel::Table(kernel) => self.write_of_table(kernel, elements, x, own_states),
            }
        }
    }

    fn write_of_table(&self, kernel: &TableKernel, elements: Elements<'_, T>, x: &[i8], states: &mut [i8]) {
        if let Strategy::List(list) | Strategy::Steps(list, _) = &self.strategy
            && let Some(steps) = self.row_steps.get_or_init(|| RowSteps::new(kernel, list, x.len()))
        {
            return row_writer::write(elements, steps, x, states);
        }
        match (&self.strategy, &self.changed) {
            (Strategy::List(list), ChangedSites::One(sites)) => {
                row_writer::write(elements, &SetListed { sites, values: list.values() }, x, states);
            }
            (Strategy::List(list), ChangedSites::Two(sites)) => {
                row_writer::write(elements, &SetListed { sites, values: list.values() }, x, states);
            }
            (Strategy::List(list), ChangedSites::Four(sites)) => {
                row_writer::write(elements, &SetListed { sites, values: list.values() }, x, states);
            }
            (Strategy::Steps(list, _), _) => {
                row_writer::write(elements, &SetEntry { kernel, list }, x, states)
            }
            _ => row_writer::write(elements, &SetTarget { kernel }, x, states),
        }
    }

    /// Writes each connected state found, packed into words: bit i % 64 of word i / 64 is the local index of
    /// site i.
    ///
    /// # Panics
    /// If sites have more than two states.
    pub(crate) fn write_packed(&self, found: &Found<T>, states: &mut [u64], mels: &mut [T]) {
        match bits::n_words(self.kernel.n_sites()) {
            1 => self.write_words(found, mels, Flipped::<1>(states.as_chunks_mut().0.iter_mut())),
            2 => self.write_words(found, mels, Flipped::<2>(states.as_chunks_mut().0.iter_mut())),
            n => self.write_words(found, mels, FlippedAny(states.chunks_exact_mut(n))),
        }
    }

    /// Writes the number of each connected state found within the space.
    ///
    /// # Panics
    /// If sites have more than two states.
    pub(crate) fn write_indices(
        &self,
        found: &Found<T>,
        ranking: &PackedRanking,
        indices: &mut [usize],
        mels: &mut [T],
    ) {
        self.write_words(found, mels, Ranked { ranking, state: SiteSet::new(), indices: indices.iter_mut() });
    }

    /// Writes the elements found as numbers of [`Changes`] and matrix elements, `width` slots a sample. Unused slots
    /// come last and hold 0. `im` is empty for real elements.
    pub(crate) fn write_items(
        &self,
        found: &Found<T>,
        width: usize,
        items: &mut [u32],
        re: &mut [T::Real],
        im: &mut [T::Real],
    ) {
        self.check_finder(found);
        let n_slots = found.counts.len() * width;
        assert_eq!([items.len(), re.len()], [n_slots; 2], "every sample has `width` slots");
        assert_eq!(
            im.len(),
            if T::IS_COMPLEX { n_slots } else { 0 },
            "complex elements have imaginary parts"
        );
        assert!(found.counts.iter().all(|&n| n <= width), "every element has a slot");
        let list = match &self.strategy {
            Strategy::List(list) | Strategy::Steps(list, _) => Some(list),
            Strategy::Planes(_) | Strategy::Visit => None,
        };
        let naming = match (&*self.kernel, list) {
            (Kernel::Mask(_), _) => Naming::Groups,
            (Kernel::Table(kernel), Some(list)) => Naming::Entries(list, kernel.groups.len()),
            (Kernel::Table(_), None) => Naming::Targets,
        };
        let first = self.changes().first();
        for (b, &diagonal) in found.diagonal.iter().enumerate() {
            let slots = b * width..(b + 1) * width;
            let im = im.get_mut(slots.clone()).unwrap_or_default();
            let parts =
                Parts { items: items[slots.clone()].iter_mut(), re: re[slots].iter_mut(), im: im.iter_mut() };
            match naming {
                Naming::Groups => self.send_items(found, b, diagonal, parts, |group| group as u32 + 1),
                Naming::Targets => self.send_items(found, b, diagonal, parts, |item| {
                    first[item as u32 as usize] + (item >> 32) as u32
                }),
                Naming::Entries(list, n_groups) => self.send_items(found, b, diagonal, parts, |item| {
                    let group = table::parts(item).0;
                    first[group] + if group < n_groups { list.target(item) } else { 0 }
                }),
            }
        }
    }

    #[inline(always)]
    fn send_items(
        &self,
        found: &Found<T>,
        b: usize,
        diagonal: T,
        mut parts: Parts<'_, T::Real>,
        number: impl Fn(u64) -> u32,
    ) {
        if diagonal != T::zero() {
            parts.push(0, diagonal);
        }
        let mut writer = ItemWriter { parts, number };
        self.for_each_found(found, b, &mut writer);
        writer.parts.fill();
    }

    /// All changes that elements make.
    pub(crate) fn changes(&self) -> &Changes {
        self.changes.get_or_init(|| Changes::new(&self.kernel))
    }

    fn write_words(&self, found: &Found<T>, mels: &mut [T], form: impl StateForm) {
        self.check_found(found, mels.len());
        let n_words = bits::n_words(self.kernel.n_sites());
        match &*self.kernel {
            Kernel::Mask(_) => {
                let flips = MaskFlips { n_words, flips: &self.flips };
                self.write_flipped(found, &found.words, flips, mels, form);
            }
            Kernel::Table(kernel) => {
                assert!(kernel.is_two_level(), "states are packed only if every site has two local states");
                let mut words = vec![0; n_words * found.counts.len()];
                let samples = found.digits.chunks_exact(self.kernel.n_sites());
                for (words, digits) in words.chunks_exact_mut(n_words).zip(samples) {
                    let ones = digits.iter().enumerate().filter(|(_, digit)| **digit == 1);
                    ones.for_each(|(site, _)| bits::insert(words, site));
                }
                let is_listed = matches!(self.strategy, Strategy::List(_) | Strategy::Steps(..));
                let flips = TableFlips { kernel, is_listed, flip: bits::empty(n_words), changed: &[] };
                self.write_flipped(found, &words, flips, mels, form);
            }
        }
    }

    /// Writes the elements of packed samples.
    fn write_flipped(
        &self,
        found: &Found<T>,
        samples: &[u64],
        flips: impl Flips,
        mels: &mut [T],
        form: impl StateForm,
    ) {
        let n_words = bits::n_words(self.kernel.n_sites());
        let none = bits::empty(n_words);
        let mut writer = WordWriter { words: &[], flips, mels: mels.iter_mut(), form };
        for (b, words) in samples.chunks_exact(n_words).enumerate() {
            writer.words = words;
            if found.diagonal[b] != T::zero()
                && let Some(to) = writer.mels.next()
            {
                *to = found.diagonal[b];
                writer.form.push(words, &none);
            }
            self.for_each_found(found, b, &mut writer);
        }
    }
}

/// How an item names its change.
#[derive(Clone, Copy)]
enum Naming<'a, T> {
    /// By its group, which has one change.
    Groups,
    /// By its group and its entry in a list; the number of groups that are not step groups.
    Entries(&'a TableList<T>, usize),
    /// By its group and its target.
    Targets,
}

/// The slots of a sample that are still free.
struct Parts<'a, R> {
    items: IterMut<'a, u32>,
    re: IterMut<'a, R>,
    im: IterMut<'a, R>,
}

impl<R: Element> Parts<'_, R> {
    #[inline(always)]
    fn push<T: Element<Real = R>>(&mut self, number: u32, mel: T) {
        if let (Some(item), Some(re)) = (self.items.next(), self.re.next()) {
            (*item, *re) = (number, mel.re());
            if T::IS_COMPLEX
                && let Some(im) = self.im.next()
            {
                *im = mel.im();
            }
        }
    }

    /// Fills the rest with zeros.
    fn fill(self) {
        self.items.into_slice().fill(0);
        self.re.into_slice().fill(R::zero());
        self.im.into_slice().fill(R::zero());
    }
}

/// Writes items as numbers of changes.
struct ItemWriter<'a, R, F> {
    parts: Parts<'a, R>,
    number: F,
}

impl<T: Element, F: Fn(u64) -> u32> Sink<T> for ItemWriter<'_, T::Real, F> {
    #[inline(always)]
    fn element(&mut self, item: u64, mel: T) {
        self.parts.push((self.number)(item), mel);
    }
}

/// Receives packed states, one after another.
trait StateForm {
    /// Takes the state `words ^ flip`.
    fn push(&mut self, words: &[u64], flip: &[u64]);
}

/// Words, `N` for each state.
struct Flipped<'a, const N: usize>(IterMut<'a, [u64; N]>);

impl<const N: usize> StateForm for Flipped<'_, N> {
    #[inline(always)]
    fn push(&mut self, words: &[u64], flip: &[u64]) {
        if let (Some(state), Some(words), Some(flip)) =
            (self.0.next(), words.first_chunk(), flip.first_chunk())
        {
            let (words, flip): (&[u64; N], &[u64; N]) = (words, flip);
            *state = std::array::from_fn(|k| words[k] ^ flip[k]);
        }
    }
}

/// Words, any number for each state.
struct FlippedAny<'a>(ChunksExactMut<'a, u64>);

impl StateForm for FlippedAny<'_> {
    #[inline(always)]
    fn push(&mut self, words: &[u64], flip: &[u64]) {
        let state = self.0.next().into_iter().flatten();
        state.zip(words).zip(flip).for_each(|((to, word), flip)| *to = word ^ flip);
    }
}

/// Numbers of states.
struct Ranked<'a> {
    ranking: &'a PackedRanking,
    state: SiteSet,
    indices: IterMut<'a, usize>,
}

impl StateForm for Ranked<'_> {
    #[inline(always)]
    fn push(&mut self, words: &[u64], flip: &[u64]) {
        if let Some(index) = self.indices.next() {
            self.state.clear();
            self.state.extend(words.iter().zip(flip).map(|(word, flip)| word ^ flip));
            *index = self.ranking.index_of(&self.state);
        }
    }
}

/// The sites that items flip, packed.
trait Flips {
    fn of(&mut self, item: u64) -> &[u64];
}

/// Items of masks are groups, whose flips are stored.
struct MaskFlips<'a> {
    n_words: usize,
    flips: &'a [u64],
}

impl Flips for MaskFlips<'_> {
    #[inline(always)]
    fn of(&mut self, group: u64) -> &[u64] {
        &self.flips[group as usize * self.n_words..][..self.n_words]
    }
}

/// Groups of tables flip all sites that they change, if these have two states.
struct TableFlips<'a> {
    kernel: &'a TableKernel,
    /// Whether items are those of a list.
    is_listed: bool,
    flip: SiteSet,
    /// The sites in `flip`.
    changed: &'a [u32],
}

impl Flips for TableFlips<'_> {
    fn of(&mut self, item: u64) -> &[u64] {
        let group = if self.is_listed { table::parts(item).0 } else { item as u32 as usize };
        self.changed.iter().for_each(|&site| bits::toggle(&mut self.flip, site as usize));
        self.changed = self.kernel.changed_by(group);
        self.changed.iter().for_each(|&site| bits::toggle(&mut self.flip, site as usize));
        &self.flip
    }
}

/// Writes the elements of one packed sample after another.
struct WordWriter<'a, G, F, T> {
    words: &'a [u64],
    flips: G,
    mels: IterMut<'a, T>,
    form: F,
}

impl<G: Flips, F: StateForm, T: Element> Sink<T> for WordWriter<'_, G, F, T> {
    #[inline(always)]
    fn element(&mut self, item: u64, mel: T) {
        if let Some(to) = self.mels.next() {
            *to = mel;
            self.form.push(self.words, self.flips.of(item));
        }
    }
}
