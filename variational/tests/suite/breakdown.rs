//! Energies that are none: a run says so, stops or steps back, as it was told.

use crate::common::{Table, TestResult, ising, rbm};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Spin, SpinOrbitalFermions};
use operator_core::{
    BoseHubbard, Boundary, Definition, DiscreteOperator, FermiHubbard, Graph, Heisenberg, Model,
};
use operator_core::{Ising, PauliStrings};
use sampler::{ExchangeSampler, HamiltonianSampler, LocalSampler};
use variational::{
    Error, FullSumState, MonteCarloState, OnBreakdown, Problem, RbmSymm, RunsVmc, Sgd, Sr, Trainable,
    VariationalState, Vmc, exact,
};

/// No eigenvalue is larger than the bound, and for classical spins one is equal to it.
fn the_bound_holds_every_eigenvalue<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    let (ring, orbitals) = (Graph::chain(6, Boundary::Periodic)?, Graph::chain(3, Boundary::Open)?);
    let fermions = SpinOrbitalFermions::with_spin(3, 0.5)?;
    let complex = PauliStrings::new(Spin::half(3)?, ["XYI", "IZX", "YYY"], [0.3, -0.7, 1.1])?;
    let all: Vec<Definition> = vec![
        Ising::new(Spin::half(6)?, &ring, 0.7, -1.3)?.definition()?,
        Heisenberg::new(Spin::half(6)?, &ring, 1.0)?.definition()?,
        BoseHubbard::new(Fock::new(2, 3)?, &orbitals, 4.0)?.definition()?,
        FermiHubbard::new(fermions, &orbitals, 1.0, 4.0)?.definition()?,
        complex.definition()?,
    ];
    for definition in all {
        let operator = definition.lower_as::<B, Complex64>()?;
        let n_states = operator.hilbert().n_states()?;
        let (energies, _) = exact::lowest(&operator, n_states)?;
        let largest = energies.iter().fold(0.0f64, |largest, energy| largest.max(energy.abs()));
        let bound = definition.norm_bound();
        assert!(largest <= bound * (1.0 + 1e-12) && bound < 6.0 * largest, "{definition}: {largest} {bound}");
    }
    let classical = Ising::new(Spin::half(6)?, &ring, 0.0, 1.5)?.definition()?;
    assert_eq!(classical.norm_bound(), 9.0);
    assert!((exact::ground_state_energy(&classical.lower::<B>()?)? + 9.0).abs() < 1e-12);
    Ok(())
}

/// A symmetric RBM on a 4 x 4 Heisenberg lattice, few samples, and steps that are far too large: what ends at one state
/// with an infinite R̂ says so, whatever the run was told to do then.
fn a_run_whose_energy_is_none_speaks_up<B: RunsVmc>() -> TestResult {
    let square = Graph::square(4, Boundary::Periodic)?;
    let spins = Spin::half(16)?.with_total_sz(0.0)?;
    let heisenberg = Heisenberg::new(spins.clone(), &square, 1.0)?.definition()?;
    let (bound, operator) = (heisenberg.norm_bound(), heisenberg.lower::<B>()?);
    let translations = operator_core::graph::Lattice::square([4, 4]).translations()?;
    let new = |on_breakdown| -> variational::Result<_> {
        let rbm = RbmSymm::<B>::new(spins.clone(), &translations, 4)?.with_seed(1);
        let sampler = ExchangeSampler::<B>::new(spins.clone(), &square)?.with_seed(2);
        let state = MonteCarloState::new(sampler, rbm, 128)?;
        Ok(Vmc::new(state, &operator, Sr::new(0.5, 0.001)?).with_on_breakdown(on_breakdown))
    };
    let mut warned = new(OnBreakdown::Warn)?;
    let steps = (0..12).map_while(|_| warned.step().ok()).collect::<Vec<_>>();
    let first = steps.iter().position(|step| !step.problems.is_empty());
    let said = first.map(|first| &steps[first].problems);
    assert!(steps[0].problems.is_empty(), "{:?}", steps[0]);
    for step in &steps {
        let broken = step.energy.mean.norm() > 1.05 * bound
            || step.energy.variance > bound * bound
            || step.energy.r_hat > 1.6;
        assert!(!broken || !step.problems.is_empty(), "{step:?}");
    }
    // Either numbers end the run, or it goes on and says that they are none.
    assert!(said.is_some() || steps.len() < 12, "{steps:?}");
    assert_eq!(warned.log().problems().count(), steps.iter().map(|step| step.problems.len()).sum::<usize>());

    let mut stopped = new(OnBreakdown::Stop)?;
    let error = stopped.run(12).expect_err("the run was to stop");
    if let Some(first) = first {
        assert!(matches!(&error, Error::NoEnergy { step, .. } if *step == first), "{error}");
        assert_eq!(stopped.n_steps(), first);
        for (here, there) in stopped.log().series("Energy").zip(warned.log().series("Energy")) {
            assert_eq!(format!("{here:?}"), format!("{there:?}"), "warnings change no number");
        }
    }

    let mut back = new(OnBreakdown::StepBack)?;
    let history = back.run(12)?;
    assert!(history.steps.iter().any(|step| step.n_steps_back > 0));
    assert!(
        history.steps.iter().all(|step| step.energy.mean.norm() <= 1.05 * bound && step.energy.r_hat < 1.6)
    );
    assert!(back.log().problems().any(|(_, text)| text.starts_with("stepped back: ")));
    Ok(())
}

