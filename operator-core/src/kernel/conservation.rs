//! When an operator keeps to a constrained space.

use std::collections::HashSet;

use super::forms::{Form, Key};
use crate::error::Error;
use crate::rounding::cancels;
use crate::terms::Term;

/// How to judge an element that leaves a constrained space.
pub(crate) enum Conservation<'a> {
    /// It must vanish for all values of the parameters.
    Always,
    /// It may vanish only for these values of the parameters. It is then left out, and becomes a condition on later
    /// values.
    At { parameters: &'a [f64], known: HashSet<Key>, conditions: Vec<Condition> },
}

/// A form that must vanish, and the error if it does not.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    form: Form,
    term: String,
    from: String,
    to: String,
}

impl Condition {
    /// # Errors
    /// [`Error::LeavesHilbert`] unless the form vanishes for these parameters.
    pub(crate) fn check(&self, parameters: &[f64], hilbert: impl ToString) -> Result<(), Error> {
        if vanishes(&self.form, parameters) {
            return Ok(());
        }
        let (term, from, to) = (self.term.clone(), self.from.clone(), self.to.clone());
        Err(Error::LeavesHilbert { term, hilbert: hilbert.to_string(), from, to })
    }
}

impl<'a> Conservation<'a> {
    /// Judges at these values of the parameters.
    pub(crate) fn at(parameters: &'a [f64]) -> Self {
        Conservation::At { parameters, known: HashSet::new(), conditions: Vec::new() }
    }

    /// The conditions on later values of the parameters.
    pub(crate) fn conditions(self) -> Vec<Condition> {
        match self {
            Conservation::Always => Vec::new(),
            Conservation::At { conditions, .. } => conditions,
        }
    }

    /// Judges the form of an element that leaves the space: `leaves` gives term, quantum numbers before and after.
    /// A form that vanishes for the parameters is taken, and its element removed.
    ///
    /// # Errors
    /// [`Error::LeavesHilbert`].
    pub(crate) fn judge(
        &mut self,
        form: &mut Form,
        hilbert: impl ToString,
        leaves: impl FnOnce() -> [String; 3],
    ) -> Result<(), Error> {
        match self {
            Conservation::At { parameters, known, conditions }
                if form.has_parameters() && vanishes(form, parameters) =>
            {
                let form = std::mem::take(form);
                if known.insert(form.key()) {
                    let [term, from, to] = leaves();
                    conditions.push(Condition { form, term, from, to });
                }
                Ok(())
            }
            _ => {
                let [term, from, to] = leaves();
                Err(Error::LeavesHilbert { term, hilbert: hilbert.to_string(), from, to })
            }
        }
    }
}

fn vanishes(form: &Form, parameters: &[f64]) -> bool {
    let (sum, size) = form.value(parameters);
    cancels(sum, size, false)
}

/// The names of some terms, for messages.
pub(crate) fn names(terms: &[Term], of: &[u32]) -> String {
    let mut names: Vec<String> = Vec::new();
    for &t in of {
        let name = terms[t as usize].kind.described();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = if names.len() > 3 { format!(" and {} more", names.len() - 3) } else { String::new() };
    names.truncate(3);
    match names.split_last() {
        Some((last, others)) if !others.is_empty() && more.is_empty() => {
            format!("{} and {last}", others.join(", "))
        }
        _ => names.join(", ") + &more,
    }
}
