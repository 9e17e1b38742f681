//! `J = √w (O − <O>)`, whole or with derivatives O in blocks.

use std::sync::OnceLock;

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef};
use ndarray::{Array1, Array2, ArrayView1, ArrayViewMut2, Axis, concatenate, s};
use num_complex::Complex64;

use super::block::DerivativeBlock;

/// Rows are samples, for complex O their real parts above their imaginary parts.
#[derive(Clone, Debug)]
pub(crate) enum Jacobian {
    Whole(Array2<f64>),
    Blocks(Blocks),
}

/// Derivatives in blocks. J itself is formed only on request.
///
/// With `m = <O>`, `J = √w (O − 1 mᵀ)`, so a product with J is a product with O plus a correction.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    blocks: Vec<DerivativeBlock>,
    roots: Array1<f64>,
    mean: Array1<f64>,
    whole: OnceLock<Array2<f64>>,
}

impl Jacobian {
    pub(crate) fn of_real(mut rows: Array2<f64>, weights: &Array1<f64>) -> Self {
        center(rows.view_mut(), weights.view());
        Jacobian::Whole(rows)
    }

    pub(crate) fn of_complex(derivatives: &Array2<Complex64>, weights: &Array1<f64>) -> Self {
        let (batch, n_parameters) = derivatives.dim();
        let mut rows = Array2::zeros((2 * batch, n_parameters));
        let (mut above, mut below) = rows.view_mut().split_at(Axis(0), batch);
        above.zip_mut_with(derivatives, |to, z| *to = z.re);
        below.zip_mut_with(derivatives, |to, z| *to = z.im);
        center(above, weights.view());
        center(below, weights.view());
        Jacobian::Whole(rows)
    }

    /// Dense blocks are centred right away, which loses fewer digits than the correction.
    pub(crate) fn of_blocks(mut blocks: Vec<DerivativeBlock>, weights: &Array1<f64>) -> Self {
        let mut mean = Vec::new();
        for block in &mut blocks {
            match block {
                DerivativeBlock::Dense(derivatives) => {
                    *derivatives -= &weights.dot(derivatives);
                    mean.resize(mean.len() + derivatives.ncols(), 0.0);
                }
                DerivativeBlock::Outer { .. } => mean.extend(block.transposed_times(weights)),
            }
        }
        let roots = weights.mapv(f64::sqrt);
        Jacobian::Blocks(Blocks { blocks, roots, mean: mean.into(), whole: OnceLock::new() })
    }

    /// `(n_rows, n_parameters)`
    pub(crate) fn dim(&self) -> (usize, usize) {
        match self {
            Jacobian::Whole(rows) => rows.dim(),
            Jacobian::Blocks(blocks) => (blocks.roots.len(), blocks.mean.len()),
        }
    }

    pub(crate) fn whole(&self) -> &Array2<f64> {
        match self {
            Jacobian::Whole(rows) => rows,
            Jacobian::Blocks(blocks) => blocks.whole.get_or_init(|| blocks.to_whole()),
        }
    }

    /// `J v`, for one value per parameter.
    pub(crate) fn times(&self, vector: &Array1<f64>) -> Array1<f64> {
        match self {
            Jacobian::Whole(rows) => rows.dot(vector),
            Jacobian::Blocks(blocks) => {
                (blocks.derivatives_times(vector) - blocks.mean.dot(vector)) * &blocks.roots
            }
        }
    }

    /// `Jᵀ u`, for one value per row.
    pub(crate) fn transposed_times(&self, vector: &Array1<f64>) -> Array1<f64> {
        match self {
            Jacobian::Whole(rows) => {
                // Row by row, in the order of memory.
                let mut out = Array1::zeros(rows.ncols());
                for (row, &factor) in rows.rows().into_iter().zip(vector) {
                    out.scaled_add(factor, &row);
                }
                out
            }
            Jacobian::Blocks(blocks) => {
                let scaled = &blocks.roots * vector;
                let mut out = Array1::zeros(blocks.mean.len());
                for (start, block) in blocks.placed() {
                    let part = block.transposed_times(&scaled);
                    out.slice_mut(s![start..start + part.len()]).assign(&part);
                }
                out.scaled_add(-scaled.sum(), &blocks.mean);
                out
            }
        }
    }

