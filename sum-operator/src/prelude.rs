//! The traits of this crate: `use sum_operator::prelude::*`.

pub use crate::Combine;
