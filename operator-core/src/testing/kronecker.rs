//! Dense matrices by explicit Kronecker products.

use ndarray::Array2;
use num_complex::Complex64;

use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;
use crate::terms::{Ladder, Pauli, TermKind, real_matrix};

type Matrix = Array2<Complex64>;

/// The largest full space, without constraints, whose matrices are multiplied out.
const MAX_DIM: usize = 4096;

/// An operator's matrix. Each term is a Kronecker product on the full space (for fermion strings, a product of
/// the Jordan-Wigner matrices of their factor); the result is restricted to the states that satisfy the
/// constraint.
///
/// # Errors
/// [`Error::TooLarge`] for a space of more than 4096 states without constraints.
pub fn kronecker_dense(definition: &Definition) -> Result<Array2<Complex64>> {
    let hilbert = definition.hilbert();
    let dims: Vec<usize> = (0..hilbert.n_sites()).map(|site| hilbert.local_dim(site)).collect();
    let dim = dims.iter().fold(1usize, |dim, &d| dim.saturating_mul(d));
    if dim > MAX_DIM {
        return Err(Error::TooLarge {
            what: format!("the Kronecker product on {hilbert}"),
            bytes: (dim as f64).powi(2) * 16.0,
            limit: (MAX_DIM as f64).powi(2) * 16.0,
            remedy: "compare with reference_row",
        });
    }
    let parameters = definition.parameters().to_vec();
    let mut full = Matrix::zeros((dim, dim));
    for term in definition.terms() {
        let value = term.coefficient.parameter.map_or(1.0, |p| parameters[p.index()]);
        let coefficient = term.coefficient.factor * value;
        let matrix = match &term.kind {
            TermKind::Local(local) => embed(local.sites(), local.matrix(), &dims),
            TermKind::Product(term) => product((0..dims.len()).map(|site| {
                let own = term.factors().iter().find(|(s, _)| *s == site);
                own.map_or_else(|| Matrix::eye(dims[site]), |(_, matrix)| matrix.dense())
            })),
            TermKind::Pauli(string) => pauli_string(&string.paulis(), &dims),
            TermKind::Fermion(string) => {
                let factors = string.ladders().iter().map(|&ladder| fermion(hilbert, ladder));
                factors.fold(Matrix::eye(dim), |product, factor| product.dot(&factor))
            }
        };
        full.scaled_add(coefficient, &matrix);
    }
    restrict(&full, hilbert)
}

fn kron(a: &Matrix, b: &Matrix) -> Matrix {
    ndarray::linalg::kron(a, b)
}

fn product(factors: impl Iterator<Item = Matrix>) -> Matrix {
    factors.fold(Matrix::eye(1), |product, factor| kron(&product, &factor))
}

fn pauli_string(paulis: &[(usize, Pauli)], dims: &[usize]) -> Matrix {
    product(dims.iter().enumerate().map(|(site, &dim)| match paulis.iter().find(|(s, _)| *s == site) {
        None => Matrix::eye(dim),
        Some((_, Pauli::X)) => real_matrix([[0.0, 1.0], [1.0, 0.0]]),
        Some((_, Pauli::Y)) => real_matrix([[0.0, -1.0], [1.0, 0.0]]).mapv(|z| z * Complex64::I),
        Some((_, Pauli::Z)) => real_matrix([[1.0, 0.0], [0.0, -1.0]]),
    }))
}

/// The Jordan-Wigner matrix of a ladder operator on its factor, with the identity on every other factor.
fn fermion(hilbert: &HilbertSpace, ladder: Ladder) -> Matrix {
    let mut start = 0;
    product(hilbert.factors().iter().map(|factor| {
        let n_sites = factor.n_sites();
        let inside = ladder.mode.checked_sub(start).filter(|&mode| mode < n_sites);
        start += n_sites;
        match inside {
            Some(mode) => jordan_wigner(Ladder { mode, ..ladder }, n_sites),
            None => Matrix::eye((0..n_sites).map(|site| factor.local_dim(site)).product()),
        }
    }))
}

/// Z on all modes before the ladder operator's, c or c† on its own mode, and 1 on the modes after it.
fn jordan_wigner(ladder: Ladder, n_modes: usize) -> Matrix {
    let destroy = real_matrix([[0.0, 1.0], [0.0, 0.0]]);
    product((0..n_modes).map(|mode| match mode {
        _ if mode < ladder.mode => real_matrix([[1.0, 0.0], [0.0, -1.0]]),
        _ if mode > ladder.mode => Matrix::eye(2),
        _ if ladder.dagger => destroy.t().to_owned(),
        _ => destroy.clone(),
    }))
}

/// `matrix ⊗ 1`, with the factors reordered from (`sites`, all others) to the order of the space.
fn embed(sites: &[usize], matrix: &Matrix, dims: &[usize]) -> Matrix {
    let others = (0..dims.len()).filter(|site| !sites.contains(site));
    let order: Vec<usize> = sites.iter().copied().chain(others).collect();
    let rest: usize = order[sites.len()..].iter().map(|&site| dims[site]).product();
    let shuffled = kron(matrix, &Matrix::eye(rest));
    let dim = shuffled.nrows();
    let place: Vec<usize> = (0..dim)
        .map(|index| {
            let digits = digits(index, dims);
            order.iter().fold(0, |place, &site| place * dims[site] + digits[site])
        })
        .collect();
    Matrix::from_shape_fn((dim, dim), |(r, c)| shuffled[[place[r], place[c]]])
}

/// Digits of a number, most significant first, each with its own base.
fn digits(mut index: usize, dims: &[usize]) -> Vec<usize> {
    let mut digits = vec![0; dims.len()];
    for (digit, &dim) in digits.iter_mut().zip(dims).rev() {
        *digit = index % dim;
        index /= dim;
    }
    digits
}

/// The rows and columns of the states that satisfy the constraint.
fn restrict(full: &Matrix, hilbert: &HilbertSpace) -> Result<Matrix> {
    let states = hilbert.all_states()?;
    let places: Vec<usize> = states
        .rows()
        .into_iter()
        .map(|row| {
            row.iter().enumerate().fold(0, |place, (site, &q)| {
                let local = hilbert.local(site);
                place * local.len
                    + local.iter().position(|value| value == q).expect("states are of the space")
            })
        })
        .collect();
    Ok(Matrix::from_shape_fn((places.len(), places.len()), |(r, c)| full[[places[r], places[c]]]))
}
