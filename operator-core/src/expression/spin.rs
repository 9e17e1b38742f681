//! Operators on spins of any length and on qubits, with the names and normalisation of NetKet.
//!
//! For spins 1/2 and qubits they are the Pauli matrices. For s > 1/2 `sigmax`, `sigmay` and `sigmaz` are twice
//! the spin, 2 S_x, 2 S_y and 2 S_z; `sigmap` and `sigmam` are S₊ and S₋ for any s.
//!
//! # Source
//! `netket.operator.spin`, NetKet 3.

use super::Expression;
use super::site_operator::{SiteOperator, Symbol};

/// σx, twice S_x.
pub fn sigmax(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::SigmaX })
}

/// σy, twice S_y.
pub fn sigmay(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::SigmaY })
}

/// σz, twice S_z: 2s, 2s − 2, …, −2s.
pub fn sigmaz(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::SigmaZ })
}

/// σ₊ = (σx + i σy)/2 = S₊, which raises s_z by 1. For s = 1/2 it is `|up><down|`.
pub fn sigmap(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::SigmaP })
}

/// σ₋ = (σx − i σy)/2 = S₋, which lowers s_z by 1.
pub fn sigmam(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::SigmaM })
}
