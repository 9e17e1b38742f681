//! Requests that would not fit into memory are refused before anything is allocated.

use crate::common::{TestResult, ising};
use operator_core::graph::{Lattice, PermutationGroup};
use operator_core::hilbert::{HilbertSpace, Qubit, Spin, SpinOrbitalFermions};
use operator_core::{Boundary, DiscreteOperator, Graph, Heisenberg, Model, SignRule};
use sampler::HamiltonianSampler;
use variational::wave_functions::network::{Activation, Architecture, Branch, Custom, Network};
use variational::{
    Arnn, Cnn, Error, GroupCnn, Jastrow, Mlp, MonteCarloState, Rbm, RbmModPhase, RbmSymm, RunsVmc, Slater,
    VariationalState, exact,
};

const LARGE: [usize; 3] = [1 << 32, 1 << 40, usize::MAX];

/// The request is refused with its size.
fn refused<T>(result: Result<T, impl Into<Error>>) -> TestResult {
    match result.map_err(Into::into) {
        Ok(_) => Err("it was not refused".into()),
        Err(error) if error.to_string().contains("more than the limit") => Ok(()),
        Err(error) => Err(format!("refused with {error}").into()),
    }
}

fn huge_networks<B: RunsVmc>() -> TestResult {
    let spins = || HilbertSpace::from(Spin::half(16).expect("16 spins"));
    let lattice = Lattice::square([4, 4]);
    let group: PermutationGroup = lattice.translations()?;
    let tanh = Activation::Tanh;
    for alpha in [1e9, 1e12, 1e300] {
        refused(Rbm::<B>::new(spins(), alpha))?;
        refused(RbmModPhase::<B>::new(spins(), alpha))?;
    }
    for n in LARGE {
        refused(RbmSymm::<B>::new(spins(), &group, n))?;
        refused(GroupCnn::<B>::new(spins(), &group, &[n], tanh))?;
        refused(GroupCnn::<B>::new(spins(), &group, &[2, n, 2], tanh))?;
        refused(Cnn::<B>::new(spins(), &lattice, 3, &[n], tanh))?;
        refused(Mlp::<B>::new(spins(), &[n], tanh))?;
        refused(Mlp::<B>::new(spins(), &[3, n, n], tanh))?;
        refused(Arnn::<B>::new(spins(), &[n], tanh))?;
        let dense = Branch::new(16).dense("a", n).activation(tanh).dense("b", n);
        refused(Network::<B, Custom<f64>>::from_architecture(spins(), Architecture::new([dense])))?;
    }
    let many = HilbertSpace::from(Qubit::new(200_000)?);
    refused(Jastrow::<B>::new(many.clone()))?;
    refused(Arnn::<B>::new(many, &[1], tanh))?;
    let modes = SpinOrbitalFermions::new(100_000)?.with_n_fermions(50_000)?;
    refused(Slater::<B>::new(modes))
}

fn lists_of_weights_of_another_length_are_refused<B: RunsVmc>() -> TestResult {
    let shared = |kernel| Branch::new(4).shared("w", 1, None, (kernel, vec![1]));
    for n in [3, 5] {
        let error = Network::<B, Custom<f64>>::from_architecture(
            Spin::half(4)?,
            Architecture::new([shared(vec![0; n])]),
        )
        .unwrap_err();
        let expected = format!("{n} indices of w; expected 4, one for each output and input");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    Ok(())
}

fn huge_batches_and_matrices<B: RunsVmc>() -> TestResult {
    let operator = ising(6)?.lower::<B>()?;
    let psi = || Rbm::<B>::new(operator.hilbert().clone(), 1.0);
    for n in LARGE {
        let state = MonteCarloState::new(HamiltonianSampler::new(&operator)?, psi()?, n);
        refused(state.and_then(|mut state| state.expect(&operator).map(|_| ())))?;
    }
    // 2³³ states are numbered, and Lanczos' vectors would take terabytes.
    let large = ising(33)?.lower::<B>()?;
    refused(exact::ground_state_energy(&large))?;
    refused(large.to_sparse().map(|_| ()))?;
    refused(Lattice::square([400, 400]).translations())
}

/// The uniform superposition of a sector is an eigenstate of Σ σ·σ, with one unit of energy a bond.
fn a_hundred_thousand_spins<B: RunsVmc>() -> TestResult {
    let n = 100_000;
    let (chain, space) = (Graph::chain(n, Boundary::Periodic)?, Spin::half(n)?.with_total_sz(0.0)?);
    let heisenberg = Heisenberg::new(space.clone(), &chain, 0.5)?.with_sign_rule(SignRule::Plain);
    let operator = heisenberg.lower::<B>()?;
    let uniform = Rbm::<B>::new(space, 1.0 / n as f64)?.with_sigma(0.0)?;
    let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(2)?.with_sweep_size(1000)?;
    let energy = MonteCarloState::new(sampler, uniform, 4)?.expect(&operator)?;
    assert!((energy.mean.re - 0.5 * n as f64).abs() < 1e-6, "{energy}");
    assert!(energy.variance < 1e-12, "{energy}");
    Ok(())
}

on_backends!(
    huge_networks,
    lists_of_weights_of_another_length_are_refused,
    huge_batches_and_matrices,
    a_hundred_thousand_spins,
);
