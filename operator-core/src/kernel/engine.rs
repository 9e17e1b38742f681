//! A lowered operator with values: everything that backends do with one.

use std::sync::{Arc, OnceLock};

use super::arrays::EngineArrays;
use super::batch::{BatchPlan, Found};
use super::changes::Changes;
use super::connected::Connected;
use super::lowered::{Kernel, Scratch};
use super::moves::{Dependents, Moves};
use crate::element::Element;
use crate::hilbert::PackedRanking;

/// A lowered operator with the values of its matrix elements. It visits the connected elements of one
/// configuration at a time.
///
/// Cheap to clone. It does not check its samples; [`HilbertSpace::check`](crate::HilbertSpace::check) checks
/// each batch once beforehand. An unchecked sample gives meaningless elements or a panic, never undefined
/// behaviour.
#[derive(Clone, Debug)]
pub struct Engine<T> {
    kernel: Arc<Kernel>,
    /// The values of the slots, then those of the kernel's own factors.
    values: Arc<[T]>,
    n_slots: usize,
    n_sites: usize,
    /// Built for the first block of samples.
    plan: Arc<OnceLock<BatchPlan<T>>>,
    /// Built when moves are first followed.
    dependents: Arc<OnceLock<Dependents>>,
}

impl<T: Element> Engine<T> {
    /// `values` are those of the slots.
    pub(crate) fn new(kernel: Arc<Kernel>, mut values: Vec<T>) -> Self {
        let n_slots = values.len();
        kernel.extend_values(&mut values);
        let n_sites = kernel.n_sites();
        Engine {
            kernel,
            values: values.into(),
            n_slots,
            n_sites,
            plan: Arc::default(),
            dependents: Arc::default(),
        }
    }

    pub(crate) fn plan(&self) -> &BatchPlan<T> {
        self.plan.get_or_init(|| BatchPlan::new(self.kernel.clone(), self.values.clone()))
    }

    /// The value of each slot; slot 0 is always 0.
    pub fn values(&self) -> &[T] {
        &self.values[..self.n_slots]
    }

    /// Upper bound of the number of connected elements of any configuration.
    pub fn max_conn_size(&self) -> usize {
        self.kernel.max_conn_size()
    }

    /// Calls `visit` for each non-zero element `<x|O|x'>`: first the diagonal, if it is non-zero, then the
    /// groups in a fixed order. Each x' comes once.
    ///
    /// # Panics
    /// If `x` has another number of sites than the space.
    #[inline]
    pub fn visit<F>(&self, x: &[i8], scratch: &mut Scratch<T>, mut visit: F)
    where
        F: FnMut(Connected<'_>, T),
    {
        self.check_row(x);
        match &*self.kernel {
            Kernel::Mask(kernel) => {
                kernel.pack(x, &mut scratch.words);
                // Evaluate all groups before visiting the first. Whether an element is zero is nearly random
                // (half of all bonds are aligned), so gather the non-zero ones in a list without branches.
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
                let digits = &scratch.digits;
                let diagonal = kernel.diagonal(digits, &self.values);
                if diagonal != T::zero() {
                    visit(Connected::table_diagonal(kernel, digits), diagonal);
                }
                kernel.for_each(digits, &self.values, |g, target, mel| {
                    visit(Connected::table_target(kernel, g, target, digits), mel);
                });
            }
        }
    }

    #[inline]
    fn check_row(&self, x: &[i8]) {
        assert_eq!(x.len(), self.n_sites, "a configuration has one quantum number for each site");
    }

    /// Number of non-zero elements of one configuration.
    ///
    /// # Panics
    /// As [`visit`](Self::visit).
    #[inline]
    pub fn n_conn(&self, x: &[i8], scratch: &mut Scratch<T>) -> usize {
        self.check_row(x);
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

    /// Finds the elements of a block of `counts.len()` consecutive rows, and counts the elements of each
    /// sample.
    ///
    /// # Panics
    /// If there is not one row of the space's sites for each count.
    pub fn find(&self, rows: &[i8], counts: &mut [usize], found: &mut Found<T>) {
        assert_eq!(rows.len(), counts.len() * self.n_sites, "there is a row for each count");
        self.plan().find(rows, counts, found);
    }

    /// Calls `visit` with the change and the matrix element for every element of one sample that this engine
    /// found, in the order of [`visit`](Self::visit).
    ///
    /// # Panics
    /// If there is no such sample, or another engine found the elements.
    #[inline]
    pub fn visit_found<F>(&self, found: &Found<T>, sample: usize, visit: F)
    where
        F: FnMut(Connected<'_>, T),
    {
        self.plan().visit_found(found, sample, visit);
    }

    /// Writes the elements found as states, one a row, and matrix elements. `rows` are the samples; the slices
    /// have room for exactly these elements.
    ///
    /// # Panics
    /// If another engine found the elements, or the lengths do not fit them.
    pub fn write(&self, rows: &[i8], found: &Found<T>, states: &mut [i8], mels: &mut [T]) {
        self.plan().write(rows, found, states, mels);
    }

    /// Writes each connected state found, packed into words: bit i % 64 of word i / 64 is the local index of
    /// site i.
    ///
    /// # Panics
    /// If sites have more than two states, which the operator checks, or as [`write`](Self::write).
    pub fn write_packed(&self, found: &Found<T>, states: &mut [u64], mels: &mut [T]) {
        self.plan().write_packed(found, states, mels);
    }

    /// All changes that elements make, by number.
    pub fn changes(&self) -> &Changes {
        self.plan().changes()
    }

    /// The kernel without values as plain arrays, for programs of devices.
    #[doc(hidden)]
    pub fn arrays(&self) -> EngineArrays {
        EngineArrays::new(&self.kernel, self.changes(), self.n_slots)
    }

    /// Writes the elements found as numbers of [`changes`](Self::changes), and real and imaginary parts of matrix
    /// elements, `width` slots a sample. The used slots come first, in the order of [`visit`](Self::visit), and the
    /// others hold 0. `im` is empty for real elements.
    ///
    /// # Panics
    /// If another engine found the elements, or the slices or the slots are too few for them.
    pub fn write_items(
        &self,
        found: &Found<T>,
        width: usize,
        items: &mut [u32],
        re: &mut [T::Real],
        im: &mut [T::Real],
    ) {
        self.plan().write_items(found, width, items, re, im);
    }

    /// Writes the number of each connected state found within the space.
    ///
    /// # Panics
    /// If sites have more than two states, which the operator checks, or as [`write`](Self::write).
    pub fn write_indices(
        &self,
        found: &Found<T>,
        ranking: &PackedRanking,
        indices: &mut [usize],
        mels: &mut [T],
    ) {
        self.plan().write_indices(found, ranking, indices, mels);
    }

    /// An object that follows configurations and their moves. Make one for each thread.
    pub fn moves(&self) -> Moves<T> {
        Moves::new(self.kernel.clone(), self.values.clone(), self.dependents.clone())
    }
}

impl Engine<f64> {
    /// An engine in which an element is zero only if its slots cancel.
    pub(crate) fn pattern(kernel: Arc<Kernel>, n_slots: usize) -> Self {
        let values = (0..n_slots as u64).map(|slot| if slot == 0 { 0.0 } else { generic(slot) });
        Engine::new(kernel, values.collect())
    }
}

/// A number from 1 to 2 for each slot, with no integer relation among them: a signed sum of slots is zero only
/// if each slot cancels. (The mixing function of SplitMix64, Steele et al., OOPSLA 2014.)
pub(super) fn generic(slot: u64) -> f64 {
    let mut z = slot.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    1.0 + ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
