//! The RBM against its formula and against finite differences.

mod common;

use common::{TestResult, rbm};
use ndarray::{Array1, Array2};
use operator_core::WaveFunction;
use operator_core::hilbert::{Fock, HilbertSpace, Spin};
use variational::wave_functions::rbm::RbmBackend;
use variational::{Rbm, Trainable};

/// ln ψ from the definition, in the order of the parameters; ln cosh by its two exponentials.
fn formula(parameters: &Array1<f64>, x: &[i8]) -> f64 {
    let n = x.len();
    let n_hidden = (parameters.len() - n) / (n + 1);
    let visible: f64 = (0..n).map(|i| parameters[i] * f64::from(x[i])).sum();
    let hidden = (0..n_hidden).map(|j| {
        let row = n + n_hidden + j * n;
        let theta = parameters[n + j] + (0..n).map(|i| parameters[row + i] * f64::from(x[i])).sum::<f64>();
        // ln (e^θ + e^−θ) / 2 with the larger exponential in front.
        let size = theta.abs();
        size + ((1.0 + (-2.0 * size).exp()) / 2.0).ln()
    });
    visible + hidden.sum::<f64>()
}

fn spaces() -> operator_core::Result<[HilbertSpace; 3]> {
    Ok([Spin::half(7)?.into(), Spin::half(8)?.with_total_sz(1.0)?.into(), Fock::new(3, 4)?.into()])
}

fn log_psi_is_the_formula_at_small_and_large_arguments<B: RbmBackend>() -> TestResult {
    for hilbert in spaces()? {
        for sigma in [1e-3, 0.3, 300.0] {
            let wave_function = rbm::<B>(&hilbert, sigma)?;
            let states = hilbert.all_states()?;
            let log_psi = B::amplitudes_to_host(
                &wave_function.log_psi(&B::from_host(states.view(), &B::default_device())?)?,
            )?;
            assert_eq!(log_psi.len(), states.nrows());
            for (x, value) in states.rows().into_iter().zip(log_psi) {
                let expected = formula(&wave_function.parameters(), &x.to_vec());
                assert!((value - expected).norm() < 1e-12 * expected.abs().max(1.0), "{value} {expected}");
            }
        }
    }
    Ok(())
}

/// Central differences with step 10⁻⁵: their error is about 10⁻¹⁰ from the step and 10⁻¹⁰ from rounding.
fn log_derivatives_are_finite_differences<B: RbmBackend>() -> TestResult {
    for hilbert in spaces()? {
        let mut wave_function = rbm::<B>(&hilbert, 0.4)?;
        let x = B::from_host(hilbert.states_in(0..20)?.view(), &B::default_device())?;
        let derivatives = wave_function.log_derivatives(&x)?;
        let parameters = wave_function.parameters();
        assert_eq!(derivatives.dim(), (20, wave_function.n_parameters()));
        for k in 0..parameters.len() {
            let mut at = |step: f64| {
                let mut moved = parameters.clone();
                moved[k] += step;
                wave_function.set_parameters(&moved)?;
                B::amplitudes_to_host(&wave_function.log_psi(&x)?)
            };
            let difference = (at(1e-5)? - at(-1e-5)?) / 2e-5;
            for (sample, difference) in difference.iter().enumerate() {
                let value = derivatives.get(sample, k).ok_or("no such element")?;
                assert!((value - difference).norm() < 1e-6, "{k}: {value} {difference}");
            }
        }
    }
    Ok(())
}

fn wrong_settings_are_errors<B: RbmBackend>() -> TestResult {
    use operator_core::Error;
    let spins = Spin::half(4)?;
    for alpha in [0.0, -1.0, 0.1] {
        assert!(matches!(Rbm::<B>::new(spins.clone(), alpha, 0, 0.1), Err(Error::Count { .. })));
    }
    assert!(matches!(Rbm::<B>::new(spins.clone(), f64::NAN, 0, 0.1), Err(Error::NotFinite { .. })));
    let mut wave_function = Rbm::<B>::new(spins, 1.0, 0, 0.1)?;
    assert!(matches!(wave_function.set_parameters(&Array1::zeros(3)), Err(Error::Count { .. })));
    let narrow = B::from_host(Array2::ones((2, 3)).view(), &B::default_device())?;
    assert!(wave_function.log_psi(&narrow).is_err() && wave_function.log_derivatives(&narrow).is_err());
    Ok(())
}

on_backends!(
    log_psi_is_the_formula_at_small_and_large_arguments,
    log_derivatives_are_finite_differences,
    wrong_settings_are_errors,
);

#[cfg(all(feature = "flat", feature = "padded"))]
#[test]
fn backends_agree_on_the_same_seed() -> TestResult {
    use operator_core::Backend;
    use variational::{Flat, Padded};
    let hilbert = HilbertSpace::from(Spin::half(9)?);
    let (flat, padded) = (rbm::<Flat>(&hilbert, 0.5)?, rbm::<Padded>(&hilbert, 0.5)?);
    assert_eq!(flat.parameters(), padded.parameters());
    let x = hilbert.all_states()?;
    let tensor = Padded::from_host(x.view(), &Padded::default_device())?;
    let difference = flat.log_psi(&x)? - Padded::amplitudes_to_host(&padded.log_psi(&tensor)?)?;
    assert!(difference.iter().all(|difference| difference.norm() < 1e-12));
    let (flat, padded) = (flat.log_derivatives(&x)?, padded.log_derivatives(&tensor)?);
    for (sample, k) in (0..flat.dim().0).flat_map(|sample| (0..flat.dim().1).map(move |k| (sample, k))) {
        let difference = flat.get(sample, k).zip(padded.get(sample, k)).map(|(a, b)| (a - b).norm());
        assert!(difference.is_some_and(|difference| difference < 1e-12));
    }
    Ok(())
}
