//! Sums over the units of a first layer at connected states: a layer that is changed at a few sites, and what is summed of
//! it, without storing either.

use std::f64::consts::LN_2;

use candle_core::{DType, Device, Result, Tensor, bail};
use num_complex::Complex64;
use rayon::prelude::*;

use crate::compact::{ChangeTables, CompactStates, Samples};
use crate::complex::ComplexTensor;
use crate::memory::with_numbers;
use crate::rows::Rows;

/// A function of a unit's value.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// The value itself.
    Identity,
    /// Its ln cosh.
    LnCosh,
}

impl Unit {
    fn of(self, z: Complex64) -> Complex64 {
        match self {
            Unit::Identity => z,
            Unit::LnCosh => ln_cosh(z),
        }
    }
}

/// With z' = ±z, so that its real part is not negative, and q = exp(−2 z'): z' + ln(1 + q) − ln 2. The parts of 1 + q are
/// written so that nothing cancels near the zeros of cosh.
fn ln_cosh(z: Complex64) -> Complex64 {
    let (x, angle) = (z.re.abs(), if z.re < 0.0 { -z.im } else { z.im });
    let (size, below_one, (sin, cos)) = ((-2.0 * x).exp(), -(-2.0 * x).exp_m1(), angle.sin_cos());
    let (re, im) = (below_one + 2.0 * size * cos * cos, -2.0 * size * sin * cos);
    let squared_size = below_one * below_one + 4.0 * size * cos * cos;
    Complex64::new(x + (0.5 * squared_size.ln() - LN_2), angle + im.atan2(re))
}

/// `Σ_m f(z[b, m] + Σ_i (x'_i − x_i) w[i, m])` for each connected state x' of each sample b, shape `(batch · width,)`, in
/// f64. `z` is `(batch, n_units)`, `w` is `(n_sites, n_units)`.
///
/// # Errors
/// For other shapes, or if the device fails.
pub(crate) fn sums_of_units(
    states: &CompactStates,
    unit: Unit,
    z: &ComplexTensor,
    w: &ComplexTensor,
) -> Result<ComplexTensor> {
    let [batch, _, n_sites] = states.shape();
    match (z.dims(), w.dims()) {
        (&[n_rows, n_units], &[sites, units]) if (n_rows, units, sites) == (batch, n_units, n_sites) => {}
        (z, w) => bail!("units of {z:?} and weights of {w:?}; expected [{batch}, m] and [{n_sites}, m]"),
    }
    match &states.samples {
        Samples::Host { tables, rows } => {
            let sums = on_host(tables, rows, &states.items, unit, z, w)?;
            let n = sums.len();
            let part = |part: fn(&Complex64) -> f64| {
                Tensor::from_vec(sums.iter().map(part).collect(), n, &Device::Cpu)
            };
            let im = z.im().or(w.im()).map(|_| part(|sum| sum.im)).transpose()?;
            ComplexTensor::new(part(|sum| sum.re)?, im)?.map(|part| part.to_device(states.items.device()))
        }
        #[cfg(feature = "cuda")]
        Samples::Cuda(samples) => samples.sums_of_units(&states.items, unit, z, w),
    }
}

/// Samples go over all threads; each sum has the order of the units.
fn on_host(
    tables: &ChangeTables,
    rows: &Rows,
    items: &Tensor,
    unit: Unit,
    z: &ComplexTensor,
    w: &ComplexTensor,
) -> Result<Vec<Complex64>> {
    let (batch, n_units) = (rows.n_samples(), w.dims()[1]);
    let numbers = |tensor: &ComplexTensor| tensor.map(|part| part.to_dtype(DType::F64))?.to_host();
    let (z, w, items) = (numbers(z)?, numbers(w)?, items.to_device(&Device::Cpu)?.contiguous()?);
    let width = items.elem_count().checked_div(batch).unwrap_or(0);
    let mut sums = vec![Complex64::ZERO; batch * width];
    if sums.is_empty() || n_units == 0 {
        return Ok(sums);
    }
    with_numbers(&items, |items: &[u32]| {
        let slots = sums.par_chunks_exact_mut(width).zip(items.par_chunks_exact(width));
        slots.zip(rows.par_iter().zip(z.par_chunks_exact(n_units))).for_each_init(
            || vec![Complex64::ZERO; n_units],
            |changed, ((sums, items), (x, z))| {
                for (sum, &item) in sums.iter_mut().zip(items) {
                    changed.copy_from_slice(z);
                    for edit in tables.quantum_numbers().edits(item) {
                        let (site, q) = (edit.site as usize, x[edit.site as usize]);
                        let by = f64::from(edit.apply(q)) - f64::from(q);
                        let weights = &w[site * n_units..][..n_units];
                        changed.iter_mut().zip(weights).for_each(|(z, w)| *z += w * by);
                    }
                    *sum = changed.iter().map(|&z| unit.of(z)).sum();
                }
            },
        );
    })?;
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_cosh_is_that_of_cosh_also_where_cosh_overflows_or_vanishes() {
        for re in [-3.0, -0.7, -1e-9, 0.0, 1e-5, 0.4, 2.5] {
            for im in [-1.5, -0.3, 0.0, 0.8, 1.57] {
                let z = Complex64::new(re, im);
                let (got, expected) = (ln_cosh(z).exp(), z.cosh());
                assert!((got - expected).norm() < 1e-14 * (1.0 + expected.norm()), "{z}: {got} {expected}");
            }
        }
        assert_eq!(ln_cosh(Complex64::from(-1e4)), Complex64::from(1e4 - LN_2));
        assert_eq!(ln_cosh(Complex64::from(0.0)), Complex64::ZERO);
    }
}
