//! Local estimators and their derivatives in the operator's parameters, in one pass.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::slice::IterMut;

use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;

use super::batched::{Source, for_blocks};
use super::blocks::{blocks, for_each, split};
use super::consumer::Consumer;
use super::finder::Finder;
use super::walk::with_walkers;
use crate::backend::Backend;
use crate::conn::ConnBatch;
use crate::definition::Definition;
use crate::element::Element;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::host_rows::HostRows;
use crate::kernel::{Connected, Engine};
use crate::wave_function::WaveFunction;

/// Local estimators of a definition and their derivatives in its parameters, shapes `(batch,)` and
/// `(batch, n_values)`, with walkers if the wave function has them, and in batches otherwise.
///
/// # Errors
/// Errors for bad samples as [`HilbertSpace::check_rows`]; as [`with_walkers`] and [`for_blocks`].
pub fn estimators_and_operator_grad<T, B, W>(
    definition: &Definition,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<NonZeroUsize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)>
where
    T: Element,
    B: Backend,
    W: WaveFunction<B> + ?Sized,
{
    let rows = definition.hilbert().check_rows(x)?;
    let linear = Linear::<T>::new(definition);
    let n_values = linear.n_values;
    let mut local = vec![Complex64::ZERO; rows.len()];
    let mut derivatives = Array2::zeros((rows.len(), n_values));
    let all = derivatives.as_slice_mut().expect("a new array is contiguous");
    if wave_function.has_walker() {
        let blocks = blocks(rows.len());
        let consumers = linear.derivatives(&blocks, &mut local, all);
        let jobs = blocks.into_iter().zip(consumers).collect();
        with_walkers(wave_function, jobs, |walk, block| walk.in_blocks(&linear.pattern, block, &rows))?;
    } else {
        let mut pattern = Pattern::new(definition.hilbert(), &linear.pattern);
        for_blocks(&mut pattern, wave_function, x, chunk_size, |pattern, block, conn, ratios| {
            let all = &mut all[block.start * n_values..block.end * n_values];
            pattern.pass_to(&linear, conn.offsets(), ratios, &mut local[block], all);
        })?;
    }
    Ok((local.into(), derivatives))
}

/// An operator as a linear function of its parameters.
struct Linear<T> {
    /// Visits every element that is non-zero for some values of the parameters.
    pattern: Engine<f64>,
    slots: Vec<Slot<T>>,
    /// The parameters of slots, each with its factor.
    terms: Vec<(usize, Complex64)>,
    n_values: usize,
}

/// A slot: elements are sums of slots.
struct Slot<T> {
    /// The present value.
    value: T,
    /// Where its terms with a parameter are.
    terms: Range<usize>,
}

impl<T: Element> Linear<T> {
    fn new(definition: &Definition) -> Self {
        let (forms, parameters) = (definition.forms(), definition.parameters().to_vec());
        let mut terms = Vec::new();
        let values = forms.values(&parameters).into_iter().enumerate();
        let slots = values.map(|(slot, value)| {
            let start = terms.len();
            terms.extend(forms.form(slot).filter_map(|(parameter, factor)| Some((parameter?, factor))));
            Slot { value, terms: start..terms.len() }
        });
        let slots = slots.collect();
        Linear { pattern: definition.pattern(), slots, terms, n_values: parameters.len() }
    }

    /// A consumer for each block of samples. `local` and `derivatives` have room for all samples.
    fn derivatives<'o>(
        &'o self,
        blocks: &[Range<usize>],
        local: &'o mut [Complex64],
        derivatives: &'o mut [Complex64],
    ) -> Vec<Derivatives<'o, T>> {
        let local = split(local, blocks.iter().map(ExactSizeIterator::len));
        let derivatives = split(derivatives, blocks.iter().map(|block| block.len() * self.n_values));
        let consumer = |(local, derivatives): (&'o mut [Complex64], _)| Derivatives {
            linear: self,
            slots: Vec::new(),
            ends: Vec::new(),
            sum: Complex64::ZERO,
            local: local.iter_mut(),
            derivatives,
        };
        local.into_iter().zip(derivatives).map(consumer).collect()
    }
}

