//! Each rule's exact transition matrix: `|ψ(x)|² P(x → x') = |ψ(x')|² P(x' → x)`, and which states it joins.
#![cfg(any(feature = "flat", feature = "padded"))]

use crate::common::drift::Drift;
use crate::common::{Complete, Complex, Real, TestResult, Uncorrected, both_ways, operators};
use ndarray::Array2;
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Qubit, Spin, SpinOrbitalFermions};
use operator_core::testing::Table;
use operator_core::{Backend, Boundary, DiscreteOperator, Element, Graph};
use sampler::testing::{Enumerate, exact_transition_matrix};
use sampler::{ExchangeRule, HamiltonianRule, HostRule, LocalRule, MixtureRule};

fn transition<B, R>(rule: &R, hilbert: &HilbertSpace, psi: &Table<B>) -> sampler::Result<Array2<f64>>
where
    B: Backend,
    R: Enumerate<B>,
{
    exact_transition_matrix::<B, R, _>(rule, hilbert, psi)
}

/// The largest `||ψ_i|² P_ij − |ψ_j|² P_ji|`, for normalised ψ.
fn asymmetry<B: Backend>(matrix: &Array2<f64>, psi: &Table<B>) -> f64 {
    let probabilities = psi.probabilities();
    let flow = |(i, j)| probabilities[i] * matrix[[i, j]];
    matrix.indexed_iter().map(|((i, j), _)| (flow((i, j)) - flow((j, i))).abs()).fold(0.0, f64::max)
}

/// The number of sets of states that no power of the matrix joins; 1 if the chain is irreducible.
fn n_classes(matrix: &Array2<f64>) -> usize {
    let n_states = matrix.nrows();
    let mut class = vec![0; n_states];
    let mut n_classes = 0;
    while let Some(first) = class.iter().position(|&class| class == 0) {
        n_classes += 1;
        class[first] = n_classes;
        let mut front = vec![first];
        while let Some(from) = front.pop() {
            for to in (0..n_states).filter(|&to| matrix[[from, to]] > 0.0) {
                if class[to] == 0 {
                    class[to] = n_classes;
                    front.push(to);
                }
            }
        }
    }
    n_classes
}

/// Rows are probabilities, detailed balance holds, and the states fall into `expected_classes` sets.
fn check<B, R>(name: &str, rule: &R, hilbert: &HilbertSpace, expected_classes: usize) -> TestResult
where
    B: Backend,
    R: Enumerate<B>,
{
    for seed in 0..3 {
        let psi = Table::random(hilbert.clone(), seed)?;
        let [in_batches, walked] = both_ways(psi.clone());
        let matrix = transition::<B, R>(rule, hilbert, &walked)?;
        let difference = &matrix - transition::<B, R>(rule, hilbert, &in_batches)?;
        assert!(difference.iter().all(|d| d.abs() < 1e-13), "{name}");
        assert!(matrix.iter().all(|&p| (-1e-12..=1.0 + 1e-12).contains(&p)), "{name}");
        assert!(matrix.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12), "{name}");
        assert!(asymmetry(&matrix, &psi) < 1e-12, "{name}");
        assert_eq!(n_classes(&matrix), expected_classes, "{name}");
    }
    Ok(())
}

/// As [`check`]; and the moves are the non-zero elements of the operator's dense matrix.
fn check_operator<B, O>(name: &str, operator: O, expected_classes: usize) -> TestResult
where
    B: sampler::HamiltonianBackend<O>,
    O: DiscreteOperator<Backend = B>,
{
    let hilbert = operator.hilbert().clone();
    let elements = operator.to_dense()?;
    let rule = HamiltonianRule::new(operator)?;
    check::<B, _>(name, &rule, &hilbert, expected_classes)?;
    let matrix = transition::<B, _>(&rule, &hilbert, &Table::random(hilbert.clone(), 3)?)?;
    for ((i, j), &p) in matrix.indexed_iter().filter(|((i, j), _)| i != j) {
        assert_eq!(p > 0.0, elements[[i, j]].to_complex() != Complex64::ZERO, "{name}: {i} {j}");
    }
    Ok(())
}

