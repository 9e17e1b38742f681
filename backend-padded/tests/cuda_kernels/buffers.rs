//! Numbers as the kernels see them.

use operator_core::Element;
use operator_core::kernel::{EngineArgument, EngineArrays, EngineKind};

use super::kernels::Number;

/// An engine's arrays, each in memory of its own: a sanitizer then sees what reads beyond one.
pub(crate) struct DeviceEngine {
    _arrays: Vec<Vec<u8>>,
    pub(crate) kind: EngineKind,
    pub(crate) argument: EngineArgument,
}

impl DeviceEngine {
    pub(crate) fn new(arrays: &EngineArrays) -> Self {
        let block = arrays.block();
        let arrays_of = block.arrays().to_vec();
        let argument = block.argument(arrays_of.iter().map(|array| array.as_ptr() as u64));
        DeviceEngine { _arrays: arrays_of, kind: arrays.kind(), argument }
    }
}

/// Real numbers, as elements and as numbers of rows.
pub(crate) trait Real: Element<Real = Self> + Into<f64> {
    const NUMBER: Number;
    /// As many bits as the number has.
    fn bits(self) -> u64;
    fn of(value: f64) -> Self;
}

impl Real for f32 {
    const NUMBER: Number = Number::F32;
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
    fn of(value: f64) -> Self {
        value as f32
    }
}

impl Real for f64 {
    const NUMBER: Number = Number::F64;
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn of(value: f64) -> Self {
        value
    }
}

/// Samples as words or as local indices.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Samples {
    Words(Vec<u64>),
    Indices(Vec<u8>),
}

impl Samples {
    /// As many as another's, of nonsense.
    pub(crate) fn unwritten(&self) -> Self {
        match self {
            Samples::Words(words) => Samples::Words(vec![0xa5a5_a5a5_a5a5_a5a5; words.len()]),
            Samples::Indices(indices) => Samples::Indices(vec![0xa5; indices.len()]),
        }
    }

    pub(crate) fn address(&self) -> u64 {
        match self {
            Samples::Words(words) => words.as_ptr() as u64,
            Samples::Indices(indices) => indices.as_ptr() as u64,
        }
    }
}