    /// The lower triangle of `J Jᵀ`; the rest is 0.
    pub(crate) fn gram(&self) -> Mat<f64> {
        match self {
            Jacobian::Whole(rows) => lower_product(rows),
            Jacobian::Blocks(blocks) => blocks.gram(),
        }
    }
}

impl Blocks {
    /// The blocks, each with the number of its first parameter.
    fn placed(&self) -> impl Iterator<Item = (usize, &DerivativeBlock)> {
        self.blocks.iter().scan(0, |start, block| {
            let first = *start;
            *start += block.dim().1;
            Some((first, block))
        })
    }

    fn to_whole(&self) -> Array2<f64> {
        let mut out = Array2::zeros((self.roots.len(), self.mean.len()));
        for (start, block) in self.placed() {
            let dense = block.dense();
            out.slice_mut(s![.., start..start + dense.ncols()]).assign(&dense);
        }
        out -= &self.mean;
        out *= &self.roots.view().insert_axis(Axis(1));
        out
    }

    /// `O v`
    fn derivatives_times(&self, vector: &Array1<f64>) -> Array1<f64> {
        let mut out = Array1::zeros(self.roots.len());
        for (start, block) in self.placed() {
            out += &block.times(vector.slice(s![start..start + block.dim().1]));
        }
        out
    }

    /// `√w (O Oᵀ − c 1ᵀ − 1 cᵀ + m·m) √w` with `c = O m`. For products `left_i right_j`, `O Oᵀ` is the
    /// elementwise product of `left leftᵀ` and `right rightᵀ`, which takes `n_rows + n_columns` columns
    /// instead of `n_rows n_columns`.
    fn gram(&self) -> Mat<f64> {
        let n = self.roots.len();
        let mut gram = Mat::zeros(n, n);
        let dense: Vec<_> = (self.blocks.iter())
            .filter_map(|block| match block {
                DerivativeBlock::Dense(derivatives) => Some(derivatives.view()),
                DerivativeBlock::Outer { .. } => None,
            })
            .collect();
        if !dense.is_empty() {
            let dense = concatenate(Axis(1), &dense);
            gram = lower_product(&dense.expect("all blocks have a row for each sample"));
        }
        for block in &self.blocks {
            if let DerivativeBlock::Outer { left, right } = block {
                let (left, right) = (lower_product(left), lower_product(right));
                for_lower(&mut gram, |row, column, value| {
                    *value += left[(row, column)] * right[(row, column)]
                });
            }
        }
        let (correction, square) = (self.derivatives_times(&self.mean), self.mean.dot(&self.mean));
        let shifts: Vec<f64> = correction.iter().map(|c| 0.5 * square - c).collect();
        for_lower(&mut gram, |row, column, value| {
            *value = (*value + shifts[row] + shifts[column]) * self.roots[row] * self.roots[column];
        });
        gram
    }
}

/// Calls `f` with row, column and element of the lower triangle.
fn for_lower(matrix: &mut Mat<f64>, mut f: impl FnMut(usize, usize, &mut f64)) {
    for column in 0..matrix.ncols() {
        let values = matrix.col_as_slice_mut(column);
        for (row, value) in values.iter_mut().enumerate().skip(column) {
            f(row, column, value);
        }
    }
}

/// The lower triangle of `rows rowsᵀ`.
pub(crate) fn lower_product(rows: &Array2<f64>) -> Mat<f64> {
    let standard = rows.as_standard_layout();
    let elements = standard.as_slice().expect("arrays in standard layout are slices");
    let rows = MatRef::from_row_major_slice(elements, rows.nrows(), rows.ncols());
    let mut out = Mat::zeros(rows.nrows(), rows.nrows());
    let whole = BlockStructure::Rectangular;
    triangular::matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        rows,
        whole,
        rows.transpose(),
        whole,
        1.0,
        faer::get_global_parallelism(),
    );
    out
}

