//! An engine as plain arrays, which programs of devices read.
//!
//! The arrays are those of the kernel; what is computed from them is up to the program. It names elements by the
//! numbers of [`Changes`](super::Changes), as the engine does.

mod block;
mod mask;
mod space;
mod table;

pub use block::{EngineArgument, EngineBlock};
pub use mask::MaskArrays;
pub use space::SpaceArrays;
pub use table::TableArrays;

use super::changes::Changes;
use super::lowered::Kernel;

/// What a program compiled for an operator depends on. Operators of one kind share programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EngineKind {
    /// Two-level sites, packed into words.
    Masks {
        /// Words of a configuration.
        n_words: usize,
        /// Whether a piece looks at more than two sites, or has guards.
        has_large_pieces: bool,
        /// Whether a piece has a sign mask.
        has_signs: bool,
        /// Most outcomes of a class of the diagonal.
        max_outcomes: usize,
    },
    /// Sites of any local dimension, as local indices.
    Tables {
        /// Whether a lookup or product has a sign set.
        has_signs: bool,
        /// Whether there are step groups, or products on the diagonal.
        has_steps: bool,
    },
}

/// An engine without values.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineArrays {
    /// Two-level sites.
    Mask(MaskArrays),
    /// Sites of any local dimension.
    Table(TableArrays),
}

impl EngineArrays {
    pub(crate) fn new(kernel: &Kernel, changes: &Changes, n_slots: usize) -> Self {
        match kernel {
            Kernel::Mask(kernel) => EngineArrays::Mask(MaskArrays::new(kernel, n_slots)),
            Kernel::Table(kernel) => EngineArrays::Table(TableArrays::new(kernel, changes)),
        }
    }

    /// What programs for this engine are compiled for.
    pub fn kind(&self) -> EngineKind {
        match self {
            EngineArrays::Mask(arrays) => arrays.kind(),
            EngineArrays::Table(arrays) => arrays.kind(),
        }
    }

    /// The space's local states and constraints.
    pub fn space(&self) -> &SpaceArrays {
        match self {
            EngineArrays::Mask(arrays) => &arrays.space,
            EngineArrays::Table(arrays) => &arrays.space,
        }
    }

    /// The arrays as bytes, in the order in which a program's parameter lists them.
    pub fn block(&self) -> EngineBlock {
        match self {
            EngineArrays::Mask(arrays) => arrays.block(),
            EngineArrays::Table(arrays) => arrays.block(),
        }
    }
}
