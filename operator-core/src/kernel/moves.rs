//! The x' that an operator connects to a configuration, followed from one configuration to the next.

use super::dependents::Dependents;
use super::tally::Tally;
use super::{Connected, Engine, Kernel, Scratch};
use crate::bits;
use crate::element::Element;

/// The x' ≠ x with `<x|O|x'>` ≠ 0, of one x after another.
///
/// It stands at a configuration x, where [`go_to`](Self::go_to) puts it, and knows how many elements each group
/// of terms has there. [`propose`](Self::propose) asks how many moves an x' has that differs in a few sites:
/// only the groups that look at these sites are evaluated. Going to that x' costs a few steps more. This is to
/// an operator what [`Walker`](crate::Walker) is to a wave function.
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
/// assert_eq!((moves.len(), x), (4, [1, -1, 1, -1]));
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// As [`Engine`], it checks nothing about configurations.
#[derive(Clone, Debug)]
pub struct Moves<T> {
    engine: Engine<T>,
    x: Vec<i8>,
    /// x, packed as the kernel needs it.
    scratch: Scratch<T>,
    /// Number of elements of each group.
    counts: Tally,
    proposed: Proposed,
    /// For each group, the last proposal for which it was counted.
    counted: Vec<u64>,
    /// Numbers of elements of all groups.
    all: Vec<u32>,
}

/// The x' of a proposal.
#[derive(Clone, Debug, Default)]
struct Proposed {
    number: u64,
    changes: Vec<(usize, i8)>,
    /// The groups that have another number of elements there.
    counts: Vec<(u32, u32)>,
}

impl<T: Element> Engine<T> {
    /// Something that follows configurations and the moves from them. One for each thread.
    pub fn moves(&self) -> Moves<T> {
        let n_groups = self.kernel.n_groups();
        Moves {
            engine: self.clone(),
            x: Vec::new(),
            scratch: Scratch::default(),
            counts: Tally::new(n_groups),
            proposed: Proposed::default(),
            counted: vec![0; n_groups],
            all: vec![0; n_groups],
        }
    }
}

impl<T: Element> Moves<T> {
    /// Goes to x: on from where it stands if the last proposal led there, and anew otherwise.
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

    /// Whether nothing is connected to x.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The move of this number, if there are so many; in the order of [`Engine::visit`].
    #[inline]
    pub fn get(&mut self, number: usize) -> Option<Connected<'_>> {
        let (g, rest) = self.counts.find(number)?;
        let Scratch { words, digits, sums, .. } = &mut self.scratch;
        match &*self.engine.kernel {
            Kernel::Mask(kernel) => Some(kernel.connection(g, words)),
            Kernel::Table(kernel) => {
                let (mut k, mut found) = (0, None);
                kernel.for_each_of(g, digits, &self.engine.values, sums, &mut |_, target, _| {
                    if k == rest {
                        found = Some(target);
                    }
                    k += 1;
                });
                found.map(|target| kernel.connection(g, target, digits))
            }
        }
    }

    /// Number of moves from the x' that has these new quantum numbers, (site, value). No site comes twice.
    #[inline]
    pub fn propose(&mut self, changes: &[(usize, i8)]) -> usize {
        let x = &self.x;
        let is_new = |&(site, value): &(usize, i8)| x.get(site).is_some_and(|&present| present != value);
        self.proposed.number += 1;
        self.proposed.changes.clear();
        self.proposed.changes.extend(changes.iter().copied().filter(is_new));
        self.set_proposed(true);
        self.count_proposed();
        self.set_proposed(false);
        let differences = self.proposed.counts.iter();
        differences.fold(self.counts.total(), |n, &(g, count)| {
            n + count as usize - self.counts.get(g as usize) as usize
        })
    }

    fn start(&mut self, x: &[i8]) {
        self.proposed.changes.clear();
        self.x.clear();
        self.x.extend_from_slice(x);
        self.engine.pack(x, &mut self.scratch);
        self.engine.count_all(&mut self.scratch, &mut self.all);
        self.counts.set_all(&self.all);
    }

    /// Goes to the x' of the last proposal.
    #[inline]
    fn accept(&mut self) {
        self.set_proposed(true);
        for &(site, value) in &self.proposed.changes {
            self.x[site] = value;
        }
        for &(g, count) in &self.proposed.counts {
            self.counts.set(g as usize, count);
        }
        self.proposed.changes.clear();
    }

    /// Packs x', or x again.
    #[inline]
    fn set_proposed(&mut self, is_proposed: bool) {
        for &(site, value) in &self.proposed.changes {
            match &*self.engine.kernel {
                Kernel::Mask(_) => bits::toggle(&mut self.scratch.words, site),
                Kernel::Table(kernel) => {
                    let value = if is_proposed { value } else { self.x[site] };
                    self.scratch.digits[site] = kernel.local(site).index(value).unwrap_or(0) as u8;
                }
            }
        }
    }

    /// Counts the elements of the groups that may have others than before, where x' is packed.
    #[inline]
    fn count_proposed(&mut self) {
        let Moves { engine, scratch, counts, proposed, counted, all, .. } = self;
        let dependents = engine.dependents();
        proposed.counts.clear();
        if proposed.changes.iter().any(|&(site, _)| dependents.of(site).is_none()) {
            engine.count_all(scratch, all);
            let groups = (0..).zip(&*all).map(|(g, &count)| (g, count));
            proposed.counts.extend(groups.filter(|&(g, count)| count != counts.get(g as usize)));
            return;
        }
        for &g in proposed.changes.iter().filter_map(|&(site, _)| dependents.of(site)).flatten() {
            let last = &mut counted[g as usize];
            if *last == proposed.number {
                continue;
            }
            *last = proposed.number;
            let count = engine.count(g as usize, scratch);
            if count != counts.get(g as usize) {
                proposed.counts.push((g, count));
            }
        }
    }
}

impl<T: Element> Engine<T> {
    fn dependents(&self) -> &Dependents {
        self.dependents.get_or_init(|| Dependents::new(&self.kernel, &self.values))
    }

    fn pack(&self, x: &[i8], scratch: &mut Scratch<T>) {
        match &*self.kernel {
            Kernel::Mask(kernel) => kernel.pack(x, &mut scratch.words),
            Kernel::Table(kernel) => kernel.digits(x, &mut scratch.digits),
        }
    }

    /// Number of elements of a group at the packed configuration.
    #[inline]
    fn count(&self, g: usize, scratch: &mut Scratch<T>) -> u32 {
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                let mel = kernel.sum(kernel.groups[g].pieces, &scratch.words[..], &self.values);
                u32::from(mel != T::zero())
            }
            Kernel::Table(kernel) => {
                let mut n = 0;
                let count = &mut |_, _, _| n += 1;
                kernel.for_each_of(g, &scratch.digits, &self.values, &mut scratch.sums, count);
                n
            }
        }
    }

    /// Numbers of elements of all groups at the packed configuration.
    fn count_all(&self, scratch: &mut Scratch<T>, counts: &mut [u32]) {
        counts.fill(0);
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                kernel.evaluate(&scratch.words, &self.values, &mut scratch.hits);
                let (groups, _) = scratch.hits.as_slices();
                groups.iter().for_each(|&g| counts[g as usize] = 1);
            }
            Kernel::Table(kernel) => {
                kernel.for_each(&scratch.digits, &self.values, &mut scratch.sums, |g, _, _| counts[g] += 1);
            }
        }
    }
}