/// Subtracts the weighted mean of the rows and scales each by the root of its weight.
fn center(mut rows: ArrayViewMut2<'_, f64>, weights: ArrayView1<'_, f64>) {
    let mean = weights.dot(&rows);
    for (mut row, weight) in rows.rows_mut().into_iter().zip(weights) {
        row -= &mean;
        row *= weight.sqrt();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::derivatives::LogDerivatives;
    use crate::derivatives::Response;
    use crate::statistics::Stats;
    use crate::{Sr, SrSolver};

    fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
        values.into_iter().fold(0.0, |max, value| max.max(value.abs()))
    }

    proptest! {
        /// Blocks, and the same derivatives as one matrix: J itself, its products and all steps.
        #[test]
        fn factors_give_what_whole_derivatives_give(
            batch in 2usize..20, n_rows in 1usize..5, n_columns in 1usize..5, n_dense in 0usize..4, seed: u64
        ) {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let mut random = |n: usize| Array2::from_shape_simple_fn((batch, n), || rng.random::<f64>() - 0.3);
            let blocks = vec![
                DerivativeBlock::Dense(random(n_dense)),
                DerivativeBlock::Outer { left: random(n_rows), right: random(n_columns) },
                DerivativeBlock::Dense(random(1)),
            ];
            let energies = random(1).column(0).mapv(Complex64::from);
            let mut weights = random(1).column(0).mapv(f64::abs);
            weights /= weights.sum();
            let blocks = LogDerivatives::Blocks(blocks);
            let whole = Array2::from_shape_fn(blocks.dim(), |(s, k)| blocks.get(s, k).unwrap().re);
            let whole = LogDerivatives::Real(whole);
            let respond = |derivatives: LogDerivatives| {
                Response::new(Stats::exact(&energies, &weights).unwrap(), &energies, &weights, derivatives).unwrap()
            };
            let (blocks, whole) = (respond(blocks), respond(whole));
            let close = |a: &Array1<f64>, b: &Array1<f64>| largest(&(a - b)) <= 1e-9 * (1.0 + largest(b));
            prop_assert!(close(&blocks.gradient(), &whole.gradient()));
            prop_assert!(largest(&(blocks.jacobian() - whole.jacobian())) < 1e-12);
            let v = Array1::from_shape_fn(whole.dim().1, |k| (k as f64).sin());
            prop_assert!(close(&blocks.jvp(&v), &whole.jvp(&v)));
            let gram = whole.jacobian().dot(&whole.jacobian().t());
            for found in [blocks.gram(), whole.gram()] {
                for (row, column) in (0..batch).flat_map(|row| (0..=row).map(move |column| (row, column))) {
                    prop_assert!((found[(row, column)] - gram[[row, column]]).abs() < 1e-12);
                }
            }
            for solver in [SrSolver::Auto, SrSolver::Dense, SrSolver::MinSr, SrSolver::conjugate_gradients()] {
                let sr = Sr::new(0.1, 0.01).unwrap().with_solver(solver).unwrap();
                let expected = Sr::new(0.1, 0.01).unwrap().natural_gradient(&whole).unwrap();
                let tolerance = if solver == SrSolver::conjugate_gradients() { 1e-6 } else { 1e-9 };
                let difference = largest(&(sr.natural_gradient(&blocks).unwrap() - &expected));
                prop_assert!(difference <= tolerance * (1.0 + largest(&expected)), "{solver:?} {difference:e}");
            }
        }
    }

    #[test]
    fn blocks_of_different_batches_are_refused() {
        let (one, other) = (Array2::zeros((3, 2)), Array2::zeros((4, 2)));
        let blocks = LogDerivatives::Blocks(vec![DerivativeBlock::Outer { left: one, right: other }]);
        let (energies, weights) = (Array1::zeros(3), Array1::from_elem(3, 1.0 / 3.0));
        let stats = Stats::exact(&energies, &weights).unwrap();
        let error = Response::new(stats, &energies, &weights, blocks).unwrap_err();
        assert!(error.to_string().starts_with("blocks of log derivatives have shape [4, 2]"), "{error}");
    }
}
