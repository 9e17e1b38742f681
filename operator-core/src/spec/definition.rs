//! Whole operators from and to JSON.

use serde_json::Value;

use super::reader::Reader;
use super::written::{Read, value_to_json};
use super::{hilbert, terms, unique_keys};
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::models::READERS;
use crate::rounding::CUTOFF;

/// The key of a [cutoff](Definition::with_cutoff) other than the default.
const ROUNDING_CUTOFF: &str = "rounding_cutoff";

impl Definition {
    /// Reads an operator from its [spec](crate::spec).
    ///
    /// # Errors
    /// [`Error::UnknownModel`]; [`Error::Spec`] for a key that is missing or has the wrong type;
    /// [`Error::UnknownKey`] for one that the model does not read; the errors of the space, the graph and the
    /// model for values that do not fit together. A [`Value`] holds no key twice;
    /// [`from_json`](Self::from_json) refuses text that does.
    pub fn from_spec(spec: &Value) -> Result<Self> {
        let spec = Reader::new(spec, "spec");
        let name = spec.key("model")?.str()?;
        let by_hand: [(&str, Read); 1] = [(terms::NAME, terms::read)];
        let readers = READERS.iter().chain(&by_hand);
        let Some((_, read)) = readers.clone().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = readers.map(|(known, _)| *known).collect();
            return Err(Error::UnknownModel { name: name.to_owned(), known: known.join(", ") });
        };
        let definition = read(&spec, hilbert::read(&spec.key("hilbert")?)?)?;
        let cutoff = spec.optional(ROUNDING_CUTOFF)?.map(|cutoff| cutoff.number()).transpose()?;
        spec.refuse_the_rest(&format!("model {name}"))?;
        match cutoff {
            Some(cutoff) => definition.with_cutoff(cutoff),
            None => Ok(definition),
        }
    }

    /// Reads an operator from the text of its [spec](crate::spec).
    ///
    /// # Errors
    /// As for [`from_spec`](Self::from_spec), and [`Error::Spec`] for text that is not JSON
    /// or has a key twice in one object.
    pub fn from_json(text: &str) -> Result<Self> {
        let spec = unique_keys::parse(text).map_err(|error| Error::Spec(error.to_string()))?;
        Self::from_spec(&spec)
    }

    /// The operator's [spec](crate::spec) with the present values of its parameters. It uses the form of its
    /// model, or lists the terms if the operator was written by hand, made by algebra, or is a model of another
    /// crate.
    pub fn to_spec(&self) -> Value {
        let mut spec = self.spec_with_default_cutoff();
        if let (Value::Object(entries), true) = (&mut spec, self.cutoff() != CUTOFF) {
            entries.insert(ROUNDING_CUTOFF.to_owned(), self.cutoff().into());
        }
        spec
    }

    fn spec_with_default_cutoff(&self) -> Value {
        let Some(spec) = self.structure().spec() else { return terms::write(self) };
        let mut entries = spec.entries.clone();
        for (name, value) in self.parameters().iter() {
            if entries.insert(name.to_owned(), value_to_json(value)).is_some() {
                // The form belongs to another model, so only the terms say what this one is.
                return terms::write(self);
            }
        }
        Value::Object(entries)
    }

    /// The text of the operator's [spec](crate::spec).
    pub fn to_json(&self) -> String {
        self.to_spec().to_string()
    }
}
