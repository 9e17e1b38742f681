//! The Taylor series of an exponential, in steps small enough to lose no digits.

use crate::error::{Error, Result};

/// Terms smaller than this, relative to the first, are dropped.
const PRECISION: f64 = 1e-16;

/// The exponential of a small matrix times a time, as repeated Taylor series of one order.
///
/// Steps and order depend only on a bound of the norm, not on the vector. So the series is a fixed sequence of
/// products and can be differentiated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    n_steps: usize,
    order: usize,
    /// Time of one step.
    step: f64,
}

impl Series {
    /// The series for a matrix whose norm is at most `norm`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a time that is not finite or spans more than 10⁹ steps.
    pub(crate) fn new(norm: f64, time: f64) -> Result<Self> {
        let angle = norm * time.abs();
        if !time.is_finite() || angle.is_nan() || angle > 1e9 {
            let expected = "it must be finite, and times the norm of the operator at most 1e9";
            return Err(Error::Setting {
                what: "the time of an evolution",
                value: time.to_string(),
                expected,
            });
        }
        let n_steps = (angle.ceil() as usize).max(1);
        let angle = angle / n_steps as f64;
        let (mut order, mut term) = (0, 1.0);
        while term > PRECISION {
            order += 1;
            term *= angle / order as f64;
        }
        Ok(Series { n_steps, order, step: time / n_steps as f64 })
    }

    /// `exp(A t) v`, where `apply(v, s)` returns `s A v` and `add` adds its second argument to the first.
    pub(crate) fn sum<V: Clone>(
        &self,
        mut v: V,
        apply: impl Fn(&V, f64) -> Result<V>,
        add: impl Fn(&mut V, &V) -> Result<()>,
    ) -> Result<V> {
        for _ in 0..self.n_steps {
            let mut term = v.clone();
            for k in 1..=self.order {
                term = apply(&term, self.step / k as f64)?;
                add(&mut v, &term)?;
            }
        }
        Ok(v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_exponentials() -> Result<()> {
        for exponent in [0.0, 1e-9, -0.3, 1.0, 7.5, -20.0, 40.0] {
            let add = |sum: &mut f64, term: &f64| {
                *sum += term;
                Ok(())
            };
            let sum = Series::new(2.0, exponent / 2.0)?.sum(1.0, |v, factor| Ok(2.0 * factor * v), add)?;
            assert!((sum / f64::exp(exponent) - 1.0).abs() < 1e-13, "{exponent}: {sum}");
        }
        Ok(())
    }

    #[test]
    fn times_without_end_are_refused() {
        for time in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(matches!(Series::new(1.0, time), Err(Error::Setting { .. })));
        }
    }
}
