//! Networks on the flat backend: operations on arrays.

use std::ops::Range;

use backend_flat::Flat;
use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView1, Axis, Zip, concatenate, s};
use num_complex::Complex64;
use operator_core::{Backend, Error, Result};

use super::super::common::FORBIDDEN;

use crate::backend::changed_rows::ChangedRows;
use crate::wave_functions::network::{
    Activation, Arithmetic, Field, Matrix, NetworkBackend, Order, Real, Sealed, check_origins,
};

/// Rows evaluated at a time, few enough that their hidden units stay in the cache. The split does not depend
/// on the number of threads, and neither does the result.
const ROWS: usize = 512;

impl Sealed for Flat {}

impl NetworkBackend for Flat {
    type Matrix<R: Real> = Array2<R>;

    fn adds_changes((): &()) -> bool {
        true
    }

    fn matrix<R: Real>(values: Array2<f64>, (): &()) -> Result<Array2<R>> {
        Ok(values.mapv_into_any(R::from_f64))
    }

    fn by_blocks<R: Real, T: Send, F>(x: &Array2<i8>, f: F) -> Result<Vec<T>>
    where
        F: Fn(Range<usize>, &Array2<R>) -> Result<T> + Send + Sync,
    {
        let n_rows = x.nrows();
        let block = |start: usize| {
            let rows = start..n_rows.min(start + ROWS);
            f(rows.clone(), &x.slice_axis(Axis(0), rows.into()).mapv(|q| R::from_f64(q.into())))
        };
        if n_rows <= ROWS {
            // For the few rows of a sampler, waking the thread pool would take longer than the work.
            return Ok(vec![block(0)?]);
        }
        (0..n_rows.div_ceil(ROWS)).into_par_iter().map(|k| block(k * ROWS)).collect()
    }

    fn amplitudes(log_psi: &Field<Array2<f64>>) -> Result<Array1<Complex64>> {
        Ok(match &log_psi.im {
            Some(im) => log_psi.re.iter().zip(im).map(|(&re, &im)| Complex64::new(re, im)).collect(),
            None => log_psi.re.iter().map(|&re| Complex64::from(re)).collect(),
        })
    }
}

impl<R: Real> Matrix for Array2<R> {
    type Double = Array2<f64>;

    fn to_array(matrix: &Self) -> Result<Array2<f64>> {
        Ok(matrix.mapv(Into::into))
    }

    fn zeros_like(matrix: &Self) -> Result<Self> {
        Ok(Array2::zeros(matrix.dim()))
    }

    fn dim(matrix: &Self) -> Result<(usize, usize)> {
        Ok(matrix.dim())
    }

    fn product(a: &Self, b: &Self) -> Result<Self> {
        Ok(a.dot(b))
    }

    fn product_transposed(a: &Self, b: &Self) -> Result<Self> {
        Ok(a.dot(&b.t()))
    }

    fn dense(x: &Self, kernel: &Self, bias: Option<&Self>, activation: Option<Activation>) -> Result<Self> {
        let mut values = Array2::zeros((x.nrows(), kernel.nrows()));
        if let Some(bias) = bias {
            values.assign(bias);
        }
        general_mat_mul(R::one(), x, &kernel.t(), R::one(), &mut values);
        match activation {
            Some(activation) => Ok(Self::activate(activation, Order::Value, Field::real(values))?.re),
            None => Ok(values),
        }
    }

    fn transpose(a: &Self) -> Result<Self> {
        Ok(a.t().as_standard_layout().into_owned())
    }

    fn product_of_changed(product: &Self, a: &Self, origins: &[usize], b: &Self, c: &Self) -> Result<Self> {
        check_origins(origins, a.nrows())?;
        let (n_rows, widths) = (b.nrows(), (b.ncols(), c.ncols()));
        let [product, a, b, c] = [product, a, b, c].map(|matrix| matrix.as_standard_layout());
        let [product, a, b, c] = [&product, &a, &b, &c].map(|matrix| row_after_row(matrix.as_slice()));
        let out = ChangedRows { product, a, origins, b, c, widths }.product();
        Array2::from_shape_vec((n_rows, widths.1), out).map_err(failed)
    }

