use backend_flat::Flat;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut, Axis, RemoveAxis, Zip, s};
use num_complex::Complex64;
use operator_core::{Error, Result};

use super::{RbmBackend, RbmParameters, ln_cosh};

/// Rows that are evaluated at a time: their hidden units stay in the cache, and the split does not depend
/// on the number of threads, so neither does the result.
const ROWS: usize = 512;

impl RbmBackend for Flat {
    type Weights = RbmParameters;

    fn weights(parameters: &RbmParameters, (): &()) -> Result<RbmParameters> {
        Ok(parameters.clone())
    }

    fn log_psi(weights: &RbmParameters, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        check_width(weights, x)?;
        let mut out = Array1::zeros(x.nrows());
        for_each_block(x.view(), out.view_mut(), |x, mut out| {
            let visible = x.dot(&weights.visible_bias());
            Zip::from(&mut out).and(theta(weights, &x).rows()).and(&visible).for_each(
                |out, theta, visible| {
                    *out = Complex64::from(visible + theta.iter().map(|&theta| ln_cosh(theta)).sum::<f64>());
                },
            );
        });
        Ok(out)
    }

    fn log_derivatives(weights: &RbmParameters, x: &Array2<i8>) -> Result<Array2<f64>> {
        check_width(weights, x)?;
        let (n_sites, n_hidden) = (weights.n_sites(), weights.n_hidden());
        let mut out = Array2::zeros((x.nrows(), weights.values().len()));
        for_each_block(x.view(), out.view_mut(), |x, mut out| {
            let tanh = theta(weights, &x).mapv_into(f64::tanh);
            out.slice_mut(s![.., ..n_sites]).assign(&x);
            out.slice_mut(s![.., n_sites..n_sites + n_hidden]).assign(&tanh);
            for (j, tanh) in tanh.columns().into_iter().enumerate() {
                let start = n_sites + n_hidden + j * n_sites;
                let mut row = out.slice_mut(s![.., start..start + n_sites]);
                row.assign(&x);
                row *= &tanh.insert_axis(Axis(1));
            }
        });
        Ok(out)
    }
}

/// Calls `f` with blocks of rows of `x`, in f64, and of `out`, in parallel if there are several.
fn for_each_block<T: Send + Sync, D: RemoveAxis>(
    x: ArrayView2<'_, i8>,
    mut out: ArrayViewMut<'_, T, D>,
    f: impl Fn(Array2<f64>, ArrayViewMut<'_, T, D>) + Send + Sync,
) {
    if x.nrows() <= ROWS {
        // Waking the thread pool takes longer than a few rows, as a sampler asks for them.
        return f(x.mapv(f64::from), out);
    }
    let blocks = x.axis_chunks_iter(Axis(0), ROWS).into_par_iter();
    blocks
        .zip(out.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter())
        .for_each(|(x, out)| f(x.mapv(f64::from), out));
}

/// `b + W x`, shape `(batch, n_hidden)`.
fn theta(weights: &RbmParameters, x: &Array2<f64>) -> Array2<f64> {
    x.dot(&weights.kernel().t()) + weights.hidden_bias()
}

fn check_width(weights: &RbmParameters, x: &Array2<i8>) -> Result<()> {
    if x.ncols() != weights.n_sites() {
        let (got, expected) = (x.ncols(), weights.n_sites());
        return Err(Error::SampleWidth { got, expected, hilbert: "the space of the RBM".into() });
    }
    Ok(())
}
