//! Models against matrices multiplied out by hand, closed energies, and bad input.

mod couplings;
mod energies;
mod errors;
mod fcidump;
mod kronecker;
mod matrix;
mod molecules;