    fn arithmetic(operation: Arithmetic, a: Self, b: &Self) -> Result<Self> {
        Ok(match operation {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
        })
    }

    fn gather(matrix: &Self, columns: &[u32]) -> Result<Self> {
        check_columns(columns, matrix.ncols())?;
        let mut out = Array2::zeros((matrix.nrows(), columns.len()));
        for (mut out, row) in out.rows_mut().into_iter().zip(matrix.rows()) {
            for (out, &column) in out.iter_mut().zip(columns) {
                // Only the column after the last is missing: it is zero.
                *out = row.get(column as usize).copied().unwrap_or_default();
            }
        }
        Ok(out)
    }

    fn scatter(matrix: &Self, columns: &[u32], n_columns: usize) -> Result<Self> {
        check_columns(columns, n_columns)?;
        let mut out = Array2::zeros((matrix.nrows(), n_columns));
        for (mut out, row) in out.rows_mut().into_iter().zip(matrix.rows()) {
            for (&column, value) in columns.iter().zip(row) {
                // Only the column after the last is missing: it is left out.
                if let Some(sum) = out.get_mut(column as usize) {
                    *sum += *value;
                }
            }
        }
        Ok(out)
    }

    fn reshape(matrix: Self, dim: (usize, usize)) -> Result<Self> {
        matrix.into_shape_with_order(dim).map_err(failed)
    }

    fn sum_columns(matrix: &Self) -> Result<Array2<f64>> {
        Ok(matrix.as_standard_layout().map_axis(Axis(1), sum).insert_axis(Axis(1)))
    }

    fn concatenate(matrices: &[&Self]) -> Result<Self> {
        let views: Vec<_> = matrices.iter().map(|matrix| matrix.view()).collect();
        concatenate(Axis(1), &views).map_err(failed)
    }

    fn stack(matrices: &[&Self]) -> Result<Self> {
        let views: Vec<_> = matrices.iter().map(|matrix| matrix.view()).collect();
        concatenate(Axis(0), &views).map_err(failed)
    }

    fn equals(matrix: &Self, row: &[f64]) -> Result<Self> {
        let mut out = matrix.clone();
        for mut values in out.rows_mut() {
            let indicator = |value: R, to: f64| R::from_f64(f64::from(u8::from(value.into() == to)));
            values.iter_mut().zip(row).for_each(|(value, &to)| *value = indicator(*value, to));
        }
        Ok(out)
    }

    fn outer(a: &Self, b: &Self, columns: Option<(&[u32], usize)>) -> Result<Self> {
        let n_b = b.ncols();
        if let Some((columns, n_columns)) = columns {
            check_columns(columns, n_columns)?;
        }
        let mut out = Array2::zeros((a.nrows(), columns.map_or(a.ncols() * n_b, |(_, n)| n)));
        Zip::from(out.rows_mut()).and(a.rows()).and(b.rows()).for_each(|mut out, a, b| match columns {
            None => {
                for (mut out, &a) in out.exact_chunks_mut(n_b.max(1)).into_iter().zip(a) {
                    Zip::from(&mut out).and(&b).for_each(|out, &b| *out = a * b);
                }
            }
            Some((columns, _)) => {
                let places = columns.chunks(n_b.max(1)).zip(a);
                for (&column, product) in
                    places.flat_map(|(places, &a)| places.iter().zip(b.iter().map(move |&b| a * b)))
                {
                    if let Some(sum) = out.get_mut(column as usize) {
                        *sum += product;
                    }
                }
            }
        });
        Ok(out)
    }

