//! Chains depend on the seed and their number, and on nothing else.
#![cfg(any(feature = "flat", feature = "padded"))]

use crate::common::{Complete, TestResult, both_ways, operators};
use ndarray::Array3;
use operator_core::hilbert::Spin;
use operator_core::testing::Table;
use operator_core::{Definition, Graph, Heisenberg, Model};
use sampler::{ChainsSnapshot, HamiltonianSampler, LocalSampler};

/// Samples of a Hamiltonian sampler and how many moves were accepted.
fn samples<B: Complete>(
    definition: &Definition,
    n_chains: usize,
    seed: u64,
) -> Result<(Array3<i8>, u64), Box<dyn std::error::Error + Send + Sync>> {
    let operator = definition.lower::<B>()?;
    let psi = Table::<B>::random(definition.hilbert().clone(), 1)?;
    let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(n_chains)?.with_seed(seed);
    let [in_batches, walked] = both_ways(psi).map(|psi| -> sampler::Result<_> {
        let mut chains = sampler.start(&psi)?;
        let samples = sampler.sample(&psi, &mut chains, 5, 1)?.to_host()?;
        Ok((samples, chains.n_accepted()))
    });
    let in_batches = in_batches?;
    assert_eq!(walked?, in_batches);
    Ok(in_batches)
}

/// On enough sites and with enough chains that the work is spread over threads.
fn same_seed_same_chains_for_any_number_of_threads<B: Complete>() -> TestResult {
    let lattice = Graph::square(4, operator_core::Boundary::Periodic)?;
    let heisenberg = Heisenberg::new(Spin::half(16)?.with_total_sz(0.0)?, &lattice, 1.0)?.definition()?;
    let mut runs = Vec::new();
    for n_threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build()?;
        let run = pool.install(|| samples::<B>(&heisenberg, 1024, 7)).map_err(|error| error.to_string())?;
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
    Ok(())
}

fn chains_do_not_depend_on_how_many_there_are<B: Complete>() -> TestResult {
    let definition = operators::heisenberg(6)?;
    let run = |n_chains, seed| samples::<B>(&definition, n_chains, seed).map_err(|error| error.to_string());
    let (few, many) = (run(3, 7)?.0, run(8, 7)?.0);
    assert_eq!(few, many.slice(ndarray::s![..3, .., ..]));
    assert_ne!(few, run(3, 8)?.0, "another seed, other chains");
    Ok(())
}

fn a_clone_of_the_chains_goes_the_same_way<B: Complete>() -> TestResult {
    let sampler = LocalSampler::<B>::new(Spin::half(6)?)?.with_n_chains(4)?.with_seed(3);
    let psi = Table::<B>::random(Spin::half(6)?, 2)?;
    let mut chains = sampler.start(&psi)?;
    let mut twin = chains.clone();
    let here = sampler.sample(&psi, &mut chains, 7, 2)?.to_host()?;
    assert_eq!(here, sampler.sample(&psi, &mut twin, 7, 2)?.to_host()?);
    assert_ne!(here, sampler.sample(&psi, &mut twin, 7, 2)?.to_host()?, "they go on");
    Ok(())
}

/// Put back into chains that were started from another seed.
fn a_snapshot_of_the_chains_goes_the_same_way<B: Complete>() -> TestResult {
    let sampler = |seed| -> sampler::Result<LocalSampler<B>> {
        Ok(LocalSampler::new(Spin::half(6)?)?.with_n_chains(4)?.with_seed(seed))
    };
    let psi = Table::<B>::random(Spin::half(6)?, 2)?;
    let sampler = (sampler(3)?, sampler(4)?);
    let (mut chains, mut other) = (sampler.0.start(&psi)?, sampler.1.start(&psi)?);
    sampler.0.sample(&psi, &mut chains, 5, 2)?;
    let snapshot = chains.snapshot()?;
    assert_ne!(other.snapshot()?, snapshot);
    other.restore(&snapshot)?;
    assert_eq!(other.snapshot()?, snapshot);
    let here = sampler.0.sample(&psi, &mut chains, 7, 2)?.to_host()?;
    assert_eq!(here, sampler.1.sample(&psi, &mut other, 7, 2)?.to_host()?);
    assert_eq!(other.n_accepted(), chains.n_accepted());

    let mut configurations = snapshot.configurations().clone();
    configurations[[1, 2]] = 0;
    let (log_weights, rngs) = (snapshot.log_weights().to_vec(), snapshot.rngs().to_vec());
    let foreign = ChainsSnapshot::new(configurations, log_weights.clone(), rngs.clone());
    let error = chains.restore(&foreign).err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("sample 1 has quantum number 0 at site 2")));
    let fewer = ChainsSnapshot::new(snapshot.configurations().clone(), log_weights, rngs[1..].to_vec());
    assert!(chains.restore(&fewer).is_err());
    assert_eq!(chains.snapshot()?, other.snapshot()?, "as before");
    Ok(())
}

on_backends!(
    same_seed_same_chains_for_any_number_of_threads,
    chains_do_not_depend_on_how_many_there_are,
    a_clone_of_the_chains_goes_the_same_way,
    a_snapshot_of_the_chains_goes_the_same_way,
);