/// A run that steps back goes on from its checkpoint to the bit.
fn a_run_that_steps_back_resumes_to_the_bit<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    let new = |seed| -> variational::Result<_> {
        let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(8)?.with_seed(seed);
        let state = MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.1)?, 64)?;
        Ok(Vmc::new(state, &operator, Sr::new(0.1, 0.01)?).with_on_breakdown(OnBreakdown::StepBack))
    };
    let (mut whole, mut second) = (new(1)?, new(2)?);
    whole.run(3)?;
    second.restore(&whole.snapshot()?)?;
    assert_eq!(second.snapshot()?, whole.snapshot()?);
    whole.run(3)?;
    second.run(3)?;
    assert_eq!(second.snapshot()?, whole.snapshot()?);
    Ok(())
}

/// Without an earlier change there is nothing to step back to.
fn a_first_step_without_an_energy_is_an_error<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    let mut table = Table::<B>::random(operator.hilbert())?;
    // All chains at one of 16 states that the exchange rule keeps apart.
    table.set_parameters(&table.parameters().mapv(|p| 1e-9 * p))?;
    let sampler = ExchangeSampler::<B>::new(Spin::half(4)?, &Graph::from_edges(4, [[0, 1]])?)?.with_seed(3);
    let state = MonteCarloState::new(sampler, table, 512)?;
    for on_breakdown in [OnBreakdown::Stop, OnBreakdown::StepBack] {
        let mut vmc = Vmc::new(state.clone(), &operator, Sgd::new(0.1)?).with_on_breakdown(on_breakdown);
        let before = vmc.state().wave_function().parameters();
        let said = vmc.step().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.starts_with("the energy of step 0 is none: R̂ is "), "{on_breakdown:?}: {said}");
        assert_eq!(vmc.state().wave_function().parameters(), before);
        assert_eq!(vmc.n_steps(), 0);
    }
    Ok(())
}

/// A sector is named in the first step and in a check, not in every step.
fn a_sector_is_named_once<B: RunsVmc>() -> TestResult {
    let ring = Graph::chain(4, Boundary::Periodic)?;
    let operator = Heisenberg::new(Spin::half(4)?, &ring, 1.0)?.lower::<B>()?;
    let psi = rbm::<B>(operator.hilbert(), 0.01)?;
    let mut state = MonteCarloState::new(HamiltonianSampler::new(&operator)?, psi.clone(), 3200)?;
    let is_sector = |problem: &Problem| matches!(problem, Problem::Sector(_));
    let check = state.check(&operator)?;
    assert_eq!(check.problems().iter().filter(|problem| is_sector(problem)).count(), 1);
    let said = "the moves keep the sum of quantum numbers of sites 0 to 3, which the space does not fix";
    assert!(check.to_string().contains(said), "{check}");
    let mut vmc = Vmc::new(state, &operator, Sr::new(0.01, 0.01)?).with_on_breakdown(OnBreakdown::Stop);
    let steps = vmc.run(3)?.steps;
    assert_eq!(
        steps.iter().map(|step| step.problems.iter().any(is_sector)).collect::<Vec<_>>(),
        [true, false, false]
    );
    let mut free = MonteCarloState::new(LocalSampler::<B>::new(Spin::half(4)?)?, psi, 3200)?;
    assert!(!free.check(&operator)?.problems().iter().any(is_sector));
    Ok(())
}

/// An exact average never leaves the range.
fn exact_energies_have_no_problems<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    let state = FullSumState::<B, _>::new(Table::random(operator.hilbert())?)?;
    let mut vmc = Vmc::new(state, &operator, Sgd::new(0.05)?).with_on_breakdown(OnBreakdown::Stop);
    assert!(vmc.run(50)?.steps.iter().all(|step| step.problems.is_empty()));
    Ok(())
}

on_backends!(
    the_bound_holds_every_eigenvalue,
    a_run_whose_energy_is_none_speaks_up,
    a_run_that_steps_back_resumes_to_the_bit,
    a_first_step_without_an_energy_is_an_error,
    a_sector_is_named_once,
    exact_energies_have_no_problems,
);
