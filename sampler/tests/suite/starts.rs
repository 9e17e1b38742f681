//! Where chains start, and what they cannot leave from there.
#![cfg(any(feature = "flat", feature = "padded"))]

use crate::common::{Complete, TestResult, operators};
use operator_core::hilbert::{Fock, HilbertSpace, Spin, SpinOrbitalFermions};
use operator_core::testing::Table;
use operator_core::{Boundary, FermiHubbard, Graph, Heisenberg, Ising, Model};
use sampler::{
    ChainsSnapshot, Conserved, ExchangeRule, ExchangeSampler, HamiltonianSampler, LocalRule, LocalSampler,
    MetropolisSampler, MixtureRule, Sector,
};

/// Two of the 64 states of the ring are connected to no other; some of 16 chains draw one for about 40 % of the seeds.
fn chains_start_from_every_seed<B: Complete>() -> TestResult {
    let ring = Graph::chain(6, Boundary::Periodic)?;
    let heisenberg = Heisenberg::new(Spin::half(6)?, &ring, 1.0)?.lower::<B>()?;
    let psi = Table::<B>::random(Spin::half(6)?, 1)?;
    for seed in 0..200 {
        let sampler = HamiltonianSampler::new(&heisenberg)?.with_seed(seed);
        let chains = sampler.start(&psi)?.snapshot()?;
        assert_eq!(chains, sampler.start(&psi)?.snapshot()?, "the same sampler starts the same chains");
        let aligned = |x: ndarray::ArrayView1<'_, i8>| x.iter().all(|&q| q == x[0]);
        assert!(!chains.configurations().rows().into_iter().any(aligned), "seed {seed}");
        // A chain starts where it does without the others.
        let few = HamiltonianSampler::new(&heisenberg)?
            .with_seed(seed)
            .with_n_chains(3)?
            .start(&psi)?
            .snapshot()?;
        assert_eq!(few.configurations(), chains.configurations().slice(ndarray::s![..3, ..]));
    }
    let sampler = HamiltonianSampler::new(&heisenberg)?.with_seed(5);
    sampler.sample(&psi, &mut sampler.start(&psi)?, 20, 5)?;
    Ok(())
}

/// Numbers near the largest stay where they are; more accepted moves than proposed ones are refused.
fn counts_of_moves_do_not_overflow<B: Complete>() -> TestResult {
    let sampler = LocalSampler::<B>::new(Spin::half(6)?)?;
    for psi in crate::common::both_ways(Table::<B>::random(Spin::half(6)?, 1)?) {
        let mut chains = sampler.start(&psi)?;
        let start = chains.snapshot()?;
        let (log_weights, rngs) = (start.log_weights().to_vec(), start.rngs().to_vec());
        let counted = ChainsSnapshot::new(start.configurations().clone(), log_weights, rngs);
        let full = counted.clone().with_n_accepted(u64::MAX - 1).with_n_proposed(u64::MAX);
        chains.restore(&full)?;
        sampler.sample(&psi, &mut chains, 3, 1)?;
        assert_eq!((chains.n_accepted(), chains.n_proposed()), (u64::MAX, u64::MAX));
        let refused = chains.restore(&counted.with_n_accepted(8).with_n_proposed(7)).err();
        let said = "8 moves were accepted of 7 proposed ones; the snapshot is not of these chains";
        assert_eq!(refused.map(|error| error.to_string()).as_deref(), Some(said));
    }
    Ok(())
}

fn conserved<B: Complete>(
    definition: &operator_core::Definition,
) -> Result<Option<Conserved>, sampler::Error> {
    let sector = HamiltonianSampler::new(&definition.lower::<B>()?)?.sector()?;
    Ok(sector.map(|sector| sector.conserved))
}

