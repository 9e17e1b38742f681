//! Derivatives by consecutive parameters, stored whole or as factors.

use ndarray::{Array1, Array2, ArrayView1, Axis, ShapeError, Zip, concatenate};

use crate::error::{Error, Result};

/// Real derivatives of ln ψ by consecutive parameters, for each configuration of a batch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DerivativeBlock {
    /// One column per parameter, shape `(batch, n_parameters)`.
    Dense(Array2<f64>),
    /// For parameters `W_ij` in row-major order, derivatives that are products `left_i right_j`. A dense
    /// layer has them: `left` holds the derivatives by its outputs, `right` its inputs.
    Outer {
        /// Shape `(batch, n_rows)`.
        left: Array2<f64>,
        /// Shape `(batch, n_columns)`.
        right: Array2<f64>,
    },
}

impl DerivativeBlock {
    /// `(batch, n_parameters)`.
    pub fn dim(&self) -> (usize, usize) {
        match self {
            DerivativeBlock::Dense(derivatives) => derivatives.dim(),
            DerivativeBlock::Outer { left, right } => (left.nrows(), left.ncols() * right.ncols()),
        }
    }

    /// One element; `None` if there is no such sample or parameter.
    pub fn get(&self, sample: usize, parameter: usize) -> Option<f64> {
        match self {
            DerivativeBlock::Dense(derivatives) => derivatives.get((sample, parameter)).copied(),
            DerivativeBlock::Outer { left, right } => {
                let (i, j) = (parameter.checked_div(right.ncols())?, parameter % right.ncols());
                Some(left.get((sample, i))? * right.get((sample, j))?)
            }
        }
    }

    /// All derivatives, shape `(batch, n_parameters)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the two factors have different numbers of rows.
    pub fn to_dense(&self) -> Result<Array2<f64>> {
        self.expect_rows(self.dim().0)?;
        Ok(self.dense())
    }

    /// Checks that each array has a row for each configuration.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub(crate) fn expect_rows(&self, batch: usize) -> Result<()> {
        let Some(other) = self.arrays().find(|array| array.nrows() != batch) else { return Ok(()) };
        let (got, expected) = (other.shape().to_vec(), vec![batch, other.ncols()]);
        Err(Error::Shape { what: "blocks of log derivatives", got, expected })
    }

    /// The same of a block whose rows are checked.
    pub(crate) fn dense(&self) -> Array2<f64> {
        match self {
            DerivativeBlock::Dense(derivatives) => derivatives.clone(),
            DerivativeBlock::Outer { left, right } => {
                let n_columns = right.ncols().max(1);
                let mut out = Array2::zeros(self.dim());
                Zip::from(out.rows_mut()).and(left.rows()).and(right.rows()).for_each(
                    |mut out, left, right| {
                        for (mut out, &left) in out.exact_chunks_mut(n_columns).into_iter().zip(left) {
                            out.assign(&right);
                            out *= left;
                        }
                    },
                );
                out
            }
        }
    }

    /// The rows of several batches. Blocks of different kinds become dense.
    pub(crate) fn join(parts: &[&Self]) -> std::result::Result<Self, ShapeError> {
        let outer: Option<Vec<_>> = parts
            .iter()
            .map(|part| match part {
                DerivativeBlock::Outer { left, right } => Some((left.view(), right.view())),
                DerivativeBlock::Dense(_) => None,
            })
            .collect();
        Ok(match outer {
            Some(outer) => {
                let (left, right): (Vec<_>, Vec<_>) = outer.into_iter().unzip();
                DerivativeBlock::Outer {
                    left: concatenate(Axis(0), &left)?,
                    right: concatenate(Axis(0), &right)?,
                }
            }
            None => {
                let dense: Vec<_> = parts.iter().map(|part| part.dense()).collect();
                let views: Vec<_> = dense.iter().map(|part| part.view()).collect();
                DerivativeBlock::Dense(concatenate(Axis(0), &views)?)
            }
        })
    }

    /// `O v`, shape `(batch,)`.
    pub(crate) fn times(&self, vector: ArrayView1<'_, f64>) -> Array1<f64> {
        match self {
            DerivativeBlock::Dense(derivatives) => derivatives.dot(&vector),
            DerivativeBlock::Outer { left, right } => {
                // v, reshaped row by row, is a matrix between the factors.
                let matrix = vector.to_shape((left.ncols(), right.ncols()));
                let matrix = matrix.expect("v has one number for each parameter");
                (left.dot(&matrix) * right).sum_axis(Axis(1))
            }
        }
    }

    /// `Oᵀ u`, shape `(n_parameters,)`.
    pub(crate) fn transposed_times(&self, vector: &Array1<f64>) -> Array1<f64> {
        match self {
            DerivativeBlock::Dense(derivatives) => {
                // Row by row, in the order of memory.
                let mut out = Array1::zeros(derivatives.ncols());
                for (row, &factor) in derivatives.rows().into_iter().zip(vector) {
                    out.scaled_add(factor, &row);
                }
                out
            }
            DerivativeBlock::Outer { left, right } => {
                let scaled = left * &vector.view().insert_axis(Axis(1));
                scaled.t().dot(right).flatten().to_owned()
            }
        }
    }

    /// The arrays it consists of.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = &Array2<f64>> {
        let (first, second) = match self {
            DerivativeBlock::Dense(derivatives) => (derivatives, None),
            DerivativeBlock::Outer { left, right } => (left, Some(right)),
        };
        std::iter::once(first).chain(second)
    }
}
