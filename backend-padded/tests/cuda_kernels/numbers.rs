//! Kernels that work on numbers alone: ln cosh and local estimators, against their formulas in double precision.

use num_complex::Complex64;
use operator_core::testing::SplitMix;

use super::buffers::Real;
use super::compiler::{Kernels, launch};
use super::kernels::{Kind, Program};

/// Numbers in two parts; the second is empty if they are real.
pub(crate) struct Parts<R>(Vec<R>, Vec<R>);

impl<R: Real> Parts<R> {
    pub(crate) fn of(values: &[Complex64], is_complex: bool) -> Self {
        let im = values.iter().filter(|_| is_complex).map(|value| R::of(value.im));
        Parts(values.iter().map(|value| R::of(value.re)).collect(), im.collect())
    }

    pub(crate) fn unwritten(n: usize, is_complex: bool) -> Self {
        Parts::of(&vec![Complex64::new(f64::NAN, f64::NAN); n], is_complex)
    }

    pub(crate) fn addresses(&self) -> [u64; 2] {
        [&self.0, &self.1].map(|part| if part.is_empty() { 0 } else { part.as_ptr() as u64 })
    }

    /// The numbers as they were rounded.
    pub(crate) fn values(&self) -> Vec<Complex64> {
        let im = self.1.iter().map(|&im| im.into()).chain(std::iter::repeat(0.0));
        self.0.iter().zip(im).map(|(&re, im)| Complex64::new(re.into(), im)).collect()
    }
}

/// What a type of numbers rounds off, and something for functions of the compiler's library.
pub(crate) fn rounding<R: Real>() -> f64 {
    if size_of::<R>() == 4 { 1e-6 } else { 2e-15 }
}

fn kernels<R: Real>(program: Program) -> Kernels {
    Kernels::of(Kind::of_numbers(program))
}

fn check_ln_cosh<R: Real>(is_complex: bool) {
    let kernels = kernels::<R>(Program::LnCosh { real: R::NUMBER, is_complex });
    let mut rng = SplitMix::new(3);
    let mut z: Vec<Complex64> = (0..300)
        .map(|k| {
            Complex64::new(
                rng.number() * 1.04f64.powi(k - 150),
                if is_complex { 4.0 * rng.number() } else { 0.0 },
            )
        })
        .collect();
    z[0] = Complex64::ZERO;
    let z = Parts::<R>::of(&z, is_complex);
    let (value, derivative) =
        (Parts::<R>::unwritten(300, is_complex), Parts::<R>::unwritten(300, is_complex));
    let ([re, im], [value_re, value_im]) = (z.addresses(), value.addresses());
    launch!(kernels, "ln_cosh", 300, re, im, value_re, value_im, 300u64);
    let [value_re, value_im] = derivative.addresses();
    launch!(kernels, "ln_cosh_derivative", 300, re, im, value_re, value_im, 300u64);
    for ((z, value), derivative) in z.values().into_iter().zip(value.values()).zip(derivative.values()) {
        // Where cosh would overflow, ln cosh is linear.
        let sign = if z.re < 0.0 { -1.0 } else { 1.0 };
        let expected = if z.re.abs() > 20.0 { sign * z - 2f64.ln() } else { z.cosh().ln() };
        // The imaginary part is a phase.
        let ratio = (value - expected).exp() - 1.0;
        assert!(ratio.norm() < rounding::<R>() * (1.0 + z.norm()), "{z}: {value} {expected}");
        let expected = if z.re.abs() > 20.0 { sign.into() } else { z.tanh() };
        let size = 1.0 + expected.norm_sqr() * (1.0 + z.norm());
        assert!((derivative - expected).norm() < rounding::<R>() * size, "{z}: {derivative} {expected}");
    }
}

fn check_local<R: Real>(is_complex: bool) {
    let kernels = kernels::<R>(Program::Local { real: R::NUMBER, is_complex });
    let (b, width) = (9, 45);
    let mut rng = SplitMix::new(8);
    let mut random = |scale: f64, shift: f64| -> Vec<Complex64> {
        let mut number =
            || Complex64::new(scale * rng.number(), if is_complex { scale * rng.number() } else { 0.0 });
        (0..b * width).map(|_| number() + shift).collect()
    };
    let (mut mels, mut deltas) = (random(1.0, 0.0), random(3.0, 0.0));
    for k in 0..b * width {
        // Slots that are not used hold anything, and a sample may have none.
        if k % width >= 40 || k / width == 4 {
            (mels[k], deltas[k]) = (Complex64::ZERO, Complex64::from(f64::INFINITY));
        }
        // The ratio alone overflows in single precision.
        if k / width == 5 {
            (mels[k], deltas[k]) = (mels[k] * 1e-30, deltas[k] + 95.0);
        }
    }
    let gradient = Parts::<R>::of(&random(1.0, 0.0)[..b], is_complex);
    let (mels, deltas) = (Parts::<R>::of(&mels, is_complex), Parts::<R>::of(&deltas, is_complex));
    let local = Parts::<R>::unwritten(b, is_complex);
    let (of_mels, of_deltas) =
        (Parts::<R>::unwritten(b * width, is_complex), Parts::<R>::unwritten(b * width, is_complex));
    let ([m_re, m_im], [d_re, d_im], [re, im]) = (mels.addresses(), deltas.addresses(), local.addresses());
    launch!(kernels, "local", b * 32, m_re, m_im, d_re, d_im, re, im, width as u32, b as u32);
    let ([g_re, g_im], [gm_re, gm_im]) = (gradient.addresses(), of_mels.addresses());
    let [gd_re, gd_im] = of_deltas.addresses();
    launch!(
        kernels,
        "local_backward",
        b * width,
        m_re,
        m_im,
        d_re,
        d_im,
        g_re,
        g_im,
        gm_re,
        gm_im,
        gd_re,
        gd_im,
        width as u32,
        b as u32
    );
    let (mels, deltas, gradient) = (mels.values(), deltas.values(), gradient.values());
    let (of_mels, of_deltas) = (of_mels.values(), of_deltas.values());
    for (sample, local) in local.values().into_iter().enumerate() {
        let (mut expected, mut size) = (Complex64::ZERO, 0.0);
        for k in (sample * width..(sample + 1) * width).filter(|&k| mels[k] != Complex64::ZERO) {
            let term = mels[k] * deltas[k].exp();
            (expected, size) = (expected + term, size + term.norm());
            let within = |got: Complex64, expected: Complex64| {
                (got - expected).norm() <= 60.0 * rounding::<R>() * expected.norm()
            };
            let g = gradient[sample];
            // In single precision this is too large for the sample above.
            let of_mel = g * deltas[k].exp().conj();
            assert!(sample == 5 || within(of_mels[k], of_mel), "{k}: {} {of_mel}", of_mels[k]);
            assert!(within(of_deltas[k], g * term.conj()), "{k}");
        }
        assert!((local - expected).norm() <= 60.0 * rounding::<R>() * size, "{sample}: {local} {expected}");
    }
}

#[test]
#[ignore = "needs g++"]
fn ln_cosh_and_its_derivative_are_right_from_tiny_to_huge_numbers() {
    for is_complex in [false, true] {
        check_ln_cosh::<f64>(is_complex);
        check_ln_cosh::<f32>(is_complex);
    }
}

#[test]
#[ignore = "needs g++"]
fn local_estimators_and_their_gradients_are_those_of_the_formula() {
    for is_complex in [false, true] {
        check_local::<f64>(is_complex);
        check_local::<f32>(is_complex);
    }
}