fn hamiltonian_rule_fulfils_detailed_balance<B: Complete>() -> TestResult {
    for case in operators::all()? {
        let operator = case.definition.lower_as::<B, Complex64>()?;
        let n_conn = operator.n_conn(operator.hilbert().all_states()?.view())?;
        let varies = n_conn.iter().any(|&n| n != n_conn[0]);
        assert_eq!(varies, case.varies, "{}: {n_conn}", case.name);
        check_operator::<B, Complex<B>>(case.name, operator, case.n_classes)?;
        if case.definition.is_real() {
            check_operator::<B, Real<B>>(case.name, case.definition.lower::<B>()?, case.n_classes)?;
        }
    }
    Ok(())
}

/// What the tests above would say of a rule that forgets the numbers of connected states.
fn without_its_correction_hamiltonian_rule_fails<B: Complete>() -> TestResult {
    for case in operators::all()? {
        let hilbert = case.definition.hilbert();
        let rule = Uncorrected(HamiltonianRule::new(case.definition.lower_as::<B, Complex64>()?)?);
        let psi = Table::random(hilbert.clone(), 0)?;
        let asymmetry = asymmetry(&transition::<B, _>(&rule, hilbert, &psi)?, &psi);
        if case.varies {
            assert!(asymmetry > 1e-4, "{}: {asymmetry}", case.name);
        } else {
            assert!(asymmetry < 1e-12, "{}: {asymmetry}", case.name);
        }
    }
    Ok(())
}

fn local_rule_fulfils_detailed_balance<B: Complete>() -> TestResult {
    let spaces: [HilbertSpace; 6] = [
        Spin::half(4)?.into(),
        Spin::new(1.0, 3)?.into(),
        Qubit::new(3)?.into(),
        Fock::new(3, 3)?.into(),
        SpinOrbitalFermions::with_spin(2, 0.5)?.into(),
        (HilbertSpace::from(Spin::half(2)?) * Fock::new(2, 2)?)?,
    ];
    for hilbert in spaces {
        check::<B, _>(&hilbert.to_string(), &LocalRule, &hilbert, 1)?;
    }
    Ok(())
}

fn in_factors() -> operator_core::Result<HilbertSpace> {
    HilbertSpace::from(Spin::half(3)?.with_total_sz(0.5)?) * Fock::new(2, 3)?.with_n_particles(2)?
}

#[test]
fn exchanges_between_factors_are_refused_where_they_leave_the_space() -> TestResult {
    let chain = ExchangeRule::new(&Graph::chain(6, Boundary::Open)?);
    let refused = chain.check_space(&in_factors()?);
    assert!(matches!(refused, Err(sampler::Error::Exchange { from: 2, to: 3, .. })), "{refused:?}");
    let fixed = HilbertSpace::from(Spin::half(3)?.with_total_sz(0.5)?);
    let alike = (fixed * Spin::half(3)?.with_total_sz(0.5)?)?;
    assert!(matches!(chain.check_space(&alike), Err(sampler::Error::Exchange { from: 2, to: 3, .. })));
    assert!(LocalRule.check_space(&in_factors()?).is_err());
    chain.check_space(&(HilbertSpace::from(Qubit::new(3)?) * Fock::new(1, 3)?)?)?;
    Ok(())
}

/// Spaces, the edges of whose graphs exchange sites, and the number of conserved sums.
fn exchanges() -> operator_core::Result<Vec<(HilbertSpace, Graph, usize)>> {
    let chain = |n| Graph::chain(n, Boundary::Open);
    let fermions = SpinOrbitalFermions::with_spin(4, 0.5)?;
    Ok(vec![
        (Spin::half(6)?.with_total_sz(0.0)?.into(), chain(6)?, 1),
        // A magnetisation each.
        (Spin::half(4)?.into(), chain(4)?, 5),
        // Multisets of three local states on four sites.
        (Spin::new(1.0, 4)?.into(), chain(4)?, 15),
        // Exchanges keep the number of doubly filled sites: 0, 1 or 2 of them.
        (Fock::new(2, 4)?.with_n_particles(4)?.into(), chain(4)?, 3),
        // The graph of the orbitals keeps the number of each spin state; 0 to 3 fermions down.
        (fermions.with_n_fermions(3)?.into(), chain(4)?, 4),
        (fermions.with_n_fermions_per_spin(&[2, 1])?.into(), chain(4)?, 1),
        // The graph of the modes does not.
        (fermions.with_n_fermions(3)?.into(), chain(8)?, 1),
        // Each factor keeps its sum; two bosons are on one site or on two.
        (in_factors()?, Graph::from_edges(6, [[0, 1], [1, 2], [3, 4], [4, 5]])?, 2),
    ])
}

