//! Operators on fermion modes. With spin, [`SpinOrbitalFermions::mode`] numbers the modes.
//!
//! [`SpinOrbitalFermions::mode`]: crate::hilbert::SpinOrbitalFermions::mode

use super::Expression;
use super::site_operator::{SiteOperator, Symbol};

/// Creation operator c†.
pub fn create(mode: usize) -> Expression {
    Expression::of(SiteOperator { site: mode, symbol: Symbol::FermionCreate })
}

/// Annihilation operator c.
pub fn destroy(mode: usize) -> Expression {
    Expression::of(SiteOperator { site: mode, symbol: Symbol::FermionDestroy })
}

/// Number of fermions, c†c.
pub fn number(mode: usize) -> Expression {
    Expression::of(SiteOperator { site: mode, symbol: Symbol::FermionNumber })
}
