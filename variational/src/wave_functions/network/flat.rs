use std::ops::Range;

use backend_flat::Flat;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip, concatenate, s};
use num_complex::Complex64;
use operator_core::{Backend, Error, Result};

use super::activation::{Activation, Order};
use super::algebra::{Arithmetic, FORBIDDEN, Field, NetworkBackend};

/// Rows that are evaluated at a time: their hidden units stay in the cache, and the split does not depend
/// on the number of threads, so neither does the result.
const ROWS: usize = 512;

impl NetworkBackend for Flat {
    type Matrix = Array2<f64>;

    const ADDS_CHANGES: bool = true;

    fn matrix(values: Array2<f64>, (): &()) -> Result<Array2<f64>> {
        Ok(values)
    }

    fn to_array(matrix: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(matrix.clone())
    }

    fn zeros_like(matrix: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(Array2::zeros(matrix.dim()))
    }

    fn dim(matrix: &Array2<f64>) -> (usize, usize) {
        matrix.dim()
    }

    fn by_blocks<F>(x: &Array2<i8>, f: F) -> Result<Field<Array2<f64>>>
    where
        F: Fn(Range<usize>, &Array2<f64>) -> Result<Field<Array2<f64>>> + Send + Sync,
    {
        let n_rows = x.nrows();
        let block = |start: usize| {
            let rows = start..n_rows.min(start + ROWS);
            f(rows.clone(), &x.slice_axis(Axis(0), rows.into()).mapv(f64::from))
        };
        if n_rows <= ROWS {
            // Waking the thread pool takes longer than a few rows, as a sampler asks for them.
            return block(0);
        }
        let starts = (0..n_rows.div_ceil(ROWS)).into_par_iter().map(|k| k * ROWS);
        let parts = starts.map(block).collect::<Result<Vec<_>>>()?;
        let stack = |parts: Vec<ArrayView2<'_, f64>>| concatenate(Axis(0), &parts).map_err(failed);
        let im: Option<Vec<_>> = parts.iter().map(|part| part.im.as_ref().map(|im| im.view())).collect();
        Ok(Field {
            re: stack(parts.iter().map(|part| part.re.view()).collect())?,
            im: im.map(stack).transpose()?,
        })
    }

    fn amplitudes(log_psi: &Field<Array2<f64>>) -> Result<Array1<Complex64>> {
        Ok(match &log_psi.im {
            Some(im) => log_psi.re.iter().zip(im).map(|(&re, &im)| Complex64::new(re, im)).collect(),
            None => log_psi.re.iter().map(|&re| Complex64::from(re)).collect(),
        })
    }

    fn product(a: &Array2<f64>, b: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(a.dot(b))
    }

    fn product_transposed(a: &Array2<f64>, b: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(a.dot(&b.t()))
    }

    fn transpose(a: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(a.t().as_standard_layout().into_owned())
    }

    fn product_of_changed(
        product: &Array2<f64>,
        a: &Array2<f64>,
        origins: &[usize],
        b: &Array2<f64>,
        c: &Array2<f64>,
    ) -> Result<Array2<f64>> {
        let mut out = Array2::zeros((b.nrows(), c.ncols()));
        let zeros = Array1::zeros(b.ncols());
        for ((mut out, to), &origin) in out.rows_mut().into_iter().zip(b.rows()).zip(origins) {
            let mut from = zeros.view();
            if origin < a.nrows() {
                out.assign(&product.row(origin));
                from = a.row(origin);
            }
            for ((&to, &from), c) in to.iter().zip(from).zip(c.rows()) {
                if to != from {
                    out.scaled_add(to - from, &c);
                }
            }
        }
        Ok(out)
    }

    fn arithmetic(operation: Arithmetic, a: &Array2<f64>, b: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(match operation {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
        })
    }

    fn gather(matrix: &Array2<f64>, columns: &[u32]) -> Result<Array2<f64>> {
        let mut out = Array2::zeros((matrix.nrows(), columns.len()));
        for (mut out, row) in out.rows_mut().into_iter().zip(matrix.rows()) {
            for (out, &column) in out.iter_mut().zip(columns) {
                *out = row.get(column as usize).copied().unwrap_or(0.0);
            }
        }
        Ok(out)
    }

    fn scatter(matrix: &Array2<f64>, columns: &[u32], n_columns: usize) -> Result<Array2<f64>> {
        let mut out = Array2::zeros((matrix.nrows(), n_columns));
        for (mut out, row) in out.rows_mut().into_iter().zip(matrix.rows()) {
            for (&column, value) in columns.iter().zip(row) {
                if let Some(sum) = out.get_mut(column as usize) {
                    *sum += value;
                }
            }
        }
        Ok(out)
    }

    fn reshape(matrix: Array2<f64>, dim: (usize, usize)) -> Result<Array2<f64>> {
        matrix.into_shape_with_order(dim).map_err(failed)
    }

    fn sum_columns(matrix: &Array2<f64>) -> Result<Array2<f64>> {
        Ok(matrix.sum_axis(Axis(1)).insert_axis(Axis(1)))
    }

    fn concatenate(matrices: &[&Array2<f64>]) -> Result<Array2<f64>> {
        let views: Vec<_> = matrices.iter().map(|matrix| matrix.view()).collect();
        concatenate(Axis(1), &views).map_err(failed)
    }

    fn equals(matrix: &Array2<f64>, row: &[f64]) -> Result<Array2<f64>> {
        let mut out = matrix.clone();
        for mut values in out.rows_mut() {
            values.iter_mut().zip(row).for_each(|(value, to)| *value = f64::from(u8::from(value == to)));
        }
        Ok(out)
    }

    fn outer(a: &Array2<f64>, b: &Array2<f64>, columns: Option<(&[u32], usize)>) -> Result<Array2<f64>> {
        let n_b = b.ncols();
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

    fn log_softmax(
        matrix: &Array2<f64>,
        lens: &[usize],
        allowed: Option<&Array2<f64>>,
    ) -> Result<(Array2<f64>, Array2<f64>)> {
        let mut log_p = matrix.clone();
        if let Some(allowed) = allowed {
            Zip::from(&mut log_p)
                .and(allowed)
                .for_each(|value, allowed| *value -= FORBIDDEN * (1.0 - allowed));
        }
        for mut row in log_p.rows_mut() {
            let mut start = 0;
            for &len in lens {
                let mut group = row.slice_mut(s![start..start + len]);
                let largest = group.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let norm = largest + group.iter().map(|value| (value - largest).exp()).sum::<f64>().ln();
                group -= norm;
                start += len;
            }
        }
        let p = log_p.mapv(f64::exp);
        Ok((log_p, p))
    }

    fn activate(activation: Activation, order: Order, z: &Field<Array2<f64>>) -> Result<Field<Array2<f64>>> {
        let mut out = z.clone();
        match &mut out.im {
            None => out.re.mapv_inplace(|x| activation.real(order, x)),
            Some(im) => Zip::from(&mut out.re).and(im).for_each(|re, im| {
                let value = activation.complex(order, Complex64::new(*re, *im));
                (*re, *im) = (value.re, value.im);
            }),
        }
        Ok(out)
    }
}

fn failed(error: ndarray::ShapeError) -> Error {
    Error::backend(Flat::NAME, error)
}
