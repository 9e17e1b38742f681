//! Activations and their derivatives, of real numbers in vectors and of complex ones.

use std::fmt;
use std::str::FromStr;

use num_complex::Complex64;
use operator_core::Error;
use operator_core::functions::{complex_ln_cosh, complex_tanh, ln_cosh, tanh};
use pulp::{Arch, Simd, WithSimd};

use super::scalar::Real;

/// A function of one number that a layer applies to each of its values.
///
/// Its name, as [`Display`](fmt::Display) writes and [`FromStr`] reads it, is that of the variant in small
/// letters.
///
/// ```
/// use variational::wave_functions::network::Activation;
///
/// assert_eq!("lncosh".parse::<Activation>()?, Activation::LnCosh);
/// assert_eq!(Activation::Gelu.to_string(), "gelu");
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Activation {
    /// `ln cosh z`, an even function; holomorphic where cosh z ≠ 0.
    LnCosh,
    /// `tanh z`, holomorphic.
    Tanh,
    /// `max(0, z)`, real only.
    Relu,
    /// `z Φ(z)` with Gauss's Φ, in the form of the hyperbolic tangent (Hendrycks and Gimpel,
    /// arXiv:1606.08415), real only.
    Gelu,
    /// `z / (1 + e^−z)`, real only.
    Silu,
}

/// The function itself, or its derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `f`
    Value,
    /// `f'`
    Derivative,
}

impl Activation {
    /// √(2/π), what Gelu's hyperbolic tangent takes x times.
    #[doc(hidden)]
    pub const GELU_SCALE: f64 = 0.797_884_560_802_865_4;
    /// What it takes x³ times, besides.
    #[doc(hidden)]
    pub const GELU_CUBIC: f64 = 0.044_715;

    const ALL: [Activation; 5] =
        [Activation::LnCosh, Activation::Tanh, Activation::Relu, Activation::Gelu, Activation::Silu];

    fn name(self) -> &'static str {
        match self {
            Activation::LnCosh => "lncosh",
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
        }
    }

    /// Whether it has a complex derivative. Networks with complex parameters need such an activation.
    pub fn is_holomorphic(self) -> bool {
        matches!(self, Activation::LnCosh | Activation::Tanh)
    }

    /// `f(x)` or `f'(x)`.
    pub(crate) fn real<R: Real>(self, order: Order, x: R) -> R {
        let mut value = [x];
        self.each::<false, R>(order, &mut value);
        let [value] = value;
        value
    }

    /// Replaces each number by `f(x)` or `f'(x)`, in the widest vectors that the processor has.
    #[doc(hidden)]
    pub fn apply<R: Real>(self, order: Order, values: &mut [R]) {
        Arch::new().dispatch(Apply { activation: self, order, values });
    }

    #[inline(always)]
    fn each<const FUSED: bool, R: Real>(self, order: Order, values: &mut [R]) {
        match (self, order) {
            (Activation::LnCosh, Order::Value) => each(values, ln_cosh::<FUSED, R>),
            (Activation::LnCosh, Order::Derivative) | (Activation::Tanh, Order::Value) => {
                each(values, tanh::<FUSED, R>)
            }
            (Activation::Tanh, Order::Derivative) => each(values, tanh_derivative::<FUSED, R>),
            (Activation::Relu, Order::Value) => each(values, relu),
            (Activation::Relu, Order::Derivative) => each(values, relu_derivative),
            (Activation::Gelu, Order::Value) => each(values, gelu::<FUSED, R>),
            (Activation::Gelu, Order::Derivative) => each(values, gelu_derivative::<FUSED, R>),
            (Activation::Silu, Order::Value) => each(values, silu::<FUSED, R>),
            (Activation::Silu, Order::Derivative) => each(values, silu_derivative::<FUSED, R>),
        }
    }

    /// `f(z)` or `f'(z)` of a complex number; NaN if the activation is not holomorphic.
    pub(crate) fn complex(self, order: Order, z: Complex64) -> Complex64 {
        match (self, order) {
            (Activation::LnCosh, Order::Value) => complex_ln_cosh(z),
            (Activation::LnCosh, Order::Derivative) | (Activation::Tanh, Order::Value) => complex_tanh(z),
            (Activation::Tanh, Order::Derivative) => 1.0 - complex_tanh(z).powi(2),
            _ => Complex64::new(f64::NAN, f64::NAN),
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// # Errors
/// [`Error::Parse`] for an unknown name.
impl FromStr for Activation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Activation::ALL.into_iter().find(|activation| activation.name() == name);
        known.ok_or_else(|| Error::Parse {
            text: name.into(),
            reason: format!("activations are {}", Activation::ALL.map(Activation::name).join(", ")),
        })
    }
}

struct Apply<'a, R> {
    activation: Activation,
    order: Order,
    values: &'a mut [R],
}

impl<R: Real> WithSimd for Apply<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // Processors with vectors also multiply and add in one step.
        if S::IS_SCALAR {
            self.activation.each::<false, R>(self.order, self.values);
        } else {
            self.activation.each::<true, R>(self.order, self.values);
        }
    }
}

/// A loop without branches, which the compiler vectorises.
#[inline(always)]
fn each<R: Real>(values: &mut [R], f: impl Fn(R) -> R) {
    for value in values {
        *value = f(*value);
    }
}

#[inline(always)]
fn tanh_derivative<const FUSED: bool, R: Real>(x: R) -> R {
    let tanh = tanh::<FUSED, R>(x);
    R::one() - tanh * tanh
}

/// NaN stays NaN.
#[inline(always)]
fn relu<R: Real>(x: R) -> R {
    if x < R::zero() { R::zero() } else { x }
}

