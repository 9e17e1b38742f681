//! Types of parameters, of matrix elements, and of what walkers calculate with.

use std::ops::Mul;

use ndarray::NdFloat;
use num_complex::{Complex32, Complex64};
use operator_core::Element;

use super::simd::Vectors;

/// Type of a network's parameters: `f64` or `Complex64`, or in single precision `f32` or `Complex32`. Sealed:
/// these are all.
///
/// In single precision, evaluation takes half the memory and processes twice as many numbers per instruction.
/// These stay in double precision: parameters, their derivatives and ln ψ, because small optimiser steps must
/// add up; the sum over the last layer, which may be long; and complex activations and walkers, except
/// walkers of real ln cosh units.
pub trait Scalar: Element<Real: Real> {
    /// The same in double precision.
    #[doc(hidden)]
    type Double: Number;
}

impl<R: Real> Scalar for R {
    type Double = f64;
}

impl Scalar for Complex32 {
    type Double = Complex64;
}

impl Scalar for Complex64 {
    type Double = Complex64;
}

/// Real type of a network's parameters: `f32` or `f64`. Sealed: these are all.
pub trait Real: Element<Real = Self> + NdFloat + Into<f64> + Vectors {}

impl Real for f32 {}

impl Real for f64 {}

/// The numbers that walkers calculate with.
pub trait Number: Element<Real = f64> + Mul<f64, Output = Self> {
    /// Applies `real` to a real number, `complex` to a complex one.
    fn apply(self, real: impl Fn(f64) -> f64, complex: impl Fn(Complex64) -> Complex64) -> Self;
}

impl Number for f64 {
    fn apply(self, real: impl Fn(f64) -> f64, _: impl Fn(Complex64) -> Complex64) -> Self {
        real(self)
    }
}

impl Number for Complex64 {
    fn apply(self, _: impl Fn(f64) -> f64, complex: impl Fn(Complex64) -> Complex64) -> Self {
        complex(self)
    }
}
