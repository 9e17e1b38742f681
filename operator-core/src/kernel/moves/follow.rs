//! Follows the x' that an operator connects to a configuration from one configuration to the next.

use std::sync::{Arc, OnceLock};

use super::dependents::Dependents;
use super::sum_tree::SumTree;
use crate::bits;
use crate::element::Element;
use crate::kernel::connected::Connected;
use crate::kernel::lowered::{Kernel, Scratch};
use crate::kernel::mask::MaskKernel;
use crate::kernel::table::TableKernel;

/// The moves x' ≠ x with `<x|O|x'>` ≠ 0, for one x after another.
///
/// A `Moves` is at a configuration x, set by [`go_to`](Self::go_to), and knows how many elements each group
/// of terms has there. [`propose`](Self::propose) counts the moves from an x' that differs from x in a few
/// sites; it evaluates only the groups that look at these sites. Going on to that x' then takes only a few more
/// steps. This is to an operator what [`Walker`](crate::Walker) is to a wave function.
///
/// ```
/// use operator_core::hilbert::Spin;
/// use operator_core::{Boundary, Graph, Heisenberg, Model};
///
/// let ring = Graph::chain(4, Boundary::Periodic)?;
/// let heisenberg = Heisenberg::new(Spin::half(4)?, &ring, 1.0)?.definition()?;
/// let mut moves = heisenberg.engine::<f64>()?.moves();
/// let mut x = [1, 1, -1, -1];
/// moves.go_to(&x);
/// assert_eq!(moves.len(), 2); // exchanges of opposite neighbours
/// let changes: Vec<(usize, i8)> = moves.get(0).into_iter().flat_map(|to| to.changes(&x)).collect();
/// assert_eq!(moves.propose(&changes), 4);
/// changes.iter().for_each(|&(site, value)| x[site] = value);
/// moves.go_to(&x);
/// assert_eq!(moves.len(), 4); // of the alternating state every bond
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// Like [`Engine`](crate::kernel::Engine), it does not check configurations.
#[derive(Clone, Debug)]
pub struct Moves<T> {
    kernel: Arc<Kernel>,
    values: Arc<[T]>,
    /// Shared by everyone who follows the operator's moves; built for the first proposal.
    dependents: Arc<OnceLock<Dependents>>,
    x: Vec<i8>,
    /// x and the x' of the last proposal, in the form the kernel needs.
    here: Scratch<T>,
    there: Scratch<T>,
    /// Number of elements of each group.
    counts: SumTree,
    proposed: Proposed,
    /// For each group, the last proposal that counted it.
    counted: Vec<u64>,
    /// Number of elements of each group, when all are counted anew.
    all: Vec<u32>,
}

/// The x' of a proposal.
#[derive(Clone, Debug, Default)]
struct Proposed {
    number: u64,
    changes: Vec<(usize, i8)>,
    /// Number of moves from x'.
    n: usize,
    /// The groups whose number of elements is different at x'; only the first `n_changed` are valid.
    counts: Vec<(u32, u32)>,
    n_changed: usize,
}

impl Proposed {
    /// Makes room for the counts of `n_groups` groups and forgets earlier changes.
    #[inline]
    fn clear_counts(&mut self, n: usize, n_groups: usize) {
        (self.n, self.n_changed) = (n, 0);
        if self.counts.len() < n_groups {
            self.counts.resize(n_groups, (0, 0));
        }
    }

    /// Records a group's number of elements if the group is new and the number changed. No branch: whether a
    /// bond has an element is nearly random.
    #[inline]
    fn push(&mut self, g: u32, before: u32, count: u32, is_new: bool) {
        self.counts[self.n_changed] = (g, count);
        self.n_changed += usize::from(is_new & (count != before));
        self.n += if is_new { count as usize } else { 0 };
        self.n -= if is_new { before as usize } else { 0 };
    }

    /// Counts the elements of each group that depends on a changed site, once each. `count` takes the group's
    /// position among these and its number.
    #[inline]
    fn count(
        &mut self,
        dependents: &Dependents,
        counts: &SumTree,
        counted: &mut [u64],
        mut count: impl FnMut(usize, usize) -> u32,
    ) {
        for k in 0..self.changes.len() {
            for place in dependents.of(self.changes[k].0).expect("without a list, all groups are counted") {
                let g = dependents.groups()[place];
                let last = std::mem::replace(&mut counted[g as usize], self.number);
                self.push(g, counts.get(g as usize), count(place, g as usize), last != self.number);
            }
        }
    }
}

impl<T: Element> Moves<T> {
    pub(crate) fn new(kernel: Arc<Kernel>, values: Arc<[T]>, dependents: Arc<OnceLock<Dependents>>) -> Self {
        let n_groups = kernel.n_groups();
        Moves {
            kernel,
            values,
            dependents,
            x: Vec::new(),
            here: Scratch::default(),
            there: Scratch::default(),
            counts: SumTree::new(n_groups),
            proposed: Proposed::default(),
            counted: vec![0; n_groups],
            all: vec![0; n_groups],
        }
    }

    /// Moves to x: from the present place if the last proposal led to x, and from scratch otherwise.
    #[inline]
    pub fn go_to(&mut self, x: &[i8]) {
        if self.proposed.changes.first().is_some_and(|&(site, value)| x.get(site) == Some(&value)) {
            self.accept();
        }
        if self.x != x {
            self.start(x);
        }
    }

    /// Number of moves from x.
    #[inline]
    pub fn len(&self) -> usize {
        self.counts.total()
    }

