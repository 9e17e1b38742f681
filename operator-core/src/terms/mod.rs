//! How operators are written: sums of terms, each a coefficient times a string or a local matrix.
//!
//! Lattice Hamiltonians consist of four families of terms: a matrix on a few sites of any local dimension
//! ([`Terms::local`]), a product of sparse matrices on single sites ([`Terms::product`]), a string of Pauli matrices
//! ([`Terms::pauli`]), and a string of fermion creation and annihilation operators ([`Terms::fermion`]). A coefficient is a constant, or a constant times one of the
//! operator's parameters.

mod adjoint;
mod algebra;
mod coefficient;
mod collect;
mod convert;
mod couplings;
mod embed;
mod equivalent;
mod fermion;
mod local;
mod norm;
mod normal_order;
mod pauli;
mod product;
mod product_term;
mod site_matrices;
mod site_matrix;
mod sites;
mod sum;
mod tensor;
mod term;

pub use coefficient::{Coefficient, ParameterHandle, ParameterId};
pub(crate) use collect::Collector;
pub(crate) use convert::check_n_strings;
pub use convert::jordan_wigner;
pub use couplings::BondParameter;
pub use fermion::{FermionString, Ladder};
pub use local::{LocalMatrix, LocalTerm};
pub use pauli::{Pauli, PauliString};
pub(crate) use product::multiply;
pub use product_term::ProductTerm;
#[doc(hidden)]
pub use site_matrices::real_matrix;
pub(crate) use site_matrices::{destroy, number, raise, twice_spin};
pub use site_matrix::SiteMatrix;
pub use sum::Terms;
pub use term::{Term, TermKind};
