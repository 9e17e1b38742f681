use num_complex::Complex64;

/// A function of one number that a layer applies to each of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `ln cosh z`, even; holomorphic apart from its zeros' logarithms.
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
    /// Whether it has a complex derivative, so that networks with complex parameters may use it.
    pub fn is_holomorphic(self) -> bool {
        matches!(self, Activation::LnCosh | Activation::Tanh)
    }

    /// `f(x)` or `f'(x)`.
    pub fn real(self, order: Order, x: f64) -> f64 {
        match (self, order) {
            (Activation::LnCosh, Order::Value) => ln_cosh(x),
            (Activation::LnCosh, Order::Derivative) | (Activation::Tanh, Order::Value) => x.tanh(),
            (Activation::Tanh, Order::Derivative) => 1.0 - x.tanh().powi(2),
            (Activation::Relu, Order::Value) => x.max(0.0),
            (Activation::Relu, Order::Derivative) => f64::from(u8::from(x > 0.0)),
            (Activation::Gelu, order) => gelu(order, x),
            (Activation::Silu, order) => {
                let sigmoid = 0.5 + 0.5 * (0.5 * x).tanh();
                match order {
                    Order::Value => x * sigmoid,
                    Order::Derivative => sigmoid * (1.0 + x * (1.0 - sigmoid)),
                }
            }
        }
    }

    /// The same of a complex number, NaN where there is no complex derivative.
    pub fn complex(self, order: Order, z: Complex64) -> Complex64 {
        match (self, order) {
            (Activation::LnCosh, Order::Value) => complex_ln_cosh(z),
            (Activation::LnCosh, Order::Derivative) | (Activation::Tanh, Order::Value) => complex_tanh(z),
            (Activation::Tanh, Order::Derivative) => 1.0 - complex_tanh(z).powi(2),
            _ => Complex64::new(f64::NAN, f64::NAN),
        }
    }
}

/// Neither overflows nor loses digits at large |x|.
fn ln_cosh(x: f64) -> f64 {
    let magnitude = x.abs();
    magnitude + (-2.0 * magnitude).exp().ln_1p() - std::f64::consts::LN_2
}

/// `z + ln((1 + e^−2z) / 2)` on the right half plane; the function is even.
fn complex_ln_cosh(z: Complex64) -> Complex64 {
    let z = if z.re < 0.0 { -z } else { z };
    let small = (-2.0 * z).exp();
    // ln |1 + w| without loss of digits at small |w|.
    let modulus = 0.5 * (2.0 * small.re + small.norm_sqr()).ln_1p();
    let phase = small.im.atan2(1.0 + small.re);
    z + Complex64::new(modulus - std::f64::consts::LN_2, phase)
}

/// `(sinh 2a + i sin 2b) / (cosh 2a + cos 2b)`, divided by `cosh 2a` so that nothing overflows.
fn complex_tanh(z: Complex64) -> Complex64 {
    let Complex64 { re: a, im: b } = 2.0 * z;
    let sech = 1.0 / a.cosh();
    Complex64::new(a.tanh(), b.sin() * sech) / (1.0 + b.cos() * sech)
}

fn gelu(order: Order, x: f64) -> f64 {
    const SCALE: f64 = 0.797_884_560_802_865_4; // √(2/π)
    const CUBIC: f64 = 0.044_715;
    let tanh = (SCALE * (x + CUBIC * x.powi(3))).tanh();
    match order {
        Order::Value => 0.5 * x * (1.0 + tanh),
        Order::Derivative => {
            let inner = SCALE * (1.0 + 3.0 * CUBIC * x * x);
            0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 5] =
        [Activation::LnCosh, Activation::Tanh, Activation::Relu, Activation::Gelu, Activation::Silu];

    #[test]
    fn ln_cosh_is_right_from_tiny_to_huge_arguments() {
        for theta in [1e-3, 0.1, 1.0, -3.0, 20.0] {
            assert!((ln_cosh(theta) - f64::cosh(theta).ln()).abs() < 1e-15 * theta.abs().max(1.0));
        }
        assert_eq!(ln_cosh(-1e6), 1e6 - std::f64::consts::LN_2);
        assert!(ln_cosh(1e300).is_finite() && ln_cosh(f64::NAN).is_nan());
    }

    #[test]
    fn derivatives_are_finite_differences() {
        for activation in ALL {
            for x in [-4.0, -1.3, -0.2, 0.1, 0.9, 3.5] {
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