#[inline(always)]
fn relu_derivative<R: Real>(x: R) -> R {
    if x > R::zero() { R::one() } else { R::zero() }
}

/// `1 / (1 + e^−x)`
#[inline(always)]
fn sigmoid<const FUSED: bool, R: Real>(x: R) -> R {
    let half = R::from_f64(0.5);
    half + half * tanh::<FUSED, R>(half * x)
}

#[inline(always)]
fn silu<const FUSED: bool, R: Real>(x: R) -> R {
    x * sigmoid::<FUSED, R>(x)
}

#[inline(always)]
fn silu_derivative<const FUSED: bool, R: Real>(x: R) -> R {
    let sigmoid = sigmoid::<FUSED, R>(x);
    sigmoid * (R::one() + x * (R::one() - sigmoid))
}

/// The hyperbolic tangent that stands for Gauss's error function.
#[inline(always)]
fn gelu_tanh<const FUSED: bool, R: Real>(x: R) -> R {
    tanh::<FUSED, R>(
        R::from_f64(Activation::GELU_SCALE) * (x + R::from_f64(Activation::GELU_CUBIC) * x * x * x),
    )
}

#[inline(always)]
fn gelu<const FUSED: bool, R: Real>(x: R) -> R {
    R::from_f64(0.5) * x * (R::one() + gelu_tanh::<FUSED, R>(x))
}

#[inline(always)]
fn gelu_derivative<const FUSED: bool, R: Real>(x: R) -> R {
    let (half, tanh) = (R::from_f64(0.5), gelu_tanh::<FUSED, R>(x));
    let inner =
        R::from_f64(Activation::GELU_SCALE) * (R::one() + R::from_f64(3.0 * Activation::GELU_CUBIC) * x * x);
    half * (R::one() + tanh) + half * x * (R::one() - tanh * tanh) * inner
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use super::*;

    const ALL: [Activation; 5] =
        [Activation::LnCosh, Activation::Tanh, Activation::Relu, Activation::Gelu, Activation::Silu];

    /// Numbers of all sizes, also some that do not fill a vector.
    fn check_vectors<R: Real>() {
        let sizes = (0..2003).map(|k| 1e-9 * 1.013f64.powi(k));
        let x: Vec<R> = sizes.flat_map(|size| [size, -size].map(R::from_f64)).collect();
        let epsilon: f64 = R::epsilon().into();
        for (activation, order) in ALL.into_iter().flat_map(|a| [(a, Order::Value), (a, Order::Derivative)]) {
            let (mut values, mut portable) = (x.clone(), x.clone());
            activation.apply(order, &mut values);
            let apply = Apply { activation, order, values: &mut portable };
            pulp::Scalar::new().vectorize(apply);
            for ((&x, &value), &portable) in x.iter().zip(&values).zip(&portable) {
                assert_eq!(portable, activation.real(order, x), "{activation:?} {x}");
                let (x, value, portable): (f64, f64, f64) = (x.into(), value.into(), portable.into());
                // One rounds where the other rounds twice.
                let rounding = 4.0 * epsilon * (1.0 + value.abs());
                assert!((value - portable).abs() <= rounding, "{activation:?} {x}: {value}, {portable}");
                let (expected, size) = match (activation, order) {
                    (Activation::Tanh, Order::Value) => (x.tanh(), x.tanh().abs()),
                    (Activation::LnCosh, Order::Value) => {
                        (x.abs() + ((-2.0 * x.abs()).exp().ln_1p() - LN_2), 1.0 + x.abs())
                    }
                    (Activation::Silu, Order::Value) => (x / (1.0 + (-x).exp()), x.abs()),
                    _ => continue,
                };
                assert!((value - expected).abs() <= 4.0 * epsilon * size, "{activation:?} {x}: {value}");
            }
        }
    }

    #[test]
    fn vectors_have_the_values_of_single_numbers() {
        check_vectors::<f64>();
        check_vectors::<f32>();
    }

    #[test]
    fn derivatives_are_finite_differences() {
        for activation in ALL {
            for x in [-4.0f64, -1.3, -0.2, 0.1, 0.9, 3.5] {
                let at = |x| activation.real(Order::Value, x);
                let difference = (at(x + 1e-5) - at(x - 1e-5)) / 2e-5;
                let derivative = activation.real(Order::Derivative, x);
                assert!((derivative - difference).abs() < 1e-9, "{activation:?} {x} {derivative}");
            }
        }
    }

    #[test]
    fn complex_values_are_those_of_exponentials_and_reduce_to_real_ones() {
        for activation in ALL.into_iter().filter(|activation| activation.is_holomorphic()) {
            for order in [Order::Value, Order::Derivative] {
                for x in [-400.0, -2.0, 0.0, 0.3, 50.0, 800.0] {
                    let difference = activation.complex(order, x.into()) - activation.real(order, x);
                    assert!(difference.norm() < 1e-15 * f64::abs(x).max(1.0), "{activation:?} {x}");
                }
            }
        }
        for z in [Complex64::new(0.3, 2.0), Complex64::new(-1.2, -0.7), Complex64::new(2.5, 1.6)] {
            let (plus, minus) = (z.exp(), (-z).exp());
            let ln_cosh = Activation::LnCosh.complex(Order::Value, z).exp();
            assert!((ln_cosh - (plus + minus) / 2.0).norm() < 1e-14, "{z}");
            let tanh = Activation::Tanh.complex(Order::Value, z);
            assert!((tanh - (plus - minus) / (plus + minus)).norm() < 1e-14, "{z}");
        }
        assert!(Activation::Relu.complex(Order::Value, 1.0.into()).is_nan());
    }
}
