//! Interprets a formula on a Hilbert space.

use std::collections::BTreeMap;

use ndarray::Array2;
use num_complex::Complex64;

use super::factor::Action;
use super::{Expression, Product};
use crate::bits;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::parameters::Parameters;
use crate::terms::{
    Collector, FermionString, Ladder, LocalTerm, Pauli, PauliString, TermKind, Terms, check_n_strings,
    checked_dim, multiply,
};

type Matrix = Array2<Complex64>;

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
    let mut matrices: BTreeMap<usize, Matrix> = BTreeMap::new();
    for factor in &product.factors {
        match factor.on(hilbert)? {
            Action::Ladders(daggers) => ladders.extend(daggers.iter().map(|&dagger| factor.ladder(dagger))),
            Action::Matrix(matrix) => match matrices.get_mut(&factor.site) {
                Some(left) => *left = left.dot(&matrix),
                None => {
                    matrices.insert(factor.site, matrix);
                }
            },
        }
    }
    let mut emit = |z: Complex64, kind| emit(z * product.coefficient, kind);
    match (ladders.is_empty(), matrices.is_empty()) {
        (true, true) => emit(Complex64::ONE, TermKind::identity(hilbert)),
        (true, false) => emit_matrices(&matrices, hilbert, &mut emit),
        (false, no_matrices) => {
            let string = TermKind::Fermion(FermionString::from_ladders(ladders));
            if no_matrices {
                return emit(Complex64::ONE, string);
            }
            emit_matrices(&matrices, hilbert, &mut |z, kind| {
                multiply(hilbert, &string, &kind, &mut |w, kind| emit(z * w, kind))
            })
        }
    }
}

/// The tensor product of one-site matrices: Pauli strings if all sites are two-level, otherwise a matrix.
fn emit_matrices(
    matrices: &BTreeMap<usize, Matrix>,
    hilbert: &HilbertSpace,
    emit: &mut dyn FnMut(Complex64, TermKind) -> Result<()>,
) -> Result<()> {
    if matrices.values().any(|matrix| matrix.nrows() != 2) {
        let sites: Vec<usize> = matrices.keys().copied().collect();
        checked_dim(hilbert, &sites)?;
        let product = matrices.values().fold(Matrix::eye(1), |product, m| ndarray::linalg::kron(&product, m));
        return emit(Complex64::ONE, TermKind::Local(LocalTerm::from_parts(sites, product)));
    }
    let factors: Vec<(usize, Vec<_>)> =
        matrices.iter().map(|(&site, matrix)| (site, pauli_expansion(matrix))).collect();
    let log2 = factors.iter().map(|(_, paulis)| paulis.len().max(1).ilog2() as usize).sum();
    check_n_strings(log2, &format_args!("a product on {} sites", factors.len()))?;
    let n_words = bits::n_words(hilbert.n_sites());
    let mut strings = vec![(Complex64::ONE, PauliString::identity(n_words))];
    for (site, paulis) in &factors {
        let times = |(z, string): &(Complex64, PauliString)| {
            let one = |&(w, pauli): &(Complex64, Option<Pauli>)| (z * w, string.clone().with(*site, pauli));
            paulis.iter().map(one).collect::<Vec<_>>()
        };
        strings = strings.iter().flat_map(times).collect();
    }
    strings.into_iter().try_for_each(|(z, string)| emit(z, TermKind::Pauli(string)))
}

/// Expands a 2 x 2 matrix in 1 and the Pauli matrices, without zero coefficients.
fn pauli_expansion(m: &Matrix) -> Vec<(Complex64, Option<Pauli>)> {
    let expansion = [
        ((m[[0, 0]] + m[[1, 1]]) / 2.0, None),
        ((m[[0, 1]] + m[[1, 0]]) / 2.0, Some(Pauli::X)),
        ((m[[0, 1]] - m[[1, 0]]) / 2.0 * Complex64::I, Some(Pauli::Y)),
        ((m[[0, 0]] - m[[1, 1]]) / 2.0, Some(Pauli::Z)),
    ];
    expansion.into_iter().filter(|(factor, _)| *factor != Complex64::ZERO).collect()
}
