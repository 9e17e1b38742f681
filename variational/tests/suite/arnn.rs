//! Autoregressive networks are normalised, and drawn as what they are.

use crate::common::{TestResult, ising};
use ndarray::Array1;
use operator_core::WaveFunction;
use operator_core::hilbert::{Fock, HilbertSpace, Spin, SpinOrbitalFermions, TensorHilbert};
use sampler::{Autoregressive, DirectSampler};
use variational::wave_functions::network::{Activation, NetworkBackend};
use variational::{Arnn, FullSumState, MonteCarloState, RunsVmc, Trainable, VariationalState};

/// Free and constrained, of one and of several local dimensions.
fn spaces() -> operator_core::Result<Vec<HilbertSpace>> {
    Ok(vec![
        Spin::half(6)?.into(),
        Spin::half(7)?.with_total_sz(0.5)?.into(),
        Spin::new(1.0, 4)?.with_total_sz(1.0)?.into(),
        Fock::new(3, 4)?.with_n_particles(5)?.into(),
        SpinOrbitalFermions::with_spin(3, 0.5)?.with_n_fermions_per_spin(&[2, 1])?.into(),
        TensorHilbert::new([
            HilbertSpace::from(Spin::half(3)?),
            Fock::new(2, 2)?.with_n_particles(2)?.into(),
        ])?
        .into(),
    ])
}

/// Parameters that are far from uniform probabilities.
fn arnn<B: NetworkBackend>(hilbert: &HilbertSpace) -> operator_core::Result<Arnn<B>> {
    let mut arnn = Arnn::<B>::with_phase(hilbert.clone(), &[3, 2], Activation::Silu)?.with_seed(5);
    let parameters: Array1<f64> =
        arnn.parameters().iter().enumerate().map(|(k, p)| 1.5 * p + 0.4 * (k as f64).sin()).collect();
    arnn.set_parameters(&parameters)?;
    Ok(arnn)
}

fn probabilities_add_up_to_one_over_the_space<B: NetworkBackend>() -> TestResult {
    for hilbert in spaces()? {
        let arnn = arnn::<B>(&hilbert)?;
        let x = B::from_host(hilbert.all_states()?.view(), &B::default_device())?;
        let log_psi = B::amplitudes_to_host(&arnn.log_psi(&x)?)?;
        let sum: f64 = log_psi.iter().map(|z| (2.0 * z.re).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{hilbert}: {sum}");
        assert!(log_psi.iter().any(|z| z.im.abs() > 0.1), "{hilbert}");
    }
    Ok(())
}

/// The conditionals of each site are quotients of sums of |ψ|², and do not look at later sites.
fn conditionals_are_those_of_the_wave_function<B: NetworkBackend>() -> TestResult {
    for hilbert in spaces()? {
        let arnn = arnn::<B>(&hilbert)?;
        let states = hilbert.all_states()?;
        let x = B::from_host(states.view(), &B::default_device())?;
        let p: Array1<f64> = B::amplitudes_to_host(&arnn.log_psi(&x)?)?.mapv(|z| (2.0 * z.re).exp());
        for site in 0..hilbert.n_sites() {
            let conditionals = arnn.conditionals(&x, site)?;
            let local = hilbert.local_states(site)?;
            for (k, state) in states.rows().into_iter().enumerate() {
                let mut expected = Array1::<f64>::zeros(local.dim());
                for (other, p) in states.rows().into_iter().zip(&p) {
                    if (0..site).all(|i| other[i] == state[i]) {
                        expected[local.index(other[site]).ok_or("no local state")?] += p;
                    }
                }
                expected /= expected.sum();
                let difference = expected - conditionals.row(k);
                assert!(difference.iter().all(|d| d.abs() < 1e-12), "{hilbert} {site} {difference}");
            }
        }
    }
    Ok(())
}

fn sites_that_are_not_there_have_no_conditionals<B: RunsVmc>() -> TestResult {
    let arnn = arnn::<B>(&Spin::half(6)?.into())?;
    let x = B::from_host(arnn.hilbert().states_in(0..1)?.view(), &B::default_device())?;
    let refused = arnn.conditionals(&x, 6);
    assert!(matches!(refused, Err(operator_core::Error::SiteOutOfRange { site: 6, n_sites: 6, .. })));
    Ok(())
}

/// The mean of 4000 independent samples lies within five of its errors, but for one seed in 10⁶.
fn samples_have_the_means_of_the_wave_function<B: RunsVmc>() -> TestResult {
    let operator = ising(6)?.lower::<B>()?;
    let arnn = arnn::<B>(&Spin::half(6)?.into())?;
    let exact = FullSumState::<B, _>::new(arnn.clone())?.expect(&operator)?;
    let sampler = DirectSampler::<B>::new(Spin::half(6)?).with_seed(3);
    let mut state = MonteCarloState::new(sampler, arnn, 4000)?;
    let sampled = state.expect(&operator)?;
    assert!((sampled.mean - exact.mean).norm() < 5.0 * sampled.error_of_mean, "{sampled} {exact}");
    assert!((sampled.variance / exact.variance - 1.0).abs() < 0.3, "{sampled} {exact}");
    Ok(())
}

on_backends!(
    probabilities_add_up_to_one_over_the_space,
    conditionals_are_those_of_the_wave_function,
    sites_that_are_not_there_have_no_conditionals,
    samples_have_the_means_of_the_wave_function,
);
