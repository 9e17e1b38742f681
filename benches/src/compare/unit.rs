//! Units of times.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// The unit of a work's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds per non-zero connected element.
    Element,
    /// Microseconds per sample.
    Sample,
    /// Nanoseconds per proposed move.
    Proposal,
    /// Milliseconds of a whole run.
    Run,
}

impl Unit {
    /// Converts the seconds of a run with `count` elements, samples or proposals.
    pub fn figure(self, seconds: f64, count: usize) -> Figure {
        let scale = match self {
            Unit::Element | Unit::Proposal => 1e9,
            Unit::Sample => 1e6,
            Unit::Run => 1e3,
        };
        Figure { unit: self, value: scale * seconds / count.max(1) as f64 }
    }

    /// The key of a peer's own count in its answer.
    pub(super) fn count_key(self) -> Option<&'static str> {
        match self {
            Unit::Element => Some("elements"),
            Unit::Sample => Some("samples"),
            Unit::Proposal => Some("proposals"),
            Unit::Run => None,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Unit::Element => "ns_per_element",
            Unit::Sample => "us_per_sample",
            Unit::Proposal => "ns_per_proposal",
            Unit::Run => "ms",
        }
    }
}

/// A time in a [`Unit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The unit.
    pub unit: Unit,
    /// The value.
    pub value: f64,
}

/// Serialises as one entry, such as `"ns_per_element": 2.5`.
impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.unit.key(), &self.value)?;
        map.end()
    }
}

/// Prints three digits and the unit: `2.50 ns/element`.
impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.unit {
            Unit::Element => "ns/element",
            Unit::Sample => "µs/sample",
            Unit::Proposal => "ns/proposal",
            Unit::Run => "ms",
        };
        write!(f, "{} {unit}", three_digits(self.value))
    }
}

/// A number with about three digits.
pub(super) fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