/// What the operator conserves and the space does not fix, and nothing else.
fn operators_keep_what_they_conserve<B: Complete>() -> TestResult {
    let ring = Graph::chain(6, Boundary::Periodic)?;
    let heisenberg = |spins| Heisenberg::new(spins, &ring, 1.0)?.definition();
    assert_eq!(conserved::<B>(&heisenberg(Spin::half(6)?)?)?, Some(Conserved::Sum));
    assert_eq!(conserved::<B>(&operators::heisenberg(6)?)?, None);
    let ising = Ising::new(Spin::half(6)?, &ring, 1.0, 1.0)?.definition()?;
    assert_eq!(conserved::<B>(&ising)?, None);
    let pairs = operator_core::PauliStrings::new(Spin::half(3)?, ["XXI", "IXX"], [1.0, 1.0])?.definition()?;
    assert_eq!(conserved::<B>(&pairs)?, Some(Conserved::Parity));
    let orbitals = Graph::chain(3, Boundary::Open)?;
    let hubbard = |fermions| FermiHubbard::new(fermions, &orbitals, 1.0, 4.0)?.definition();
    let fermions = || SpinOrbitalFermions::with_spin(3, 0.5);
    assert_eq!(conserved::<B>(&hubbard(fermions()?)?)?, Some(Conserved::Sum));
    assert_eq!(conserved::<B>(&hubbard(fermions()?.with_n_fermions_per_spin(&[1, 2])?)?)?, None);
    let large = Graph::chain(60, Boundary::Periodic)?;
    let large = Heisenberg::new(Spin::half(60)?, &large, 1.0)?.definition()?;
    assert_eq!(conserved::<B>(&large)?, Some(Conserved::Sum), "found from random states");
    Ok(())
}

fn exchanges_keep_the_counts_of_local_states<B: Complete>() -> TestResult {
    let ring = Graph::chain(6, Boundary::Periodic)?;
    let kept = |hilbert: HilbertSpace, graph: &Graph| -> sampler::Result<Option<Sector>> {
        ExchangeSampler::<B>::new(hilbert, graph)?.sector()
    };
    let free = kept(Spin::half(6)?.into(), &ring)?.ok_or("no sector")?;
    assert_eq!((free.conserved, free.sites.clone()), (Conserved::Counts, 0..6));
    assert_eq!(free.to_string(), "the number of sites in each local state of sites 0 to 5");
    assert_eq!(kept(Spin::half(6)?.with_total_sz(0.0)?.into(), &ring)?, None);
    // Of spins 1, + and - may become 0 and 0 without a change of the sum.
    let ones = Spin::new(1.0, 6)?.with_total_sz(0.0)?;
    assert_eq!(kept(ones.into(), &ring)?.map(|sector| sector.conserved), Some(Conserved::Counts));
    let bosons = Fock::new(2, 6)?.with_n_particles(1)?;
    assert_eq!(kept(bosons.into(), &ring)?, None, "one boson has one place");
    let halves = Graph::from_edges(6, [[0, 1], [1, 2], [3, 4], [4, 5]])?;
    let parts = kept(Spin::half(6)?.with_total_sz(0.0)?.into(), &halves)?;
    assert_eq!(parts.map(|sector| sector.conserved), Some(Conserved::CountsOfParts));
    assert_eq!(LocalSampler::<B>::new(Spin::half(6)?)?.sector()?, None);
    let mixture = MixtureRule::new(ExchangeRule::new(&ring), LocalRule, 0.5)?;
    assert_eq!(MetropolisSampler::<B, _>::from_rule(Spin::half(6)?, mixture)?.sector()?, None);
    let mixture = MixtureRule::new(ExchangeRule::new(&ring), ExchangeRule::new(&halves), 0.5)?;
    let mixture = MetropolisSampler::<B, _>::from_rule(Spin::half(6)?, mixture)?.sector()?;
    assert_eq!(mixture.map(|sector| sector.conserved), Some(Conserved::Counts));
    Ok(())
}

on_backends!(
    chains_start_from_every_seed,
    counts_of_moves_do_not_overflow,
    operators_keep_what_they_conserve,
    exchanges_keep_the_counts_of_local_states,
);
