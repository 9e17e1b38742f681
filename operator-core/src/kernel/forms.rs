//! Slots as linear forms of the parameters.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use num_complex::Complex64;
use smallvec::SmallVec;

use crate::element::Element;
use crate::rounding::clean;
use crate::terms::{Coefficient, Term};

/// A linear form in the parameters: `Σ_k factor_k · p_k`, where p_0 = 1 stands for the constant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// Parameter, factor, and the sum of the absolute values that went into the factor.
    entries: SmallVec<[(u32, Complex64, f64); 1]>,
}

impl Form {
    /// Adds `scale · coefficient`.
    pub(crate) fn add(&mut self, coefficient: Coefficient, scale: Complex64) {
        let factor = coefficient.factor * scale;
        if factor == Complex64::new(0.0, 0.0) {
            return;
        }
        let parameter = coefficient.parameter.map_or(0, |p| p.index() as u32 + 1);
        self.add_entry(parameter, factor, factor.norm());
    }

    /// Adds another form, or subtracts it.
    pub(crate) fn add_form(&mut self, other: &Form, negative: bool) {
        for &(parameter, factor, size) in &other.entries {
            self.add_entry(parameter, if negative { -factor } else { factor }, size);
        }
    }

    fn add_entry(&mut self, parameter: u32, factor: Complex64, size: f64) {
        match self.entries.iter_mut().find(|entry| entry.0 == parameter) {
            Some(entry) => {
                entry.1 += factor;
                entry.2 += size;
            }
            None => self.entries.push((parameter, factor, size)),
        }
    }

    /// Whether the form vanishes whatever the parameters, once it is [trimmed](FormBuilder::trim).
    pub(crate) fn is_zero(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value for given parameters, and the sum of the absolute values of its summands.
    pub(crate) fn value(&self, parameters: &[f64]) -> (Complex64, f64) {
        self.entries.iter().fold((Complex64::ZERO, 0.0), |(sum, size), &(parameter, factor, _)| {
            let value = (parameter as usize).checked_sub(1).map_or(factor, |p| factor * parameters[p]);
            (sum + value, size + value.norm())
        })
    }

    /// Whether a parameter enters.
    pub(crate) fn has_parameters(&self) -> bool {
        self.entries.iter().any(|&(parameter, ..)| parameter > 0)
    }

    /// The factors in a unique form, to recognise equal forms.
    pub(crate) fn key(&self) -> Key {
        let mut key: Key =
            self.entries.iter().map(|&(p, z, _)| (p, z.re.to_bits(), z.im.to_bits())).collect();
        key.sort_unstable();
        key
    }
}

/// Parameter and factor of each entry of a form, in order.
pub(crate) type Key = SmallVec<[(u32, u64, u64); 1]>;

/// Coefficients that were left out of an operator because they are only rounding beside its largest one.
///
/// See [`Definition::dropped`](crate::Definition::dropped).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropped {
    /// How many.
    pub count: usize,
    /// The largest of their absolute values.
    pub largest: f64,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            0 => f.write_str("no coefficients are dropped"),
            1 => write!(f, "1 coefficient of {:.1e} is dropped as rounding", self.largest),
            n => write!(f, "{n} coefficients of at most {:.1e} are dropped as rounding", self.largest),
        }
    }
}

/// Numbers forms; equal forms get one slot, and slot 0 is the form 0.
pub(crate) struct FormBuilder {
    forms: Forms,
    slots: HashMap<Key, u32>,
    /// For each parameter, the constant first, the absolute value up to which factors are dropped.
    smallest: Vec<f64>,
    dropped: Dropped,
}

