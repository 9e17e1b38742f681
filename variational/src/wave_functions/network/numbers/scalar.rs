//! Types of parameters, of matrix elements, and of what walkers calculate with.

use std::ops::Mul;

use ndarray::NdFloat;
use num_complex::{Complex32, Complex64};
use operator_core::Element;

use super::simd::Vectors;

/// Type of a network's parameters: `f64` or `Complex64`, or in single precision `f32` or `Complex32`.
///
/// In single precision the network is evaluated with half the memory and twice as many numbers in a vector.
/// Parameters, their derivatives and ln ψ stay in double precision, because small steps of an optimiser must add
/// up; the last layer's values are added up in it, because there may be many of them; and activations, and
/// walkers other than those of real ln cosh units, calculate in it.
pub trait Scalar: Element<Real: Real> {
    /// The same in double precision.
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

/// Type of the elements of a network's matrices: `f32` or `f64`.
pub trait Real: Element<Real = Self> + NdFloat + Into<f64> + Vectors {
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
}

impl Real for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// What walkers calculate with.
pub trait Number: Element<Real = f64> + Mul<f64, Output = Self> {
    /// `real` of a real number, `complex` of a complex one.
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
