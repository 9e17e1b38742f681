//! Samples are distributed as |ψ|². With other seeds, each test would fail a right program with a probability
//! of at most 10⁻⁶.
#![cfg(any(feature = "flat", feature = "padded"))]

use crate::common::chi_square::{chi_square, thinned};
use crate::common::{Complete, TestResult, Uncorrected, both_ways, operators};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Spin};
use operator_core::testing::Table;
use operator_core::{Backend, Boundary, Definition, Graph};
use sampler::testing::Enumerate;
use sampler::{
    ExchangeRule, ExchangeSampler, HamiltonianSampler, LocalRule, LocalSampler, MetropolisSampler,
    MixtureRule, Rule,
};

/// [`chi_square`] of 10 000 samples drawn in batches, and of as many drawn by walkers, where the sampler is
/// right; drawn by `sampler`, whose sweeps are as long as those of `right`.
fn of_samples<B, R, S>(
    right: MetropolisSampler<B, R>,
    sampler: MetropolisSampler<B, S>,
    seed: u64,
) -> Result<Vec<f64>, Box<dyn std::error::Error>>
where
    B: Backend,
    R: Enumerate<B>,
    S: Rule<B>,
{
    let mut psi = Table::random(sampler.hilbert().clone(), seed)?;
    // Flatter, so that even the rarest state is seen often.
    psi.log_psi.mapv_inplace(|log_psi| 0.7 * log_psi);
    let sweep_size = thinned(right, &psi)?.sweep_size();
    let sampler = sampler.with_sweep_size(sweep_size)?.with_n_chains(1000)?.with_seed(seed);
    let by_walkers = sampler.rule().proposer(sampler.hilbert()).is_some();
    let ways = if by_walkers { 2 } else { 1 };
    let values = both_ways(psi).into_iter().take(ways).map(|psi| {
        let mut chains = sampler.start(&psi)?;
        let samples = sampler.sample(&psi, &mut chains, 10, 2)?;
        assert_eq!(samples.len(), 10_000);
        Ok(chi_square(&samples, &psi)?)
    });
    values.collect()
}

fn check<B, R>(sampler: MetropolisSampler<B, R>, seed: u64) -> TestResult
where
    B: Backend,
    R: Enumerate<B> + Clone,
{
    let hilbert = sampler.hilbert().to_string();
    let values = of_samples(sampler.clone(), sampler, seed)?;
    assert!(values.iter().all(|&value| value < 1.0), "{values:?} on {hilbert}");
    Ok(())
}

/// Operators whose numbers of connected states vary, on masks and on tables, real and complex.
fn definitions() -> operator_core::Result<Vec<Definition>> {
    let of_interest = ["Heisenberg chain at Sz = 0", "Pauli strings", "hops of 4 bosons"];
    let cases = operators::all()?.into_iter().filter(|case| of_interest.contains(&case.name));
    Ok(cases.map(|case| case.definition).collect())
}

fn hamiltonian_rule_samples_psi_squared<B: Complete>() -> TestResult {
    let definitions = definitions()?;
    assert_eq!(definitions.len(), 3);
    for definition in definitions {
        check(HamiltonianSampler::new(&definition.lower_as::<B, Complex64>()?)?, 1)?;
    }
    Ok(())
}

/// The test sees a rule that forgets the numbers of connected states.
fn without_its_correction_hamiltonian_rule_samples_something_else<B: Complete>() -> TestResult {
    let right = HamiltonianSampler::new(&operators::heisenberg(6)?.lower::<B>()?)?;
    let rule = Uncorrected(right.rule().clone());
    let wrong = MetropolisSampler::<B, _>::from_rule(right.hilbert().clone(), rule)?;
    let values = of_samples(right, wrong, 1)?;
    assert!(values.iter().all(|&value| value > 3.0), "{values:?}");
    Ok(())
}

fn local_rule_samples_psi_squared<B: Complete>() -> TestResult {
    check(LocalSampler::<B>::new(Spin::half(4)?)?, 2)?;
    check(LocalSampler::<B>::new(Fock::new(2, 3)?)?, 3)
}

fn exchange_rule_samples_psi_squared<B: Complete>() -> TestResult {
    let chain = |n| Graph::chain(n, Boundary::Open);
    check(ExchangeSampler::<B>::new(Spin::half(6)?.with_total_sz(0.0)?, &chain(6)?)?, 4)?;
    check(ExchangeSampler::<B>::new(operators::fermion_space()?, &chain(4)?)?, 5)
}

fn mixtures_sample_psi_squared<B: Complete>() -> TestResult {
    let ring = Graph::chain(3, Boundary::Periodic)?;
    let spins = HilbertSpace::from(Spin::new(1.0, 3)?);
    let rule = MixtureRule::new(ExchangeRule::new(&ring), LocalRule, 0.4)?;
    check(MetropolisSampler::<B, _>::from_rule(spins, rule)?, 6)
}

on_backends!(
    hamiltonian_rule_samples_psi_squared,
    without_its_correction_hamiltonian_rule_samples_something_else,
    local_rule_samples_psi_squared,
    exchange_rule_samples_psi_squared,
    mixtures_sample_psi_squared,
);
