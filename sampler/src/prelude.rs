//! The traits of this crate: `use sampler::prelude::*`.

pub use crate::{Autoregressive, HamiltonianBackend, HostRule, Rule, Sampler};
