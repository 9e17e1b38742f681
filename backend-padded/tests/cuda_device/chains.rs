//! Chains that stay on the device: steps have the bits of the host, and a call copies only its result.

use backend_padded::{Ledger, N_DRAWS, Padded, SiteMoves, TensorConn, keys, uniforms};
use candle_core::{Device, Tensor};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Spin};
use operator_core::testing::{SplitMix, Table, catalogue};
use operator_core::{Backend, Boundary, Graph, Heisenberg, Model, WaveFunction};
use sampler::{ExchangeRule, HamiltonianSampler, LocalRule, MetropolisSampler, MixtureRule, Rule};

use crate::copies::to_host;
use crate::device::{cuda, numbers, states, tensor};
use crate::elements::on_both;
use crate::estimators::{Jastrow, OnDevice};

fn draws(device: &Device, n_chains: usize, step: usize) -> Tensor {
    let mut rng = SplitMix::new(4);
    let of_chains: Vec<u64> = (0..n_chains).map(|_| rng.below(usize::MAX) as u64).collect();
    uniforms(&keys(&of_chains, device).unwrap(), step, N_DRAWS).unwrap()
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn draws_and_moves_of_sites_are_those_of_the_host() {
    let hilbert = (HilbertSpace::from(Spin::new(1.0, 3).unwrap()) * Fock::new(4, 2).unwrap()).unwrap();
    let x = hilbert.random_states(70, &mut SplitMix::new(2)).unwrap();
    let pairs = [[0, 1], [3, 4]];
    for kinds in [&[(0.4, &pairs[..]), (0.6, &[])][..], &[(1.0, &[])], &[(1.0, &pairs)]] {
        let proposed = |device: &Device| {
            let moves = SiteMoves::new(&hilbert, kinds.iter().copied(), device).unwrap();
            let draws = draws(device, 70, 3);
            assert!(draws.device().same_device(device));
            (numbers(&draws), numbers(&moves.propose(&tensor(&x, device), &draws).unwrap()))
        };
        assert_eq!(proposed(&cuda()), proposed(&Device::Cpu));
    }
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn steps_by_connected_states_are_those_of_the_host() {
    for entry in catalogue().unwrap().into_iter().filter(|entry| entry.definition.is_real()) {
        let (host, there) = on_both::<f64>(&entry.definition);
        let x = states(entry.definition.hilbert());
        let steps = |operator: &backend_padded::PaddedOperator, device: &Device| {
            let psi = Jastrow::new(entry.definition.hilbert(), device);
            let mut x = tensor(&x, device);
            let mut origins = operator.origins(&x).unwrap().expect("the operator has no custom kernel");
            let counts = origins.counts().unwrap();
            let mut ledger = Ledger::new(&psi.log_psi(&x).unwrap(), Some(&counts)).unwrap();
            for step in 1..3 {
                let draws = draws(device, x.dims()[0], step);
                let there = origins.choose(&ledger.choose(&draws).unwrap()).unwrap();
                let (rows, counts) = (there.quantum_numbers().unwrap(), there.counts().unwrap());
                let log_psi = psi.log_psi(&rows).unwrap();
                let after = ledger.accept(step, [&x, &rows], &log_psi, Some(&counts), &draws).unwrap();
                origins = origins.replaced(&there, &after.accepted).unwrap();
                (x, ledger) = (after.x, after.ledger);
                assert_eq!(numbers(&origins.quantum_numbers().unwrap()), numbers(&x), "{}", entry.name);
            }
            (numbers(&x), ledger.to_host().unwrap())
        };
        let ((x, ledger), (expected, of_host)) = (steps(&there, &cuda()), steps(&host, &Device::Cpu));
        assert_eq!(x, expected, "{}", entry.name);
        assert_eq!(ledger.counts, of_host.counts, "{}", entry.name);
        assert_eq!((ledger.n_accepted, ledger.failed_step), (of_host.n_accepted, of_host.failed_step));
    }
}

fn heisenberg(device: &Device) -> MetropolisSampler<Padded, impl Rule<Padded>> {
    let chain = Graph::chain(6, Boundary::Periodic).unwrap();
    let spins = Spin::half(6).unwrap().with_total_sz(0.0).unwrap();
    let definition = Heisenberg::new(spins, &chain, 1.0).unwrap().definition().unwrap();
    HamiltonianSampler::new(&definition.lower_on::<Padded, f64>(device).unwrap()).unwrap()
}

fn bosons() -> MetropolisSampler<Padded, impl Rule<Padded>> {
    let chain = Graph::chain(4, Boundary::Open).unwrap();
    let rule = MixtureRule::new(ExchangeRule::new(&chain), LocalRule, 0.3).unwrap();
    MetropolisSampler::from_rule(Fock::new(3, 4).unwrap(), rule).unwrap()
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn samples_are_those_of_the_host_by_the_same_way() {
    fn check<R: Rule<Padded>, S: Rule<Padded>>(
        there: MetropolisSampler<Padded, R>,
        host: MetropolisSampler<Padded, S>,
    ) {
        let (there, host) = (there.with_n_chains(9).unwrap(), host.with_n_chains(9).unwrap().like_a_device());
        // Both look up the same numbers.
        let table = Table::<Padded>::random(host.hilbert().clone(), 3).unwrap();
        let psi = OnDevice(&table);
        let samples = there.sample(&psi, &mut there.start(&psi).unwrap(), 4, 1).unwrap();
        assert!(samples.configurations().device().is_cuda());
        let expected = host.sample(&table, &mut host.start(&table).unwrap(), 4, 1).unwrap();
        assert_eq!(samples.to_host().unwrap(), expected.to_host().unwrap());
    }
    check(heisenberg(&cuda()), heisenberg(&Device::Cpu));
    check(bosons(), bosons());
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn a_call_copies_its_result_to_the_host_once() {
    fn check<R: Rule<Padded>>(sampler: MetropolisSampler<Padded, R>) {
        let psi = Jastrow::new(sampler.hilbert(), &cuda());
        let start = sampler.start(&psi).unwrap();
        for (n_per_chain, n_discard) in [(1, 0), (7, 3)] {
            let (_, n) =
                to_host(|| sampler.sample(&psi, &mut start.clone(), n_per_chain, n_discard).unwrap());
            assert!(n.is_none_or(|n| n == 1), "{n:?}");
        }
        let (_, n) = to_host(|| sampler.sweep(&psi, &mut start.clone()).unwrap());
        assert!(n.is_none_or(|n| n == 1), "{n:?}");
    }
    check(heisenberg(&cuda()));
    check(bosons());
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn amplitudes_that_are_no_numbers_are_named() {
    let mut table = Table::<Padded>::random(bosons().hilbert().clone(), 3).unwrap();
    let sampler = bosons().with_n_chains(3).unwrap();
    let start = sampler.start(&OnDevice(&table)).unwrap();
    let occupied = table.indices(start.configurations()).unwrap();
    for (index, value) in table.log_psi.iter_mut().enumerate().filter(|(index, _)| !occupied.contains(index))
    {
        if index % 5 == 0 {
            *value = Complex64::new(f64::NAN, 0.0);
        }
    }
    let mut chains = start.clone();
    let error = sampler.sample(&OnDevice(&table), &mut chains, 50, 0).unwrap_err();
    let sampler::Error::LogPsi { value, state, .. } = error else { panic!("{error}") };
    assert!(value.re.is_nan() && table.log_psi[sampler.hilbert().index_of(&state).unwrap()].re.is_nan());
    assert_eq!(
        Padded::to_host(chains.configurations()).unwrap(),
        Padded::to_host(start.configurations()).unwrap()
    );
}