impl FormBuilder {
    /// No forms yet; drops nothing but what cancels.
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::with_cutoff(&[], 0.0)
    }

    /// Drops factors that are at most `cutoff` times the largest coefficient of the terms with the same parameter, or
    /// without one. Terms on no site do not count: an energy shift says nothing about the size of the rest.
    pub(crate) fn with_cutoff(terms: &[Term], cutoff: f64) -> Self {
        let mut largest: Vec<f64> = Vec::new();
        for term in terms.iter().filter(|term| !term.kind.is_number()) {
            let place = term.coefficient.parameter.map_or(0, |p| p.index() + 1);
            if largest.len() <= place {
                largest.resize(place + 1, 0.0);
            }
            let size = term.coefficient.factor.norm() * term.kind.largest_element();
            largest[place] = largest[place].max(size);
        }
        let smallest = largest.into_iter().map(|size| cutoff * size).collect();
        let forms = Forms { offsets: vec![0, 0], parameters: Vec::new(), factors: Vec::new() };
        FormBuilder { forms, slots: HashMap::from([(Key::new(), 0)]), smallest, dropped: Dropped::default() }
    }

    /// Removes from a complete form what cancels, and what the cutoff drops.
    pub(crate) fn trim(&mut self, form: &mut Form) {
        let (smallest, dropped) = (&self.smallest, &mut self.dropped);
        form.entries.retain(|(parameter, factor, size)| {
            let smallest = smallest.get(*parameter as usize).copied().unwrap_or(0.0);
            *factor = clean(*factor, *size);
            let small = |part: f64| part != 0.0 && part.abs() <= smallest;
            if small(factor.re) || small(factor.im) {
                let part = |part: f64| if small(part) { part.abs() } else { 0.0 };
                dropped.count += 1;
                dropped.largest = dropped.largest.max(part(factor.re)).max(part(factor.im));
                let kept = |part: f64| if small(part) { 0.0 } else { part };
                *factor = Complex64::new(kept(factor.re), kept(factor.im));
            }
            *factor != Complex64::ZERO
        });
    }

    /// What was dropped so far.
    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Forgets what was dropped since, when forms are made anew.
    pub(crate) fn reset_dropped(&mut self, to: Dropped) {
        self.dropped = to;
    }

    /// The slot of a trimmed form.
    pub(crate) fn slot(&mut self, form: &Form) -> u32 {
        let key = form.key();
        let next = self.slots.len() as u32;
        match self.slots.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                for &(parameter, re, im) in place.key() {
                    self.forms.parameters.push(parameter);
                    self.forms.factors.push(Complex64::new(f64::from_bits(re), f64::from_bits(im)));
                }
                self.forms.offsets.push(self.forms.factors.len());
                *place.insert(next)
            }
        }
    }

    /// Number of slots so far.
    pub(crate) fn n_slots(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn finish(self) -> Forms {
        self.forms
    }
}

/// The linear forms of all slots: a sparse matrix that takes parameters to matrix elements.
#[derive(Clone, Debug)]
pub struct Forms {
    offsets: Vec<usize>,
    parameters: Vec<u32>,
    factors: Vec<Complex64>,
}

impl Forms {
    /// Number of slots, slot 0 (always 0) included.
    pub fn n_slots(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether every slot is real for every value of the parameters.
    pub fn is_real(&self) -> bool {
        self.factors.iter().all(|factor| factor.im == 0.0)
    }

    /// The terms of one slot's form: the parameter's index (`None` for the constant) and its factor.
    pub fn form(&self, slot: usize) -> impl Iterator<Item = (Option<usize>, Complex64)> + '_ {
        let range = self.offsets[slot]..self.offsets[slot + 1];
        self.parameters[range.clone()]
            .iter()
            .zip(&self.factors[range])
            .map(|(&parameter, &factor)| ((parameter as usize).checked_sub(1), factor))
    }

    /// The value of each slot for given parameters ([`Parameters::to_vec`](crate::Parameters::to_vec)).
    pub fn values<T: Element>(&self, parameters: &[f64]) -> Vec<T> {
        (0..self.n_slots())
            .map(|slot| {
                let value = |(parameter, factor): (Option<usize>, Complex64)| {
                    parameter.map_or(factor, |p| factor * parameters[p])
                };
                let (sum, size) = self
                    .form(slot)
                    .map(value)
                    .fold((Complex64::ZERO, 0.0), |(sum, size), z| (sum + z, size + z.norm()));
                // What cancels is no connection: 0.1 + 0.2 − 0.3 is 0.
                T::from_complex(clean(sum, size))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_forms_share_a_slot_and_cancelled_forms_are_slot_zero() {
        let mut builder = FormBuilder::new();
        let one = Complex64::new(1.0, 0.0);
        let mut form = Form::default();
        form.add(2.0.into(), one);
        assert_eq!(builder.slot(&form), 1);
        let mut same = Form::default();
        same.add(1.0.into(), one);
        same.add(1.0.into(), one);
        assert_eq!(builder.slot(&same), 1);
        same.add((-2.0).into(), one);
        builder.trim(&mut same);
        assert!(same.is_zero());
        assert_eq!(builder.slot(&same), 0);
        let mut rounded = Form::default();
        for value in [0.1, 0.2, -0.3] {
            rounded.add(value.into(), one);
        }
        builder.trim(&mut rounded);
        assert_eq!(builder.slot(&rounded), 0, "0.1 + 0.2 - 0.3 is rounding");
        assert_eq!(builder.finish().values::<f64>(&[]), [0.0, 2.0]);
    }
}
