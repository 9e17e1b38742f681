//! Blocks of samples: their elements are first found and counted, then visited or written.

mod find;
mod plan;
mod row_steps;
mod row_writer;
mod write;

pub use find::Found;
pub(crate) use plan::BatchPlan;
