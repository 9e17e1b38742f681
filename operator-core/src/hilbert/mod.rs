//! Hilbert spaces of discrete sites: their configurations and the numbering of these.
//!
//! A configuration is a row of quantum numbers, one for each site. Each space consists of blocks of equal
//! sites. A block may have a fixed sum, such as a total magnetisation or a number of particles. All code below
//! works on blocks, so a space only needs a constructor.
//!
//! States are in lexicographic order of local indices, with the first site most significant. Their numbers are
//! computed by counting; states are never stored.

mod block;
mod check;
mod counting;
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
#[doc(hidden)]
pub use packed_ranking::PackedRanking;
pub use qubit::Qubit;
pub use random::RandomStates;
pub use space::HilbertSpace;
pub use spin::Spin;
pub use tensor::TensorHilbert;
