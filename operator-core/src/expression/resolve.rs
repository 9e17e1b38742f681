//! Interprets a formula on a Hilbert space.

use std::collections::BTreeMap;

use num_complex::Complex64;

use super::factor::Action;
use super::{Expression, Product};
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::parameters::Parameters;
use crate::terms::{Collector, FermionString, Ladder, ProductTerm, SiteMatrix, TermKind, Terms, multiply};

pub(super) fn resolve(expression: &Expression, hilbert: HilbertSpace) -> Result<Terms> {
    let mut sum = Collector::new(&hilbert);
    for product in &expression.products {
        resolve_product(product, &hilbert, &mut |factor, kind| sum.push(factor.into(), kind))?;
    }
    let terms = sum.finish()?;
    Ok(Terms::from_parts(hilbert, Parameters::new(), terms))
}

/// Operators on different kinds of site commute. So a product is one of ladder operators, in order, times one
/// of matrices, multiplied site by site.
fn resolve_product(
    product: &Product,
    hilbert: &HilbertSpace,
    emit: &mut dyn FnMut(Complex64, TermKind) -> Result<()>,
) -> Result<()> {
    if !product.coefficient.is_finite() {
        let what = format!("coefficient of {product}");
        return Err(Error::NotFinite { what, value: product.coefficient });
    }
    let mut ladders: Vec<Ladder> = Vec::new();
    let mut matrices: BTreeMap<usize, SiteMatrix> = BTreeMap::new();
    for factor in &product.factors {
        match factor.on(hilbert)? {
            Action::Ladders(daggers) => ladders.extend(daggers.iter().map(|&dagger| factor.ladder(dagger))),
            Action::Matrix(matrix) => match matrices.get_mut(&factor.site) {
                Some(left) => *left = left.times(&matrix),
                None => {
                    matrices.insert(factor.site, matrix);
                }
            },
        }
    }
    let mut emit = |z: Complex64, kind| emit(z * product.coefficient, kind);
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