    fn log_softmax(matrix: &Self, lens: &[usize], allowed: Option<&Self>) -> Result<(Self, Self)> {
        let mut log_p = matrix.clone();
        if let Some(allowed) = allowed {
            Zip::from(&mut log_p)
                .and(allowed)
                .for_each(|value, &allowed| *value -= R::from_f64(FORBIDDEN) * (R::one() - allowed));
        }
        for mut row in log_p.rows_mut() {
            let mut start = 0;
            for &len in lens {
                let mut group = row.slice_mut(s![start..start + len]);
                let largest = group.iter().copied().fold(R::neg_infinity(), R::max);
                let sum = group.iter().fold(R::zero(), |sum, &value| sum + (value - largest).exp());
                group -= largest + sum.ln();
                start += len;
            }
        }
        let p = log_p.mapv(R::exp);
        Ok((log_p, p))
    }

    fn activate(activation: Activation, order: Order, mut z: Field<Self>) -> Result<Field<Self>> {
        match &mut z.im {
            None => match z.re.as_slice_memory_order_mut() {
                Some(values) => activation.apply(order, values),
                None => z.re.mapv_inplace(|x| activation.real(order, x)),
            },
            Some(im) => Zip::from(&mut z.re).and(im).for_each(|re, im| {
                let value = activation.complex(order, Complex64::new((*re).into(), (*im).into()));
                (*re, *im) = (R::from_f64(value.re), R::from_f64(value.im));
            }),
        }
        Ok(z)
    }
}

/// In double precision, in several independent sums.
fn sum<R: Real>(row: ArrayView1<'_, R>) -> f64 {
    let mut sums = [0.0; 8];
    for part in row_after_row(row.as_slice()).chunks(sums.len()) {
        sums.iter_mut().zip(part).for_each(|(sum, &value)| *sum += value.into());
    }
    sums.iter().sum()
}

/// The elements of an array in standard layout.
fn row_after_row<R>(elements: Option<&[R]>) -> &[R] {
    elements.expect("arrays in standard layout are slices")
}

/// Checks the numbers of columns before they are used: at most `n_columns`, which stands for a column of zeros.
fn check_columns(columns: &[u32], n_columns: usize) -> Result<()> {
    match columns.iter().find(|&&column| column as usize > n_columns) {
        None => Ok(()),
        Some(column) => {
            Err(Error::backend(Flat::NAME, format!("column {column} of a matrix with {n_columns} columns")))
        }
    }
}

fn failed(error: ndarray::ShapeError) -> Error {
    Error::backend(Flat::NAME, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_beyond_the_samples_are_refused() {
        let (x, c) = (Array2::<f64>::ones((2, 3)), Array2::ones((3, 4)));
        let product = x.dot(&c);
        let refused = Matrix::product_of_changed(&product, &x, &[0, 2], &x, &c);
        let expected =
            |error: &Error| matches!(error, Error::OriginOutOfRange { row: 1, origin: 2, n_samples: 2 });
        assert!(refused.is_err_and(|error| expected(&error)));
        assert_eq!(Matrix::product_of_changed(&product, &x, &[1, 0], &x, &c).unwrap(), product);
    }

    /// The number of columns stands for a column of zeros; a larger one is a mistake.
    #[test]
    fn columns_beyond_the_zeros_are_refused() {
        let x = Array2::<f64>::ones((2, 3));
        assert_eq!(Matrix::gather(&x, &[3, 0]).unwrap(), ndarray::array![[0.0, 1.0], [0.0, 1.0]]);
        assert_eq!(Matrix::scatter(&x, &[0, 2, 0], 2).unwrap(), ndarray::array![[2.0, 0.0], [2.0, 0.0]]);
        let beyond = [
            Matrix::gather(&x, &[0, 4]),
            Matrix::scatter(&x, &[0, 1, 3], 2),
            Matrix::outer(&x, &x, Some((&[9; 9], 8))),
        ];
        let said = beyond.map(|result| result.map_or_else(|error| error.to_string(), |_| "no error".into()));
        assert_eq!(
            said,
            [
                "backend flat: column 4 of a matrix with 3 columns",
                "backend flat: column 3 of a matrix with 2 columns",
                "backend flat: column 9 of a matrix with 8 columns",
            ]
        );
    }
}
