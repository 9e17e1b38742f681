//! Running mean and variance.

use num_complex::Complex64;

/// Number, mean and squared deviations of values seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) n: usize,
    pub(super) mean: Complex64,
    /// `Σ |a − <a>|²`.
    pub(super) square: f64,
}

impl Moments {
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a Complex64>) -> Self {
        let mut moments = Moments::default();
        values.into_iter().for_each(|&value| moments.push(value));
        moments
    }

    pub(super) fn push(&mut self, value: Complex64) {
        *self = self.and(Moments { n: 1, mean: value, square: 0.0 });
    }

    /// The moments of the values of both (Chan, Golub and LeVeque, 1979).
    pub(super) fn and(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0 {
            return self;
        }
        let part = other.n as f64 / n as f64;
        let shift = other.mean - self.mean;
        Moments {
            n,
            mean: self.mean + shift * part,
            square: self.square + other.square + shift.norm_sqr() * self.n as f64 * part,
        }
    }

    /// Unbiased variance.
    pub(super) fn scatter(&self) -> f64 {
        self.square / (self.n as f64 - 1.0)
    }
}
