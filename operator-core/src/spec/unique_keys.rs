//! JSON in which no key stands twice.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a JSON value and refuses an object that has a key twice. `serde_json` by itself keeps the last one.
///
/// For use in a type that holds a [spec](crate::spec):
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Job {
///     #[serde(deserialize_with = "operator_core::spec::unique_keys")]
///     operator: serde_json::Value,
/// }
/// let error = serde_json::from_str::<Job>(r#"{"operator": {"h": 1, "h": 2}}"#).map(|_| ()).unwrap_err();
/// assert!(error.to_string().starts_with("key \"h\" stands twice in one object at line 1"));
/// ```
///
/// # Errors
/// The format's errors, and one that names the repeated key.
pub fn unique_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    deserializer.deserialize_any(Unique)
}

/// A value read by [`unique_keys`].
struct UniqueKeys(Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        unique_keys(deserializer).map(UniqueKeys)
    }
}

struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(UniqueKeys(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("key {key:?} stands twice in one object")));
            }
            let UniqueKeys(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// The value of a text.
pub(super) fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).map(|UniqueKeys(value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_serde_json() {
        for text in [
            r#"{"a": [1, -2, 0.5, 18446744073709551615, 1e300, -0.0], "b": {"a": null, "c": true}, "d": "é\n"}"#,
            "[]",
            "null",
            "\"text\"",
        ] {
            assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
        assert!(parse("{\"a\": 1").is_err());
        assert!(parse("1 2").is_err());
    }

    #[test]
    fn repeated_keys_are_refused_at_any_depth() {
        for text in
            [r#"{"a": 1, "a": 1}"#, r#"[{"b": [{"a": 1, "c": 2, "a": null}]}]"#, r#"{"a": 1, "\u0061": 2}"#]
        {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with("key \"a\" stands twice in one object at line 1"), "{error}");
        }
        parse(r#"{"a": {"a": 1}, "b": {"a": 1}}"#).unwrap();
    }
}
