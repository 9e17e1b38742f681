//! Wave functions to start from, one file each.

pub mod arnn;
pub mod cnn;
pub mod group_cnn;
pub mod jastrow;
pub mod mean_field;
pub mod mlp;
pub mod network;
pub mod product;
pub mod rbm;
pub mod slater;

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

use operator_core::{Error, HilbertSpace, Result};

fn at_least_one(what: &str, got: usize, hilbert: &HilbertSpace) -> Result<()> {
    match got {
        0 => Err(Error::Count { what: what.into(), got, expected: format!("at least 1, on {hilbert}") }),
        _ => Ok(()),
    }
}
