//! Whole operators from and to JSON.

use serde_json::Value;

use super::reader::Reader;
use super::written::{Read, value_to_json};
use super::{hilbert, terms};
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::models::READERS;

impl Definition {
    /// Reads an operator from its [spec](crate::spec).
    ///
    /// # Errors
    /// [`Error::UnknownModel`]; [`Error::Spec`] for a key that is missing or has the wrong type; the errors of
    /// the space, the graph and the model for values that do not fit together.
    pub fn from_spec(spec: &Value) -> Result<Self> {
        let spec = Reader::new(spec, "spec");
        let name = spec.key("model")?.str()?;
        let by_hand: [(&str, Read); 1] = [(terms::NAME, terms::read)];
        let readers = READERS.iter().chain(&by_hand);
        let Some((_, read)) = readers.clone().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = readers.map(|(known, _)| *known).collect();
            return Err(Error::UnknownModel { name: name.to_owned(), known: known.join(", ") });
        };
        read(&spec, hilbert::read(&spec.key("hilbert")?)?)
    }

    /// Reads an operator from the text of its [spec](crate::spec).
    ///
    /// # Errors
    /// As for [`from_spec`](Self::from_spec), and [`Error::Spec`] for text that is not JSON.
    pub fn from_json(text: &str) -> Result<Self> {
        let spec = serde_json::from_str(text).map_err(|error| Error::Spec(error.to_string()))?;
        Self::from_spec(&spec)
    }

    /// The operator's [spec](crate::spec) with the present values of its parameters. It uses the form of its
    /// model, or lists the terms if the operator was written by hand, made by algebra, or is a model of another
    /// crate.
    pub fn to_spec(&self) -> Value {
        let Some(spec) = self.structure().spec() else { return terms::write(self) };
        let mut spec = spec.value.clone();
        for (name, value) in self.parameters().iter() {
            spec[name] = value_to_json(value);
        }
        spec
    }

    /// The text of the operator's [spec](crate::spec).
    pub fn to_json(&self) -> String {
        self.to_spec().to_string()
    }
}
