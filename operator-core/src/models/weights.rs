//! Weighted sums of strings, whose weights are parameters.

use num_complex::Complex64;

use crate::error::{Error, Result};
use crate::terms::{Coefficient, Terms};

/// Complex weights, one per string.
pub(super) fn weights_of<W: Into<Complex64>>(
    weights: impl IntoIterator<Item = W>,
    n_strings: usize,
) -> Result<Vec<Complex64>> {
    let weights: Vec<Complex64> = weights.into_iter().map(Into::into).collect();
    if weights.len() == n_strings {
        return Ok(weights);
    }
    let expected = format!("{n_strings}, one a string");
    Err(Error::Count { what: "weights".into(), got: weights.len(), expected })
}

/// Writes strings with their weights, which become the parameters `weights` and, where any has an imaginary
/// part, `weights_im`. `push` adds the string of a number with a coefficient.
pub(super) fn push_weighted(
    terms: &mut Terms,
    weights: &[Complex64],
    mut push: impl FnMut(&mut Terms, usize, Coefficient) -> Result<()>,
) -> Result<()> {
    let part = |part: fn(&Complex64) -> f64| -> Vec<f64> { weights.iter().map(part).collect() };
    let real = terms.parameter("weights", part(|w| w.re))?;
    let is_complex = weights.iter().any(|w| w.im != 0.0);
    let imaginary = if is_complex { Some(terms.parameter("weights_im", part(|w| w.im))?) } else { None };
    for k in 0..weights.len() {
        push(terms, k, real.at(k)?.into())?;
        if let Some(imaginary) = imaginary {
            push(terms, k, Complex64::I * imaginary.at(k)?)?;
        }
    }
    Ok(())
}
