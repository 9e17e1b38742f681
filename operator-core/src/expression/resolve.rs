//! Interprets a formula on a Hilbert space.

use std::collections::BTreeMap;

use num_complex::Complex64;

use super::Expression;
use super::product::{Factor, Power, Product};
use super::site_operator::{Action, SiteOperator};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::parameters::Parameters;
use crate::terms::{Collector, FermionString, Ladder, ProductTerm, SiteMatrix, TermKind, Terms, multiply};

/// What a product's terms are given to, each with a factor.
type Emit<'a> = &'a mut dyn FnMut(Complex64, TermKind) -> Result<()>;

pub(super) fn resolve(expression: &Expression, hilbert: &HilbertSpace) -> Result<Terms> {
    collected(hilbert, |emit| expression.products.iter().try_for_each(|p| resolve_product(p, hilbert, emit)))
}

/// The terms that `f` emits, with like ones merged.
fn collected(hilbert: &HilbertSpace, f: impl FnOnce(Emit<'_>) -> Result<()>) -> Result<Terms> {
    let mut sum = Collector::new(hilbert);
    f(&mut |factor, kind| sum.push(factor.into(), kind))?;
    let terms = sum.finish()?;
    Ok(Terms::from_parts(hilbert.clone(), Parameters::new(), terms))
}

fn resolve_product(product: &Product, hilbert: &HilbertSpace, emit: Emit<'_>) -> Result<()> {
    if !product.coefficient.is_finite() {
        let what = format!("coefficient of {product}");
        return Err(Error::NotFinite { what, value: product.coefficient });
    }
    let mut emit = |z: Complex64, kind| emit(z * product.coefficient, kind);
    if product.factors.iter().all(|factor| matches!(factor, Factor::Site(_))) {
        return resolve_sites(product.factors.iter().filter_map(site_operator), hilbert, &mut emit);
    }
    // Like terms merge after each sum.
    let mut left: Option<Terms> = None;
    for factors in product.factors.chunk_by(|a, b| matches!((a, b), (Factor::Site(_), Factor::Site(_)))) {
        let right = match factors {
            [Factor::Power(power)] => power.on(hilbert)?,
            operators => collected(hilbert, |emit| {
                resolve_sites(operators.iter().filter_map(site_operator), hilbert, emit)
            })?,
        };
        left = Some(match left {
            Some(left) => (&left * &right)?,
            None => right,
        });
    }
    let terms = left.iter().flat_map(Terms::iter);
    terms.into_iter().try_for_each(|term| emit(term.coefficient.factor, term.kind.clone()))
}

impl Power {
    fn on(&self, hilbert: &HilbertSpace) -> Result<Terms> {
        let base = resolve(&self.base, hilbert)?;
        if self.exponent == 1 { Ok(base) } else { base.pow(self.exponent) }
    }
}

fn site_operator(factor: &Factor) -> Option<SiteOperator> {
    match factor {
        Factor::Site(operator) => Some(*operator),
        Factor::Power(_) => None,
    }
}

/// Operators on different kinds of site commute. So a product is one of ladder operators, in order, times one
/// of matrices, multiplied site by site.
fn resolve_sites(
    operators: impl Iterator<Item = SiteOperator>,
    hilbert: &HilbertSpace,
    emit: Emit<'_>,
) -> Result<()> {
    let mut ladders: Vec<Ladder> = Vec::new();
    let mut matrices: BTreeMap<usize, SiteMatrix> = BTreeMap::new();
    for operator in operators {
        match operator.on(hilbert)? {
            Action::Ladders(daggers) => ladders.extend(daggers.iter().map(|&dagger| operator.ladder(dagger))),
            Action::Matrix(matrix) => match matrices.get_mut(&operator.site) {
                Some(left) => *left = left.times(&matrix),
                None => {
                    matrices.insert(operator.site, matrix);
                }
            },
        }
    }
    if matrices.is_empty() && ladders.is_empty() {
        return emit(Complex64::ONE, TermKind::identity(hilbert));
    }
    let string = TermKind::Fermion(FermionString::from_ladders(ladders));
    if matrices.is_empty() {
        return emit(Complex64::ONE, string);
    }
    let matrices = ProductTerm::from_factors(matrices.into_iter().collect());
    match (&string, matrices.simplified(hilbert)) {
        (_, None) => Ok(()),
        (TermKind::Fermion(none), Some((z, kind))) if none.ladders().is_empty() => emit(z, kind),
        (_, Some((z, kind))) => multiply(hilbert, &string, &kind, &mut |w, kind| emit(z * w, kind)),
    }
}
