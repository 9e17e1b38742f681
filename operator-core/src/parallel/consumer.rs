//! Consumers of connected elements and their ratios.

use std::slice::IterMut;

use num_complex::Complex64;

use crate::element::Element;
use crate::kernel::Connected;

/// Takes the connected elements of one sample after another, and then their ratios `ψ(x') / ψ(x)`.
pub trait Consumer<T> {
    /// An element of the present sample.
    fn element(&mut self, connected: Connected<'_>, mel: T);

    /// The ratios of the elements that came since the last call, in their order.
    fn ratios(&mut self, ratios: &[Complex64]);

    /// The present sample has no more elements. The next sample follows.
    fn finish(&mut self);
}

/// Local estimators, `Σ_x' <x|O|x'> ψ(x') / ψ(x)`.
pub struct Estimates<'o, T> {
    /// Elements that still wait for their ratios.
    mels: Vec<T>,
    sum: Complex64,
    out: IterMut<'o, Complex64>,
}

impl<'o, T> Estimates<'o, T> {
    /// Writes the estimators of `out.len()` samples.
    pub fn new(out: &'o mut [Complex64]) -> Self {
        Estimates { mels: Vec::new(), sum: Complex64::ZERO, out: out.iter_mut() }
    }
}

impl<T: Element> Consumer<T> for Estimates<'_, T> {
    #[inline]
    fn element(&mut self, _: Connected<'_>, mel: T) {
        self.mels.push(mel);
    }

    #[inline]
    fn ratios(&mut self, ratios: &[Complex64]) {
        for (mel, ratio) in self.mels.iter().zip(ratios) {
            self.sum += mel.to_complex() * ratio;
        }
        self.mels.clear();
    }

    #[inline]
    fn finish(&mut self) {
        *self.out.next().expect("a place for each sample") = std::mem::take(&mut self.sum);
    }
}
