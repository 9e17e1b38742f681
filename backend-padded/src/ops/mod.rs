//! The fused kernels. They run on the CPU: each goes through a batch row by row with the core's engine,
//! over all threads, and its result is taken to the device.

mod connect;
mod mels;
mod select;

pub(crate) use connect::{conn, states, write_flattened, write_padded};
pub(crate) use mels::mels_of;
pub(crate) use select::{n_off_diagonal, select_off_diagonal};

/// Why there is a slot for every element that is visited.
const BOUNDED: &str = "max_conn_size bounds the number of elements of every state";
