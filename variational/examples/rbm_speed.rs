//! Times local energies, sampling and whole steps of an RBM with 100 sites and 100 hidden units.
//!
//! `cargo run --release --example rbm_speed`; the best of several runs, on all threads unless
//! `RAYON_NUM_THREADS` says otherwise.

use std::time::Instant;

use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{Boundary, Graph, Heisenberg, Ising, Model};
use rand::SeedableRng;
use sampler::{
    ExchangeSampler, HamiltonianSampler, LocalSampler, MetropolisSampler, Result as SamplerResult, Rule,
};
use variational::{Flat, LocalKernel, MonteCarloState, Rbm, Sr, Vmc};

/// Few enough for one run to end before another program gets its turn.
const N_SAMPLES: usize = 128;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let chain = Graph::chain(100, Boundary::Periodic)?;
    let free = Spin::half(100)?;
    let ising = Ising::new(free.clone(), &chain, 1.0, 1.0)?.lower::<Flat>()?;
    let square = Graph::square(10, Boundary::Periodic)?;
    let fixed = Spin::half(100)?.with_total_sz(0.0)?;
    let heisenberg = Heisenberg::new(fixed.clone(), &square, 1.0)?.lower::<Flat>()?;

    local_energies("Ising chain 100", &free.clone().into(), &ising)?;
    local_energies("Heisenberg 10x10", &fixed.clone().into(), &heisenberg)?;
    sampling("local rule", LocalSampler::<Flat>::new(free.clone())?)?;
    sampling("Hamiltonian rule, Ising chain 100", HamiltonianSampler::new(&ising)?)?;
    sampling("exchange rule", ExchangeSampler::<Flat>::new(fixed.clone(), &square)?)?;
    sampling("Hamiltonian rule, Heisenberg 10x10", HamiltonianSampler::new(&heisenberg)?)?;

    let sampler = ExchangeSampler::<Flat>::new(fixed.clone(), &square)?;
    let state = MonteCarloState::new(sampler, Rbm::<Flat>::new(fixed, 1.0, 1, 0.05)?, 1008)?;
    let mut vmc = Vmc::new(state, &heisenberg, Sr::new(0.01, 0.01)?);
    let seconds = best_of(10, || vmc.step().map(|_| ()))?;
    println!("VMC + SR step, Heisenberg 10x10: {:.1} ms", 1e3 * seconds);
    Ok(())
}

fn local_energies<O>(
    what: &str,
    hilbert: &HilbertSpace,
    operator: &O,
) -> Result<(), Box<dyn std::error::Error>>
where
    Flat: LocalKernel<O>,
{
    let psi = Rbm::<Flat>::new(hilbert.clone(), 1.0, 1, 0.05)?;
    let x = hilbert.random_states(N_SAMPLES, &mut rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(3));
    let seconds =
        best_of(300, || <Flat as LocalKernel<O>>::local_estimators(operator, &psi, &x, None).map(|_| ()))?;
    println!("local energy, {what}: {:.2} µs a sample", 1e6 * seconds / N_SAMPLES as f64);
    Ok(())
}

fn sampling<R: Rule<Flat>>(what: &str, sampler: MetropolisSampler<Flat, R>) -> SamplerResult<()> {
    let psi = Rbm::<Flat>::new(sampler.hilbert().clone(), 1.0, 1, 0.05)?;
    let mut chains = sampler.start(&psi)?;
    let seconds = best_of(100, || sampler.sample(&psi, &mut chains, 2, 0).map(|_| ()))?;
    let n_proposals = (2 * sampler.n_chains() * sampler.sweep_size()) as f64;
    println!(
        "sampling, {what}: {:.0} ns a proposal, {:.0} % accepted",
        1e9 * seconds / n_proposals,
        100.0 * chains.acceptance()
    );
    Ok(())
}

/// The shortest time of some runs, in seconds.
fn best_of<E>(n_runs: usize, mut run: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut best = f64::INFINITY;
    for _ in 0..n_runs {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}
