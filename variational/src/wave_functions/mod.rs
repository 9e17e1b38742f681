//! Wave functions, one file each.

pub mod network;

mod arnn;
mod cnn;
mod group_cnn;
mod jastrow;
mod mean_field;
mod mlp;
mod product;
mod rbm;
mod slater;

pub use arnn::Arnn;
pub use cnn::Cnn;
pub use group_cnn::GroupCnn;
pub use jastrow::Jastrow;
pub use mean_field::MeanField;
pub use mlp::{Mlp, MlpModPhase};
pub use network::Network;
pub use product::Times;
pub use rbm::{Rbm, RbmModPhase, RbmSymm};
pub use slater::Slater;

use network::Init;
use operator_core::{Error, HilbertSpace, Result};

/// How networks whose ln ψ grows with each parameter start: close to a constant ψ.
const NARROW: Init = Init::Normal(0.01);

fn at_least_one(what: &str, got: usize, hilbert: &HilbertSpace) -> Result<()> {
    if got == 0 {
        return Err(Error::Count { what: what.into(), got, expected: format!("at least 1, on {hilbert}") });
    }
    Ok(())
}
