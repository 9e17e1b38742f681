//! Chains that follow walkers go the same way as chains that take each step as a batch.
#![cfg(any(feature = "flat", feature = "padded"))]

use crate::common::drift::Drift;
use crate::common::{Complete, TestResult, both_ways, operators};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Qubit, Spin};
use operator_core::testing::Table;
use operator_core::{Backend, Boundary, Graph};
use sampler::{
    Error, ExchangeRule, HamiltonianRule, HamiltonianSampler, LocalRule, LocalSampler, MetropolisSampler,
    MixtureRule, Rule,
};

/// Long enough that walkers start anew on the way, and in two parts, between which ψ changes.
fn check<B: Backend, R: Rule<B>>(hilbert: &HilbertSpace, rule: R, mut psi: Table<B>) -> TestResult {
    let sampler = MetropolisSampler::<B, R>::from_rule(hilbert.clone(), rule)?.with_n_chains(5)?;
    let sampler = sampler.with_seed(11).with_sweep_size(7)?;
    let [mut in_batches, mut walked] = [sampler.start(&psi)?, sampler.start(&psi)?];
    for part in 0..2 {
        psi.log_psi.mapv_inplace(|value| value * 0.8);
        let [one, other] = both_ways(psi.clone());
        let samples = sampler.sample(&one, &mut in_batches, 30, 3)?.to_host()?;
        assert_eq!(samples, sampler.sample(&other, &mut walked, 30, 3)?.to_host()?, "{hilbert}, {part}");
        in_batches.refresh(&one)?;
        sampler.sweep(&one, &mut in_batches)?;
        sampler.sweep(&other, &mut walked)?;
        assert_eq!(in_batches.n_accepted(), walked.n_accepted(), "{hilbert}");
        assert_eq!(in_batches.n_proposed(), walked.n_proposed());
        assert!(walked.n_accepted() > 20, "{hilbert}: {}", walked.acceptance());
        let positions = [&in_batches, &walked].map(|chains| B::to_host(chains.configurations()));
        let [here, there] = positions;
        assert_eq!(here?, there?);
        let weights = in_batches.log_weights().iter().zip(walked.log_weights());
        assert!(weights.into_iter().all(|(a, b)| (a - b).abs() < 1e-12), "{hilbert}");
    }
    Ok(())
}

fn random<B: Backend>(hilbert: &HilbertSpace) -> operator_core::Result<Table<B>> {
    Table::random(hilbert.clone(), 4)
}

fn hamiltonian_rule_goes_the_same_way<B: Complete>() -> TestResult {
    for case in operators::all()? {
        let operator = case.definition.lower_as::<B, Complex64>()?;
        let hilbert = case.definition.hilbert().clone();
        check::<B, _>(&hilbert, HamiltonianRule::new(operator)?, random(&hilbert)?)?;
    }
    Ok(())
}

fn host_rules_go_the_same_way<B: Complete>() -> TestResult {
    let ring = Graph::chain(4, Boundary::Periodic)?;
    let exchange = ExchangeRule::new(&ring);
    for hilbert in [HilbertSpace::from(Spin::new(1.0, 4)?), Qubit::new(4)?.into(), Fock::new(3, 4)?.into()] {
        check::<B, _>(&hilbert, LocalRule, random(&hilbert)?)?;
        check::<B, _>(&hilbert, exchange.clone(), random(&hilbert)?)?;
        check::<B, _>(&hilbert, MixtureRule::new(exchange.clone(), LocalRule, 0.4)?, random(&hilbert)?)?;
    }
    let bosons = HilbertSpace::from(Fock::new(3, 4)?);
    check::<B, _>(&bosons, Drift, random(&bosons)?)?;
    check::<B, _>(&bosons, MixtureRule::new(Drift, exchange.clone(), 0.5)?, random(&bosons)?)?;
    let fixed = HilbertSpace::from(Spin::half(4)?.with_total_sz(0.0)?);
    check::<B, _>(&fixed, exchange, random(&fixed)?)
}

/// Some amplitudes are zero, and one chain's own becomes zero under it.
fn zeros_are_left_the_same_way<B: Complete>() -> TestResult {
    let definition = operators::heisenberg(6)?;
    let hilbert = definition.hilbert().clone();
    let zero = Complex64::from(f64::NEG_INFINITY);
    let mut psi = random::<B>(&hilbert)?;
    for state in [2, 5, 11] {
        psi.log_psi[state] = zero;
    }
    let rule = HamiltonianRule::new(definition.lower::<B>()?)?;
    check::<B, _>(&hilbert, rule.clone(), psi.clone())?;

    let sampler = HamiltonianSampler::new(&definition.lower::<B>()?)?.with_n_chains(3)?;
    let start = sampler.start(&psi)?;
    for &state in &psi.indices(start.configurations())? {
        psi.log_psi[state] = zero;
    }
    let [in_batches, walked] = both_ways(psi).map(|psi| {
        let mut chains = start.clone();
        sampler.sample(&psi, &mut chains, 4, 0).and_then(|samples| samples.to_host())
    });
    assert_eq!(in_batches?, walked?);
    Ok(())
}

/// Amplitudes so far apart that their ratios overflow or underflow.
fn ratios_beyond_all_numbers_are_taken_as_they_are<B: Complete>() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    let mut psi = random::<B>(&hilbert)?;
    for (state, value) in psi.log_psi.iter_mut().enumerate() {
        value.re += 1000.0 * (state % 3) as f64;
    }
    let sampler = LocalSampler::<B>::new(hilbert)?.with_n_chains(8)?;
    let [in_batches, walked] = both_ways(psi).map(|psi| -> sampler::Result<_> {
        let mut chains = sampler.start(&psi)?;
        let samples = sampler.sample(&psi, &mut chains, 10, 0)?.to_host()?;
        Ok((samples, chains.log_weights().to_vec()))
    });
    let (in_batches, walked) = (in_batches?, walked?);
    assert_eq!(in_batches.0, walked.0);
    assert!(in_batches.1.iter().zip(&walked.1).all(|(a, b)| (a - b).abs() < 1e-9));
    Ok(())
}

/// The error is the one of batches, and the chains are where they were.
fn failures_leave_the_chains_where_they_were<B: Complete>() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(6)?);
    let mut psi = random::<B>(&hilbert)?;
    let sampler = LocalSampler::<B>::new(hilbert.clone())?.with_n_chains(4)?.with_seed(2);
    let start = sampler.start(&psi)?;
    let occupied = psi.indices(start.configurations())?;
    for state in (0..hilbert.n_states()?).filter(|state| state % 7 == 0 && !occupied.contains(state)) {
        psi.log_psi[state] = Complex64::new(f64::NAN, 0.0);
    }
    let [in_batches, walked] = both_ways(psi).map(|psi| {
        let mut chains = start.clone();
        (sampler.sample(&psi, &mut chains, 100, 0).err(), chains)
    });
    let (Some(expected), Some(error)) = (in_batches.0, walked.0) else { return Err("no failure".into()) };
    assert!(matches!(error, Error::LogPsi { .. }), "{error}");
    assert_eq!(error.to_string(), expected.to_string());
    assert_eq!(B::to_host(walked.1.configurations())?, B::to_host(start.configurations())?);
    assert_eq!(walked.1.n_proposed(), 0);
    Ok(())
}

on_backends!(
    hamiltonian_rule_goes_the_same_way,
    host_rules_go_the_same_way,
    zeros_are_left_the_same_way,
    ratios_beyond_all_numbers_are_taken_as_they_are,
    failures_leave_the_chains_where_they_were,
);
