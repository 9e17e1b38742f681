//! What there is on the padded backend only: networks of candle's modules, and tensors through which gradients
//! flow.

mod candle_network;
mod dynamics;
mod estimate;
mod network;

pub use candle_network::{CandleModule, CandleNetwork, Tape};
pub use dynamics::evolve_tensor;
pub(super) use estimate::on_device;

use backend_padded::Padded;
use operator_core::{Backend, Error};

fn failed(error: candle_core::Error) -> Error {
    Error::backend(Padded::NAME, error)
}
