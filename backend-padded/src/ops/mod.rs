//! The fused kernels. Each runs on the CPU: it goes through a batch row by row with the core's engine, on all
//! threads, and moves its result to the device.

mod connect;
mod mels;
mod select;
mod units;

pub(crate) use connect::connect;
pub(crate) use mels::mels_of;
pub(crate) use select::{n_off_diagonal, select_off_diagonal};
pub use units::Unit;
pub(crate) use units::sums_of_units;

/// Why every visited element has a slot.
const BOUNDED: &str = "max_conn_size bounds the number of elements of every state";
