//! The number types of matrix elements.

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use num_complex::{Complex, Complex32, Complex64};
use num_traits::{Float, NumAssign, Zero};

use crate::rounding;

mod sealed {
    pub trait Sealed {}
}

/// The types that matrix elements can have: `f32`, `f64`, `Complex32` and `Complex64`.
///
/// The trait is sealed: backends rely on there being exactly these four.
pub trait Element:
    sealed::Sealed
    + Copy
    + Debug
    + Display
    + Default
    + Send
    + Sync
    + 'static
    + PartialEq
    + Zero
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + NumAssign
{
    /// The real type of the same precision.
    type Real: Element<Real = Self::Real> + Float;

    /// Name of the type, for messages.
    const NAME: &'static str;

    /// Whether the type can hold an imaginary part.
    const IS_COMPLEX: bool;

    /// The nearest value of this type; a real type drops the imaginary part.
    fn from_complex(z: Complex64) -> Self;

    /// The value as a double-precision complex number.
    fn to_complex(self) -> Complex64;

    /// Complex conjugate.
    fn conj(self) -> Self;

    /// Real part.
    fn re(self) -> Self::Real;

    /// Imaginary part; 0 for a real type.
    fn im(self) -> Self::Real;

    /// Whether a sum is only the rounding error of summands that cancel. Their absolute values add up to `size`.
    ///
    /// Use it to add up elements that reach one x' along several paths: the rest of a cancellation must not count
    /// as a connection.
    fn cancels(self, size: f64) -> bool {
        rounding::cancels(self.to_complex(), size, size_of::<Self::Real>() == 4)
    }
}

macro_rules! real_element {
    ($real:ty, $name:literal) => {
        impl sealed::Sealed for $real {}
        impl Element for $real {
            type Real = $real;
            const NAME: &'static str = $name;
            const IS_COMPLEX: bool = false;
            #[inline]
            fn from_complex(z: Complex64) -> Self {
                z.re as $real
            }
            #[inline]
            fn to_complex(self) -> Complex64 {
                Complex64::new(f64::from(self), 0.0)
            }
            #[inline]
            fn conj(self) -> Self {
                self
            }
            #[inline]
            fn re(self) -> Self::Real {
                self
            }
            #[inline]
            fn im(self) -> Self::Real {
                0.0
            }
        }
    };
}

macro_rules! complex_element {
    ($complex:ty, $real:ty, $name:literal) => {
        impl sealed::Sealed for $complex {}
        impl Element for $complex {
            type Real = $real;
            const NAME: &'static str = $name;
            const IS_COMPLEX: bool = true;
            #[inline]
            fn from_complex(z: Complex64) -> Self {
                Complex::new(z.re as $real, z.im as $real)
            }
            #[inline]
            fn to_complex(self) -> Complex64 {
                Complex64::new(f64::from(self.re), f64::from(self.im))
            }
            #[inline]
            fn conj(self) -> Self {
                Complex::conj(&self)
            }
            #[inline]
            fn re(self) -> Self::Real {
                self.re
            }
            #[inline]
            fn im(self) -> Self::Real {
                self.im
            }
        }
    };
}

real_element!(f32, "f32");
real_element!(f64, "f64");
complex_element!(Complex32, f32, "Complex32");
complex_element!(Complex64, f64, "Complex64");
