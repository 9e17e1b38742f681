//! The matrix of an operator, for many products.

use ndarray::Array1;
use operator_core::{DiscreteOperator, Element, Error, Result};
use rayon::prelude::*;

/// Matrices that may need more memory than this are not stored.
const MAX_STORED_BYTES: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;

/// Rows per task; fewer rows are multiplied on one thread.
const ROWS_PER_TASK: usize = 1024;

/// An operator's matrix with elements of type `T`, stored in compressed rows if it fits. Otherwise each product finds
/// the elements again.
pub(crate) struct StoredOperator<'a, O, T> {
    n_states: usize,
    hilbert: String,
    storage: Storage<'a, O, T>,
}

enum Storage<'a, O, T> {
    Rows { starts: Vec<usize>, columns: Vec<usize>, values: Vec<T> },
    Operator(&'a O),
}

impl<'a, O: DiscreteOperator, T: Element> StoredOperator<'a, O, T> {
    /// # Errors
    /// [`Error::NotIndexable`]; [`Error::Custom`] if a custom operator leaves its space.
    pub(crate) fn new(operator: &'a O) -> Result<Self> {
        Self::with_limit(operator, MAX_STORED_BYTES)
    }

    /// As [`new`](Self::new), stored in at most `max_bytes`.
    pub(crate) fn with_limit(operator: &'a O, max_bytes: f64) -> Result<Self> {
        let n_states = operator.hilbert().n_states()?;
        let hilbert = operator.hilbert().to_string();
        let row_size = operator.max_conn_size().min(n_states) as f64;
        let bytes = n_states as f64 * row_size * (size_of::<usize>() + size_of::<T>()) as f64;
        if bytes > max_bytes {
            return Ok(StoredOperator { n_states, hilbert, storage: Storage::Operator(operator) });
        }
        let (starts, columns, values) = operator.to_sparse()?.into_raw_storage();
        let values = values.into_iter().map(convert).collect();
        Ok(StoredOperator { n_states, hilbert, storage: Storage::Rows { starts, columns, values } })
    }

    /// Number of rows.
    pub(crate) fn n_states(&self) -> usize {
        self.n_states
    }

    /// `H v`. Each row is summed in order, so the result does not depend on threads.
    ///
    /// # Errors
    /// [`Error::VectorLength`]; [`Error::Custom`] if a custom operator leaves its space.
    pub(crate) fn apply(&self, v: &Array1<T>) -> Result<Array1<T>> {
        let v = v.as_standard_layout();
        let v = v.as_slice().expect("arrays in standard layout are slices");
        let mut out = vec![T::zero(); v.len()];
        self.for_rows(&mut out, |columns, values| {
            let products = columns.iter().zip(values).map(|(&column, &value)| value * v[column]);
            products.fold(T::zero(), |sum, product| sum + product)
        })?;
        Ok(out.into())
    }

    /// The largest sum of absolute values in a row, an upper bound of the absolute values of eigenvalues.
    ///
    /// # Errors
    /// [`Error::Custom`] if a custom operator leaves its space.
    pub(crate) fn norm_bound(&self) -> Result<f64> {
        let mut sums = vec![0.0; self.n_states];
        self.for_rows(&mut sums, |_, values| values.iter().map(|value| value.to_complex().norm()).sum())?;
        Ok(sums.into_iter().fold(0.0, f64::max))
    }

    /// Fills `out` with the result of `f` on the columns and values of each row.
    fn for_rows<R: Send>(&self, out: &mut [R], f: impl Fn(&[usize], &[T]) -> R + Sync) -> Result<()> {
        if out.len() != self.n_states {
            return Err(self.wrong_length(out.len()));
        }
        match &self.storage {
            Storage::Rows { starts, columns, values } => {
                let fill = |(task, out): (usize, &mut [R])| {
                    for (row, out) in (task * ROWS_PER_TASK..).zip(out) {
                        let range = starts[row]..starts[row + 1];
                        *out = f(&columns[range.clone()], &values[range]);
                    }
                };
                if self.n_states <= ROWS_PER_TASK {
                    fill((0, out));
                } else {
                    out.par_chunks_mut(ROWS_PER_TASK).enumerate().for_each(fill);
                }
                Ok(())
            }
            Storage::Operator(operator) => {
                let (mut columns, mut values) = (Vec::new(), Vec::new());
                operator.for_all_states(&mut |row, connected| {
                    columns.clear();
                    values.clear();
                    columns.extend(connected.iter().map(|&(column, _)| column));
                    values.extend(connected.iter().map(|&(_, value)| convert::<_, T>(value)));
                    out[row] = f(&columns, &values);
                    Ok(())
                })
            }
        }
    }

    fn wrong_length(&self, got: usize) -> Error {
        Error::VectorLength { got, expected: self.n_states, hilbert: self.hilbert.clone() }
    }
}

fn convert<A: Element, B: Element>(value: A) -> B {
    B::from_complex(value.to_complex())
}
