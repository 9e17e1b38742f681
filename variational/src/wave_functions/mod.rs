//! Wave functions to start from, one file each.

pub mod rbm;
pub mod slater;
pub mod times;

pub use rbm::Rbm;
pub use slater::Slater;
pub use times::Times;
