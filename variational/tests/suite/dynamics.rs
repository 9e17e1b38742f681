//! Time evolution against exponentials of full matrices, and its derivatives against differences.
#![cfg(feature = "flat")]

use crate::common::{TestResult, heisenberg, ising};
use backend_flat::FlatOperator;
use faer::{Mat, Side};
use ndarray::Array1;
use num_complex::Complex64;
use operator_core::hilbert::Qubit;
use operator_core::testing::Table;
use operator_core::{Definition, DiscreteOperator, Model, PauliStrings};
use proptest::prelude::*;
use variational::{Flat, RunsVmc, dynamics};

/// `Σ_k exp(−i E_k t) |k><k|ψ>` from all eigenvectors.
fn by_diagonalisation(
    operator: &FlatOperator<Complex64>,
    psi: &Array1<Complex64>,
    time: f64,
) -> Array1<Complex64> {
    let dense = operator.to_dense().unwrap();
    let n = dense.nrows();
    let eigen = Mat::from_fn(n, n, |r, c| dense[[r, c]]).self_adjoint_eigen(Side::Lower).unwrap();
    let mut out = Array1::zeros(n);
    for k in 0..n {
        let vector: Array1<Complex64> = eigen.U().col(k).iter().copied().collect();
        let overlap: Complex64 = vector.iter().zip(psi).map(|(a, b)| a.conj() * b).sum();
        let phase = Complex64::new(0.0, -eigen.S().column_vector()[k].re * time).exp();
        out = out + vector * (phase * overlap);
    }
    out
}

fn twisted() -> operator_core::Result<Definition> {
    PauliStrings::new(Qubit::new(4)?, ["XYII", "IXYI", "ZIIX"], [0.3, -1.2, 0.7])?.definition()
}

fn random(definition: &Definition, seed: u64) -> Array1<Complex64> {
    let psi = Table::<Flat>::random(definition.hilbert().clone(), seed).unwrap().psi();
    let norm = psi.iter().map(Complex64::norm_sqr).sum::<f64>().sqrt();
    psi / Complex64::from(norm)
}

fn distance(a: &Array1<Complex64>, b: &Array1<Complex64>) -> f64 {
    (a - b).iter().map(Complex64::norm_sqr).sum::<f64>().sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn evolution_is_the_exponential_of_the_matrix(time in -20.0..20.0f64, seed: u64) {
        for definition in [ising(5).unwrap(), heisenberg(6).unwrap(), twisted().unwrap()] {
            let psi = random(&definition, seed);
            let operator = definition.lower_as::<Flat, Complex64>().unwrap();
            let evolved = dynamics::evolve(&operator, &psi, time).unwrap();
            let expected = by_diagonalisation(&operator, &psi, time);
            prop_assert!(distance(&evolved, &expected) < 1e-11, "{}", distance(&evolved, &expected));
        }
    }

    /// Central differences with step 10⁻⁵; their error is about 10⁻¹⁰ t³ from the step and from rounding.
    #[test]
    fn derivatives_are_those_of_differences(time in -3.0..3.0f64, seed: u64) {
        let definition = ising(4).unwrap();
        let psi = random(&definition, seed);
        for (k, name) in ["h", "J"].into_iter().enumerate() {
            let at = |step: f64| {
                let mut values = definition.parameters().to_vec();
                values[k] += step;
                let moved = definition.with_parameters(definition.parameters().with_values(&values).unwrap());
                dynamics::evolve(&moved.unwrap().lower::<Flat>().unwrap(), &psi, time).unwrap()
            };
            let operator = definition.lower::<Flat>().unwrap();
            let derivative = definition.derivative(name, 0).unwrap().lower::<Flat>().unwrap();
            let (evolved, varied) =
                dynamics::evolve_with_derivative(&operator, &derivative, &psi, time).unwrap();
            prop_assert!(distance(&evolved, &at(0.0)) < 1e-13);
            let difference = (at(1e-5) - at(-1e-5)) / Complex64::from(2e-5);
            prop_assert!(distance(&varied, &difference) < 1e-7, "{}", distance(&varied, &difference));
        }
    }
}

