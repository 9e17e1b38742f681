//! Hilbert spaces of discrete sites: which configurations there are, and their numbers.
//!
//! A configuration is a row of quantum numbers, one a site. Each space is made of blocks of equal sites,
//! which may have a fixed sum (a total magnetisation, a number of particles); everything below works on
//! blocks, so a space is only its constructor.
//!
//! States are in lexicographic order of local indices, first site most significant. They are numbered by
//! counting, never by storing them.

mod block;
mod check;
mod fermion;
mod fock;
mod layout;
mod numbering;
mod packed_ranking;
mod qubit;
mod random;
mod ranking;
mod space;
mod spin;
mod tensor;
#[cfg(test)]
mod tests;

pub use block::{Block, LocalStates};
pub use fermion::SpinOrbitalFermions;
pub use fock::Fock;
pub use packed_ranking::PackedRanking;
pub use qubit::Qubit;
pub use space::HilbertSpace;
pub use spin::Spin;
pub use tensor::TensorHilbert;
