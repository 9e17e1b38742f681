//! Features of the padded backend only: networks of candle's modules, and differentiable time evolution.

mod activations;
mod candle_network;
mod dense;
mod dynamics;
mod estimate;
mod network;

pub use candle_network::{CandleModule, CandleNetwork, Tape};
pub use dynamics::evolve_tensor;
pub(super) use estimate::{any_local_estimators, any_operator_grad};