fn both_backends_evolve_alike<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    for definition in [ising(6)?, heisenberg(8)?, twisted()?] {
        let psi = random(&definition, 3);
        let evolved = dynamics::evolve(&definition.lower_as::<B, Complex64>()?, &psi, 1.7)?;
        let expected = dynamics::evolve(&definition.lower_as::<Flat, Complex64>()?, &psi, 1.7)?;
        assert!(distance(&evolved, &expected) < 1e-13);
        let norm: f64 = evolved.iter().map(Complex64::norm_sqr).sum();
        assert!((norm - 1.0).abs() < 1e-13);
    }
    Ok(())
}

fn what_does_not_fit_is_refused<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let psi = Array1::from_elem(8, Complex64::ONE);
    let message = |result: variational::Result<Array1<Complex64>>| result.unwrap_err().to_string();
    let short = message(dynamics::evolve(&operator, &Array1::zeros(7), 1.0));
    assert_eq!(short, "vector has 7 elements; Spin(1/2, 3 sites) has 8 states");
    let endless = message(dynamics::evolve(&operator, &psi, f64::INFINITY));
    assert!(endless.starts_with("the time of an evolution is inf; it must be finite"), "{endless}");
    let other = ising(4)?.lower::<B>()?;
    let both = dynamics::evolve_with_derivative(&operator, &other, &psi, 1.0);
    assert!(both.unwrap_err().to_string().starts_with("operands live on different Hilbert spaces"));
    Ok(())
}

on_backends!(both_backends_evolve_alike, what_does_not_fit_is_refused);

#[cfg(feature = "padded")]
#[test]
fn gradients_through_tensors_are_those_of_the_derivative() -> TestResult {
    use candle_core::{Device, Var};
    use operator_core::Backend;
    use variational::Padded;

    let definition = ising(4)?;
    // A field that is 0 has its derivative too.
    let definition = definition.with_parameters(definition.parameters().with_values(&[0.0, -1.0])?)?;
    let (psi, target, time) = (random(&definition, 1), random(&definition, 2), 1.3);
    let flat = definition.lower::<Flat>()?;
    let expected = dynamics::evolve(&flat, &psi, time)?;

    let parameters = Var::from_vec(definition.parameters().to_vec(), 2, &Device::Cpu)?;
    let padded = definition.lower::<Padded>()?.with_parameter_tensor(&parameters)?;
    let start = Padded::amplitudes_from_host(psi.clone(), &Device::Cpu)?;
    let evolved = variational::padded::evolve_tensor(&padded, &start, time)?;
    assert!(distance(&Padded::amplitudes_to_host(&evolved)?, &expected) < 1e-13);

    // Re <target|ψ(t)>
    let (re, im) = Padded::amplitudes_from_host(target.clone(), &Device::Cpu)?.into_parts();
    let (evolved_re, evolved_im) = evolved.into_parts();
    let (im, evolved_im) = (im.ok_or("complex")?, evolved_im.ok_or("complex")?);
    let overlap = ((re * evolved_re)?.sum_all()? + (im * evolved_im)?.sum_all()?)?;
    let gradients = overlap.backward()?;
    let gradient = gradients.get(&parameters).ok_or("no gradient")?.to_vec1::<f64>()?;
    for (k, name) in ["h", "J"].into_iter().enumerate() {
        let derivative = definition.derivative(name, 0)?.lower::<Flat>()?;
        let (_, varied) = dynamics::evolve_with_derivative(&flat, &derivative, &psi, time)?;
        let expected: f64 = target.iter().zip(&varied).map(|(a, b)| (a.conj() * b).re).sum();
        assert!((gradient[k] - expected).abs() < 1e-12, "{name}: {} {expected}", gradient[k]);
    }
    let short = Padded::amplitudes_from_host(psi.slice(ndarray::s![..3]).to_owned(), &Device::Cpu)?;
    assert!(variational::padded::evolve_tensor(&padded, &short, 1.0).is_err());
    Ok(())
}
