//! Kernels on sites of any local dimension: their data, how terms become one, and what can be asked of it.

mod build;
mod hermitian;
mod kernel;
mod list;

pub(crate) use build::build;
pub(crate) use hermitian::is_hermitian;
pub(crate) use kernel::TableKernel;
pub(crate) use list::{MAX_WIDTH, TableList, parts};
