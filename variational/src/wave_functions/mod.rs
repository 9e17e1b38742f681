//! Wave functions to start from, one file each.

pub mod rbm;

pub use rbm::Rbm;
