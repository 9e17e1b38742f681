//! Operators on bosonic sites. Their matrices end at n_max.

use super::Expression;
use super::site_operator::{SiteOperator, Symbol};

/// Creation operator b†, `b†|n> = √(n+1) |n+1>`, 0 on n_max bosons.
pub fn create(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::BosonCreate })
}

/// Annihilation operator b, `b|n> = √n |n−1>`.
pub fn destroy(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::BosonDestroy })
}

/// Number of bosons, b†b.
pub fn number(site: usize) -> Expression {
    Expression::of(SiteOperator { site, symbol: Symbol::BosonNumber })
}
