//! Slots as linear forms of the parameters.

use std::collections::HashMap;

use num_complex::Complex64;
use smallvec::SmallVec;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::parameters::Parameters;
use crate::rounding::clean;
use crate::terms::Coefficient;

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

    /// Whether the form vanishes whatever the parameters.
    pub(crate) fn is_zero(&self) -> bool {
        self.entries.iter().all(|&(_, factor, size)| clean(factor, size) == Complex64::new(0.0, 0.0))
    }

    fn cleaned(&self) -> SmallVec<[(u32, Complex64); 1]> {
        let mut out: SmallVec<[(u32, Complex64); 1]> = self
            .entries
            .iter()
            .map(|&(parameter, factor, size)| (parameter, clean(factor, size)))
            .filter(|(_, factor)| *factor != Complex64::new(0.0, 0.0))
            .collect();
        out.sort_unstable_by_key(|&(parameter, _)| parameter);
        out
    }
}

type Key = SmallVec<[(u32, u64, u64); 1]>;

/// Numbers forms; equal forms get one slot, and slot 0 is the form 0.
pub(crate) struct FormBuilder {
    forms: Forms,
    slots: HashMap<Key, u32>,
}

impl FormBuilder {
    pub(crate) fn new() -> Self {
        let forms = Forms { offsets: vec![0, 0], parameters: Vec::new(), factors: Vec::new() };
        FormBuilder { forms, slots: HashMap::from([(Key::new(), 0)]) }
    }

    /// The slot of a form.
    pub(crate) fn slot(&mut self, form: &Form) -> u32 {
        let entries = form.cleaned();
        let key: Key =
            entries.iter().map(|&(p, factor)| (p, factor.re.to_bits(), factor.im.to_bits())).collect();
        let next = self.slots.len() as u32;
        let slot = *self.slots.entry(key).or_insert(next);
        if slot == next {
            for (parameter, factor) in entries {
                self.forms.parameters.push(parameter);
                self.forms.factors.push(factor);
            }
            self.forms.offsets.push(self.forms.factors.len());
        }
        slot
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

    /// The values of all slots, for an operator called `name`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a value that is not finite, with the factors and parameters that it consists of.
    pub(crate) fn finite_values(&self, parameters: &Parameters, name: &str) -> Result<Vec<Complex64>> {
        let values: Vec<Complex64> = self.values(&parameters.to_vec());
        let Some(slot) = values.iter().position(|value| !value.is_finite()) else { return Ok(values) };
        let names: Vec<String> = parameters.value_names().collect();
        let number = |z: Complex64| if z.im == 0.0 { z.re.to_string() } else { format!("({z})") };
        let summand = |(parameter, factor): (Option<usize>, Complex64)| match parameter.map(|p| &names[p]) {
            Some(name) => format!("{} * {name}", number(factor)),
            None => number(factor),
        };
        let form: Vec<String> = self.form(slot).map(summand).collect();
        let what = format!("a matrix element of {name}, {},", form.join(" + "));
        Err(Error::NotFinite { what, value: values[slot] })
    }

    /// The value of each slot for given parameters ([`Parameters::to_vec`](crate::Parameters::to_vec)).
    pub fn values<T: Element>(&self, parameters: &[f64]) -> Vec<T> {
        (0..self.n_slots())
            .map(|slot| {
                let value = self.form(slot).map(|(parameter, factor)| match parameter {
                    Some(p) => factor * parameters[p],
                    None => factor,
                });
                T::from_complex(value.sum())
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
        assert!(same.is_zero());
        assert_eq!(builder.slot(&same), 0);
        let mut rounded = Form::default();
        for value in [0.1, 0.2, -0.3] {
            rounded.add(value.into(), one);
        }
        assert_eq!(builder.slot(&rounded), 0, "0.1 + 0.2 - 0.3 is rounding");
        assert_eq!(builder.finish().values::<f64>(&[]), [0.0, 2.0]);
    }
}
