//! Matrices: of definitions, of operators on one site, and their eigenvalues.

use faer::{Mat, Side};
use ndarray::linalg::kron;
use ndarray::{Array2, array};
use num_complex::Complex64;
use operator_core::kernel::Scratch;
use operator_core::{Definition, HilbertSpace, Model};

pub(crate) type Matrix = Array2<Complex64>;

/// The matrix of a model as its kernel visits it.
pub(crate) fn dense(model: &impl Model) -> Matrix {
    dense_of(&model.definition().unwrap())
}

pub(crate) fn dense_of(definition: &Definition) -> Matrix {
    let (hilbert, engine) = (definition.hilbert(), definition.engine::<Complex64>().unwrap());
    let states = hilbert.all_states().unwrap();
    let mut matrix = Matrix::zeros((states.nrows(), states.nrows()));
    let mut scratch = Scratch::default();
    for (row, x) in states.rows().into_iter().enumerate() {
        let x = x.to_vec();
        engine.visit(&x, &mut scratch, |connected, mel| {
            let mut other = x.clone();
            connected.write(&mut other);
            matrix[[row, hilbert.index_of(&other).unwrap()]] += mel;
        });
    }
    matrix
}

/// Eigenvalues of a Hermitian matrix, ascending.
pub(crate) fn eigenvalues(matrix: &Matrix) -> Vec<f64> {
    let matrix = Mat::from_fn(matrix.nrows(), matrix.ncols(), |r, c| matrix[[r, c]]);
    matrix.self_adjoint_eigenvalues(Side::Lower).unwrap()
}

pub(crate) fn ground_energy(model: &impl Model) -> f64 {
    eigenvalues(&dense(model))[0]
}

pub(crate) fn assert_close(got: &Matrix, expected: &Matrix) {
    assert_eq!(got.dim(), expected.dim());
    for (index, &expected) in expected.indexed_iter() {
        assert!((got[index] - expected).norm() < 1e-12, "{index:?}: {} is not {expected}", got[index]);
    }
}

pub(crate) fn real(matrix: Array2<f64>) -> Matrix {
    matrix.mapv(Complex64::from)
}

/// σx, σy and σz.
pub(crate) fn paulis() -> [Matrix; 3] {
    let y = real(array![[0.0, -1.0], [1.0, 0.0]]) * Complex64::I;
    [real(array![[0.0, 1.0], [1.0, 0.0]]), y, real(array![[1.0, 0.0], [0.0, -1.0]])]
}

/// `operator` on one of `n` equal sites, the first of which is the most significant.
pub(crate) fn on(n: usize, site: usize, operator: &Matrix) -> Matrix {
    let one = Matrix::eye(operator.nrows());
    (0..n).fold(Matrix::eye(1), |product, k| kron(&product, if k == site { operator } else { &one }))
}

/// c of a mode: σz on the modes before it.
pub(crate) fn destroy(n_modes: usize, mode: usize) -> Matrix {
    let [_, _, z] = paulis();
    let (one, lower) = (Matrix::eye(2), real(array![[0.0, 1.0], [0.0, 0.0]]));
    (0..n_modes).fold(Matrix::eye(1), |product, k| {
        let factor = match k.cmp(&mode) {
            std::cmp::Ordering::Less => &z,
            std::cmp::Ordering::Equal => &lower,
            std::cmp::Ordering::Greater => &one,
        };
        kron(&product, factor)
    })
}

pub(crate) fn dagger(matrix: &Matrix) -> Matrix {
    matrix.t().mapv(|z| z.conj())
}

/// The block of a matrix on `full` that belongs to the states of `part`.
pub(crate) fn block(matrix: &Matrix, full: &HilbertSpace, part: &HilbertSpace) -> Matrix {
    let places = full.states_to_indices(part.all_states().unwrap().view()).unwrap();
    Matrix::from_shape_fn((places.len(), places.len()), |(r, c)| matrix[[places[r], places[c]]])
}