fn exchange_rule_fulfils_detailed_balance<B: Complete>() -> TestResult {
    for (hilbert, graph, n_classes) in exchanges()? {
        for distance in 1..3 {
            let rule = ExchangeRule::with_distance(&graph, distance)?.with_space(&hilbert);
            check::<B, _>(&hilbert.to_string(), &rule, &hilbert, n_classes)?;
        }
        let rule = ExchangeRule::new(&graph).with_space(&hilbert);
        check::<B, _>(&hilbert.to_string(), &rule, &hilbert, n_classes)?;
    }
    Ok(())
}

fn a_rule_of_a_third_party_needs_its_correction<B: Complete>() -> TestResult {
    let hilbert = HilbertSpace::from(Fock::new(2, 3)?);
    check::<B, _>("drift", &Drift, &hilbert, 1)?;
    let psi = Table::random(hilbert.clone(), 0)?;
    let matrix = transition::<B, _>(&Uncorrected(Drift), &hilbert, &psi)?;
    assert!(asymmetry(&matrix, &psi) > 1e-4);
    Ok(())
}

fn mixtures_fulfil_detailed_balance<B: Complete>() -> TestResult {
    let ring = Graph::chain(4, Boundary::Periodic)?;
    let bosons = HilbertSpace::from(Fock::new(2, 4)?);
    let (near, far) = (ExchangeRule::new(&ring), ExchangeRule::with_distance(&ring, 2)?);
    for probability in [0.0, 0.3, 1.0] {
        // Exchanges alone keep how often each of three numbers comes, 15 sets of four numbers.
        let classes = if probability == 1.0 { 15 } else { 1 };
        check::<B, _>("local", &MixtureRule::new(near.clone(), LocalRule, probability)?, &bosons, classes)?;
        check::<B, _>("drift", &MixtureRule::new(near.clone(), Drift, probability)?, &bosons, classes)?;
        let spins = HilbertSpace::from(Spin::new(1.0, 4)?.with_total_sz(0.0)?);
        let inner = MixtureRule::new(far.clone(), near.clone(), 0.5)?;
        let nested = MixtureRule::new(near.clone(), inner, probability)?;
        // With a zero sum, 0, 1 or 2 of the spins are up.
        check::<B, _>("exchanges", &nested, &spins, 3)?;
    }
    Ok(())
}

/// No chain moves to a state without amplitude, and one that finds itself there accepts every move away.
fn states_without_amplitude_are_left_and_not_entered<B: Complete>() -> TestResult {
    let definition = operators::heisenberg(4)?;
    let hilbert = definition.hilbert().clone();
    let mut log_psi = vec![Complex64::ZERO; hilbert.n_states()?];
    log_psi[2] = Complex64::new(f64::NEG_INFINITY, f64::NAN);
    let psi = Table::new(hilbert.clone(), log_psi.into())?;
    let operator = definition.lower::<B>()?;
    let states = hilbert.all_states()?;
    let off_diagonal = operator.to_dense()?.row(2).iter().filter(|&&mel| mel != 0.0).count() - 1;
    let rule = HamiltonianRule::new(operator)?;
    for psi in both_ways(psi) {
        let matrix = transition::<B, _>(&rule, &hilbert, &psi)?;
        assert!(asymmetry(&matrix, &psi) < 1e-12);
        for state in (0..states.nrows()).filter(|&state| state != 2) {
            assert_eq!(matrix[[state, 2]], 0.0);
            let p = matrix[[2, state]];
            assert!(p == 0.0 || (p - 1.0 / off_diagonal as f64).abs() < 1e-15, "{p}");
        }
        assert!(matrix[[2, 2]].abs() < 1e-12);
    }
    Ok(())
}

on_backends!(
    hamiltonian_rule_fulfils_detailed_balance,
    without_its_correction_hamiltonian_rule_fails,
    local_rule_fulfils_detailed_balance,
    exchange_rule_fulfils_detailed_balance,
    a_rule_of_a_third_party_needs_its_correction,
    mixtures_fulfil_detailed_balance,
    states_without_amplitude_are_left_and_not_entered,
);
