//! Operators in the form that backends run.
//!
//! [`Definition`](crate::Definition) lowers its terms once to one of two kernels: masks where every site has two
//! local states and there are not too many, otherwise tables. A kernel is static: it names its matrix elements by *slots*, and
//! [`Forms`] says what value each slot takes for given parameters. [`Engine`] joins the two and visits the
//! connected elements of one configuration; backends add batches, threads, buffers and devices to it.
//!
//! `README.md` beside this file explains slots, forms, groups, pieces, planes, and how to add an engine.

mod arrays;
mod batch;
mod bound;
mod changes;
mod connected;
mod conservation;
mod contraction;
mod engine;
mod forms;
mod lowered;
mod mask;
mod moves;
mod offsets;
mod sink;
mod string;
mod table;

pub use arrays::{
    EngineArgument, EngineArrays, EngineBlock, EngineKind, MaskArrays, SpaceArrays, TableArrays,
};
pub use batch::{Found, MaskedRows};
pub use changes::{Changes, Edit};
pub use connected::Connected;
pub(crate) use conservation::{Condition, Conservation};
pub use engine::Engine;
pub use forms::Dropped;
pub use forms::Forms;
pub use lowered::Scratch;
pub(crate) use lowered::{Kernel, Limits, Lowered};
pub use moves::Moves;
pub(crate) use string::MaskString;
