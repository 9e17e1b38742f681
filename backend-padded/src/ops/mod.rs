//! The fused kernels, each with what runs on the CPU, on all threads, and with its derivatives. Those of CUDA devices are in
//! `cuda`. For other devices the CPU does what candle has no operations for, and results are moved to the device.

mod changed_layer;
mod connect;
mod ledger;
mod ln_cosh;
mod local;
mod mels;
mod select;
mod site_moves;
#[cfg(test)]
mod slopes;
mod uniforms;
mod units;

#[cfg(feature = "cuda")]
pub(crate) use changed_layer::ChangedLayer;
pub(crate) use changed_layer::changed_layer;
pub(crate) use connect::connect;
#[cfg(feature = "cuda")]
pub(crate) use ledger::COLUMNS;
pub use ledger::{Accepted, Ledger, LedgerOnHost};
pub use ln_cosh::{ln_cosh, tanh};
pub(crate) use local::local;
pub(crate) use mels::mels_of;
pub(crate) use select::{n_off_diagonal, selected};
#[cfg(feature = "cuda")]
pub(crate) use site_moves::MoveTables;
pub use site_moves::SiteMoves;
pub use uniforms::{N_DRAWS, keys, uniforms};
pub use units::Unit;
pub(crate) use units::sums_of_units;

/// Why every visited element has a slot.
const BOUNDED: &str = "max_conn_size bounds the number of elements of every state";
