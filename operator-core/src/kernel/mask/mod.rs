//! Kernels on two-level sites: their data, how terms become one, and what can be asked of it.

mod build;
mod diagonal;
mod hermitian;
mod kernel;
mod occupied;
mod pieces;
mod planes;

pub(crate) use build::{Strings, build};
pub(crate) use hermitian::is_hermitian;
pub(crate) use kernel::{Hits, MaskKernel};
pub(crate) use pieces::{GUARDED, Pieces, Words};
pub(crate) use planes::{MaskFound, MaskPlanes};
