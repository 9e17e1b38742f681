//! Blocks of samples: find and count their elements, then visit or write them.

mod find;
mod masked_rows;
mod plan;
mod row_steps;
mod row_writer;
mod write;

pub use find::Found;
pub use masked_rows::MaskedRows;
pub(crate) use plan::BatchPlan;
