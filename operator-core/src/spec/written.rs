//! Models with their own form in JSON, and what all of them write.

use serde_json::Value;

use super::hilbert::hilbert_to_json;
use super::reader::Reader;
use crate::definition::Definition;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::models::{Model, ModelSpec};
use crate::parameters::ParameterValue;

/// Reads a model on a space.
pub(crate) type Read = fn(&Reader<'_>, HilbertSpace) -> Result<Definition>;

/// A model of this crate with its own form in JSON: its reader and its writer.
pub(crate) trait Written: Model + Sized {
    /// Its name in specs.
    const NAME: &'static str;

    /// Writes everything except its name, its space and its parameters.
    fn write(&self) -> Value;

    /// Reads a model on a space.
    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition>;

    /// The spec without parameters; `None` if the model has no space or writes no object. It is written term by
    /// term then.
    fn to_spec(&self) -> Option<ModelSpec> {
        let Value::Object(mut entries) = self.write() else { return None };
        entries.insert("model".into(), Self::NAME.into());
        entries.insert("hilbert".into(), hilbert_to_json(&self.hilbert().ok()?));
        Some(ModelSpec { entries })
    }
}

/// A parameter: a number or an array of numbers.
pub(super) fn value_to_json(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Scalar(value) => (*value).into(),
        ParameterValue::Array(values) => values.as_slice().into(),
    }
}
