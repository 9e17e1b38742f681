//! Kernels on sites of any local dimension: their data, how terms become one, and what can be asked of it.

mod assemble;
mod build;
mod hermitian;
mod join;
mod kernel;
mod list;
mod pieces;
mod shapes;
mod site_functions;
mod step_list;
mod steps;

pub(crate) use build::build;
pub(crate) use hermitian::is_hermitian;
pub(crate) use join::TableLimits;
pub(crate) use kernel::{Group, Lookup, Move, StepGroup, TableKernel};
pub(crate) use list::{MAX_WIDTH, TableList, parts};
pub(crate) use step_list::{StepList, StepScratch};