    /// Whether no other state is connected to x.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The move with this number, in the order of [`Engine::visit`](crate::kernel::Engine::visit); `None` if
    /// there is no such move.
    #[inline]
    pub fn get(&mut self, number: usize) -> Option<Connected<'_>> {
        let (g, rest) = self.counts.find(number)?;
        let Scratch { words, digits, .. } = &mut self.here;
        match &*self.kernel {
            Kernel::Mask(kernel) => Some(Connected::mask_group(kernel, g, words)),
            Kernel::Table(kernel) => {
                let (mut k, mut found) = (0, None);
                kernel.for_each_of(g, digits, &self.values, |target, _| {
                    if k == rest {
                        found = Some(target);
                    }
                    k += 1;
                });
                found.map(|target| Connected::table_target(kernel, g, target, digits))
            }
        }
    }

    /// Number of moves from the x' with these new quantum numbers, (site, value). Sites must be distinct.
    #[inline]
    pub fn propose(&mut self, changes: &[(usize, i8)]) -> usize {
        let x = &self.x;
        let is_new = |&(site, value): &(usize, i8)| x.get(site).is_some_and(|&present| present != value);
        self.proposed.number += 1;
        self.proposed.changes.clear();
        self.proposed.changes.extend(changes.iter().copied().filter(is_new));
        self.pack_proposed();
        self.count_proposed();
        self.proposed.n
    }

    fn start(&mut self, x: &[i8]) {
        self.proposed.changes.clear();
        self.x.clear();
        self.x.extend_from_slice(x);
        match &*self.kernel {
            Kernel::Mask(kernel) => kernel.pack(x, &mut self.here.words),
            Kernel::Table(kernel) => {
                self.here.digits.clear();
                kernel.push_digits(x, &mut self.here.digits);
            }
        }
        self.kernel.count_all(&self.values, &mut self.here, &mut self.all);
        self.counts.set_all(&self.all);
    }

    /// Moves to the x' of the last proposal.
    #[inline]
    fn accept(&mut self) {
        std::mem::swap(&mut self.here, &mut self.there);
        for &(site, value) in &self.proposed.changes {
            self.x[site] = value;
        }
        for &(g, count) in &self.proposed.counts[..self.proposed.n_changed] {
            self.counts.set(g as usize, count);
        }
        self.proposed.changes.clear();
    }

    #[inline]
    fn pack_proposed(&mut self) {
        let Moves { kernel, here, there, proposed, .. } = self;
        match &**kernel {
            Kernel::Mask(_) => {
                there.words.clear();
                there.words.extend_from_slice(&here.words);
                proposed.changes.iter().for_each(|&(site, _)| bits::toggle(&mut there.words, site));
            }
            Kernel::Table(kernel) => {
                there.digits.clear();
                there.digits.extend_from_slice(&here.digits);
                for &(site, value) in &proposed.changes {
                    there.digits[site] =
                        kernel.local(site).index(value).expect("x' is a state of the space") as u8;
                }
            }
        }
    }

    /// Counts the elements of the groups whose number may have changed.
    #[inline]
    fn count_proposed(&mut self) {
        let Moves { kernel, values, dependents, there, counts, proposed, counted, all, .. } = self;
        let dependents = dependents.get_or_init(|| Dependents::new(kernel, values));
        let lists = proposed.changes.iter().map(|&(site, _)| dependents.of(site).map(|list| list.len()));
        // `push` writes one entry beyond those it keeps.
        let Some(n_groups) = lists.sum::<Option<usize>>().map(|n| n + 1) else {
            kernel.count_all(values, there, all);
            proposed.clear_counts(counts.total(), all.len() + 1);
            for (g, &count) in all.iter().enumerate() {
                proposed.push(g as u32, counts.get(g), count, true);
            }
            return;
        };
        proposed.clear_counts(counts.total(), n_groups);
        match (&**kernel, dependents.bonds()) {
            (Kernel::Mask(_), Some(bonds)) => match there.words[..] {
                [a] => proposed.count(dependents, counts, counted, |place, _| bonds[place].count(&[a])),
                [a, b] => proposed.count(dependents, counts, counted, |place, _| bonds[place].count(&[a, b])),
                ref words => {
                    proposed.count(dependents, counts, counted, |place, _| bonds[place].count(words))
                }
            },
            (Kernel::Mask(kernel), None) => {
                let words = &there.words[..];
                proposed.count(dependents, counts, counted, |_, g| kernel.count(g, words, values));
            }
            (Kernel::Table(kernel), _) => {
                let digits = &there.digits[..];
                proposed.count(dependents, counts, counted, |_, g| kernel.count(g, digits, values));
            }
        }
    }
}

impl MaskKernel {
    /// Number of elements of a group, 0 or 1.
    #[inline]
    fn count<T: Element>(&self, g: usize, words: &[u64], values: &[T]) -> u32 {
        u32::from(self.pieces.sum(self.groups[g].pieces, words, values) != T::zero())
    }
}

impl TableKernel {
    /// Number of elements of a group.
    #[inline]
    fn count<T: Element>(&self, g: usize, digits: &[u8], values: &[T]) -> u32 {
        let mut n = 0;
        self.for_each_of(g, digits, values, |_, _| n += 1);
        n
    }
}

impl Kernel {
    /// Numbers of elements of all groups for the packed configuration.
    fn count_all<T: Element>(&self, values: &[T], scratch: &mut Scratch<T>, counts: &mut [u32]) {
        counts.fill(0);
        match self {
            Kernel::Mask(kernel) => {
                kernel.evaluate(&scratch.words, values, &mut scratch.hits);
                let (groups, _) = scratch.hits.as_slices();
                groups.iter().for_each(|&g| counts[g as usize] = 1);
            }
            Kernel::Table(kernel) => {
                kernel.for_each(&scratch.digits, values, |g, _, _| counts[g] += 1);
            }
        }
    }
}