/// Local estimators of a block of samples, and their derivatives.
struct Derivatives<'o, T> {
    linear: &'o Linear<T>,
    /// The slots of elements that still wait for their ratios, each with its factor.
    slots: Vec<(usize, f64)>,
    /// Where the slots of each of these elements end.
    ends: Vec<usize>,
    sum: Complex64,
    local: IterMut<'o, Complex64>,
    /// What is left to write; the present sample comes first.
    derivatives: &'o mut [Complex64],
}

impl<T: Element> Consumer<f64> for Derivatives<'_, T> {
    #[inline]
    fn element(&mut self, connected: Connected<'_>, _: f64) {
        connected.for_each_slot(|slot, factor| self.slots.push((slot, factor)));
        self.ends.push(self.slots.len());
    }

    fn ratios(&mut self, ratios: &[Complex64]) {
        let Linear { slots, terms, .. } = self.linear;
        let mut start = 0;
        for (&end, &ratio) in self.ends.iter().zip(ratios) {
            let mut mel = T::zero();
            for &(slot, weight) in &self.slots[start..end] {
                let Slot { value, terms: own } = &slots[slot];
                let ratio = ratio * weight;
                mel += *value * T::from_complex(weight.into());
                for &(parameter, factor) in &terms[own.clone()] {
                    self.derivatives[parameter] += factor * ratio;
                }
            }
            if !mel.is_zero() {
                self.sum += mel.to_complex() * ratio;
            }
            start = end;
        }
        self.slots.clear();
        self.ends.clear();
    }

    fn finish(&mut self) {
        *self.local.next().expect("a place for each sample") = std::mem::take(&mut self.sum);
        self.derivatives = &mut std::mem::take(&mut self.derivatives)[self.linear.n_values..];
    }
}

/// The elements of a pattern, in batches.
struct Pattern<'a> {
    hilbert: &'a HilbertSpace,
    engine: &'a Engine<f64>,
    /// The elements of the last block.
    finder: Finder<f64>,
}

impl<'a> Pattern<'a> {
    fn new(hilbert: &'a HilbertSpace, engine: &'a Engine<f64>) -> Self {
        Pattern { hilbert, engine, finder: Finder::default() }
    }

    /// Passes the elements of the last block and their ratios to consumers, on threads. The elements of sample b
    /// are `offsets[b]..offsets[b + 1]`.
    fn pass_to<T: Element>(
        &self,
        linear: &Linear<T>,
        offsets: &[usize],
        ratios: &[Complex64],
        local: &mut [Complex64],
        derivatives: &mut [Complex64],
    ) {
        let blocks: Vec<Range<usize>> = self.finder.blocks().map(|(block, _)| block).collect();
        let consumers = linear.derivatives(&blocks, local, derivatives);
        for_each(self.finder.blocks().zip(consumers).collect(), |((block, found), mut consumer)| {
            for (k, sample) in block.enumerate() {
                self.engine.visit_found(found, k, |connected, mel| consumer.element(connected, mel));
                consumer.ratios(&ratios[offsets[sample]..offsets[sample + 1]]);
                consumer.finish();
            }
        });
    }
}

impl Source for Pattern<'_> {
    type Element = f64;

    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        let mut finder = Finder::default();
        finder.find(self.engine, &self.hilbert.check_rows(x)?);
        Ok(finder.into_counts().into())
    }

    fn connect(&mut self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<f64>) -> Result<()> {
        let rows: HostRows<'_> = self.hilbert.check_rows(x)?;
        self.finder.find(self.engine, &rows);
        self.finder.write_into(self.engine, &rows, rows.n_sites(), conn, Engine::write)
    }
}
