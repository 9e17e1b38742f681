//! A lowered operator with values: all that backends do with one.

use std::sync::{Arc, OnceLock};

use super::batch::{BatchPlan, Found};
use super::connected::Connected;
use super::lowered::{Kernel, Scratch};
use super::moves::{Dependents, Moves};
use crate::element::Element;
use crate::hilbert::PackedRanking;

/// A lowered operator with the values of its matrix elements: visits connected elements one configuration
/// at a time.
///
/// Cheap to clone. It checks nothing about its samples; batches are checked once by
/// [`HilbertSpace::check`](crate::HilbertSpace::check) before they get here. A sample that was not checked gives meaningless elements
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

    pub(crate) fn plan(&self) -> &BatchPlan<T> {
        self.plan.get_or_init(|| BatchPlan::new(self.kernel.clone(), self.values.clone()))
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
                // All groups are evaluated before the first is visited: whether an element is zero is as good
                // as random (half of all bonds are aligned), and a list of those that are not is gathered
                // without branches.
                let Scratch { words, hits, .. } = scratch;
                let diagonal = kernel.evaluate(words, &self.values, hits);
                if diagonal != T::zero() {
                    visit(Connected::mask_diagonal(kernel, words), diagonal);
                }
                let (groups, mels) = hits.as_slices();
                for (&g, &mel) in groups.iter().zip(mels) {
                    visit(Connected::mask_group(kernel, g as usize, words), mel);
                }
            }
            Kernel::Table(kernel) => {
                scratch.digits.clear();
                kernel.push_digits(x, &mut scratch.digits);
                let Scratch { digits, sums, .. } = scratch;
                let diagonal = kernel.diagonal(digits, &self.values);
                if diagonal != T::zero() {
                    visit(Connected::table_diagonal(kernel, digits), diagonal);
                }
                kernel.for_each(digits, &self.values, sums, |g, target, mel| {
                    visit(Connected::table_target(kernel, g, target, digits), mel);
                });
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

    /// Finds the elements of a block of samples, `counts.len()` rows one after another, and counts those of
    /// each.
    pub fn find(&self, rows: &[i8], counts: &mut [usize], found: &mut Found<T>) {
        self.plan().find(rows, counts, found);
    }

    /// Calls `visit` with the change and the matrix element, for all elements of one of the samples that were
    /// found by this engine, in the order of [`visit`](Self::visit).
    ///
    /// # Panics
    /// If there is no such sample.
    #[inline]
    pub fn visit_found<F>(&self, found: &Found<T>, sample: usize, visit: F)
    where
        F: FnMut(Connected<'_>, T),
    {
        self.plan().visit_found(found, sample, visit);
    }

    /// Writes the elements that were found: states, a row each, and matrix elements. `rows` are the samples; the
    /// slices have room for just these elements.
    pub fn write(&self, rows: &[i8], found: &Found<T>, states: &mut [i8], mels: &mut [T]) {
        self.plan().write(rows, found, states, mels);
    }

    /// Writes the elements that were found, each state packed into words: bit i % 64 of word i / 64 is the
    /// local index of site i.
    ///
    /// # Panics
    /// If sites have more than two states; the operator checks this.
    pub fn write_packed(&self, found: &Found<T>, states: &mut [u64], mels: &mut [T]) {
        self.plan().write_packed(found, states, mels);
    }

    /// Writes the elements that were found, each state as its number among those of the space.
    ///
    /// # Panics
    /// If sites have more than two states; the operator checks this.
    pub fn write_indices(
        &self,
        found: &Found<T>,
        ranking: &PackedRanking,
        indices: &mut [usize],
        mels: &mut [T],
    ) {
        self.plan().write_indices(found, ranking, indices, mels);
    }

    /// Something that follows configurations and the moves from them. One for each thread.
    pub fn moves(&self) -> Moves<T> {
        Moves::new(self.kernel.clone(), self.values.clone(), self.dependents.clone())
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
