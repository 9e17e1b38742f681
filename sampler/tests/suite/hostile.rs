//! Every public constructor and setting with hostile input: 0, sizes beyond all memory, NaN, another space.
#![cfg(feature = "flat")]

use backend_flat::Flat;
use ndarray::Array2;
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Spin, SpinOrbitalFermions};
use operator_core::testing::{Table, TestResult};
use operator_core::{Boundary, Error as Core, Graph, Ising, Model, PauliStrings, refused};
use rand::SeedableRng;
use sampler::{
    ChainRng, ChainsSnapshot, DirectSampler, Error, ExchangeRule, ExchangeSampler, HamiltonianSampler,
    LocalRule, LocalSampler, MixtureRule, Samples,
};

const ALL: usize = usize::MAX;

fn spins(n: usize) -> operator_core::Result<HilbertSpace> {
    Ok(Spin::half(n)?.into())
}

#[test]
fn samplers_and_rules() -> TestResult {
    let ring = Graph::chain(4, Boundary::Periodic)?;
    let complex = PauliStrings::new(Spin::half(2)?, ["XI"], [Complex64::I])?.lower_as::<Flat, Complex64>()?;
    let local = || LocalSampler::<Flat>::new(spins(4)?);
    let exchange = |hilbert: HilbertSpace, graph: &Graph| ExchangeSampler::<Flat>::new(hilbert, graph);
    refused! {
        Error::Constrained { .. } =>
            LocalSampler::<Flat>::new(Spin::half(4)?.with_total_sz(0.0)?), LocalSampler::<Flat>::new(Fock::new(2, 2)?.with_n_particles(0)?);
        Error::Setting { .. } =>
            local()?.with_n_chains(0), local()?.with_sweep_size(0), DirectSampler::<Flat>::new(spins(4)?).with_n_chains(0);
        Error::GraphSize { .. } =>
            exchange(spins(5)?, &ring), exchange(SpinOrbitalFermions::with_spin(3, 0.5)?.into(), &ring);
        Error::NoMoves { .. } => exchange(spins(4)?, &Graph::from_edges(4, [])?);
        Error::Exchange { .. } =>
            exchange((Spin::half(2)? * Fock::new(2, 2)?)?, &ring),
            exchange((Spin::half(2)?.with_total_sz(0.0)? * Spin::half(2)?)?, &ring);
        Error::Core(Core::NotHermitian { .. }) => HamiltonianSampler::new(&complex);
    }
    for probability in [f64::NAN, f64::INFINITY, -0.1, 1.5] {
        refused! { Error::Probability { .. } => MixtureRule::new(LocalRule, LocalRule, probability); }
    }
    // All pairs of so many sites, and none.
    let long = Graph::chain(100_000, Boundary::Open)?;
    refused! { Error::Core(Core::TooLarge { .. }) => ExchangeRule::with_distance(&long, ALL), ExchangeRule::with_distance(&long, 1 << 40); }
    assert_eq!(ExchangeRule::with_distance(&long, 2)?.pairs().len(), 2 * 100_000 - 3);
    assert!(ExchangeRule::with_distance(&long, 0)?.pairs().is_empty());
    assert_eq!(ExchangeRule::with_distance(&ring, ALL)?.pairs().len(), 6);
    Ok(())
}

#[test]
fn chains_and_samples() -> TestResult {
    let x = Array2::<i8>::ones((6, 4));
    for (n_chains, n_per_chain) in [(0, 0), (6, 0), (4, 2), (ALL, ALL), (ALL, 2), (2, ALL)] {
        refused! { Error::Count { .. } => Samples::<Flat>::new(x.clone(), n_chains, n_per_chain); }
    }
    let ising = Ising::new(spins(4)?, &Graph::chain(4, Boundary::Open)?, 1.0, 1.0)?.lower::<Flat>()?;
    let sampler = HamiltonianSampler::new(&ising)?.with_n_chains(2)?;
    let psi = Table::<Flat>::random(spins(4)?, 1)?;
    let mut chains = sampler.start(&psi)?;
    let before = chains.snapshot()?;
    let rngs = |n| (0..n).map(ChainRng::seed_from_u64).collect::<Vec<_>>();
    let snapshot = |rows, sites, weights: &[f64], n| {
        ChainsSnapshot::new(Array2::ones((rows, sites)), weights.to_vec(), rngs(n))
    };
    refused! {
        Error::Count { .. } =>
            chains.restore(&snapshot(3, 4, &[0.0; 2], 2)), chains.restore(&snapshot(2, 4, &[], 2)),
            chains.restore(&snapshot(2, 4, &[0.0; 2], 0)), sampler.sample(&psi, &mut LocalSampler::<Flat>::new(spins(4)?)?.start(&psi)?, 1, 0);
        Error::LogPsi { .. } =>
            chains.restore(&snapshot(2, 4, &[f64::NAN, 0.0], 2)), chains.restore(&snapshot(2, 4, &[0.0, f64::INFINITY], 2));
        Error::Moves { .. } => chains.restore(&snapshot(2, 4, &[0.0; 2], 2).with_n_accepted(1));
        Error::Core(Core::SampleWidth { .. }) => chains.restore(&snapshot(2, 3, &[0.0; 2], 2));
        Error::Core(Core::NotALocalState { .. }) =>
            chains.restore(&ChainsSnapshot::new(Array2::zeros((2, 4)), vec![0.0; 2], rngs(2)));
        Error::Core(Core::TooLarge { .. }) =>
            sampler.sample(&psi, &mut chains, ALL, 0), sampler.clone().with_n_chains(ALL)?.start(&psi);
        Error::Setting { .. } => sampler.sample(&psi, &mut chains, 0, 0);
        Error::Core(Core::HilbertMismatch { .. }) =>
            sampler.start(&Table::<Flat>::random(spins(3)?, 1)?), sampler.sweep(&Table::<Flat>::random(spins(5)?, 1)?, &mut chains);
    }
    assert_eq!(chains.snapshot()?, before, "nothing was taken over");
    chains.restore(&snapshot(2, 4, &[0.0; 2], 2).with_n_accepted(u64::MAX).with_n_proposed(u64::MAX))?;
    sampler.sweep(&psi, &mut chains)?;
    assert_eq!((chains.n_accepted(), chains.acceptance()), (u64::MAX, 1.0));
    Ok(())
}
