//! Sums, products and tensor products of operators in samplers and expectation values, and published energies.

use crate::common::{TestResult, dense_mean, heisenberg, ising};
use operator_core::expression::{boson, fermion, spin};
use operator_core::hilbert::{Fock, HilbertSpace, Spin, SpinOrbitalFermions};
use operator_core::testing::Table;
use operator_core::{DiscreteOperator, Lower, Model};
use sampler::{HamiltonianBackend, HamiltonianSampler};
use sum_operator::{Combine, EmbedOperator, ProductOperator, SumOperator, TensorOperator};
use variational::{FullSumState, LocalKernel, MonteCarloState, RunsVmc, VariationalState};

type Operator<B> = <B as Lower<f64>>::Operator;

/// Full sum against the matrix, samples within five standard errors; a right program fails for fewer than one
/// seed in 10⁵.
fn measure<B, O>(operator: &O) -> TestResult
where
    B: LocalKernel<O> + HamiltonianBackend<O>,
    O: DiscreteOperator<Backend = B> + Clone,
{
    let psi = Table::<B>::random(operator.hilbert().clone(), 1)?;
    let (mean, _) = dense_mean(operator, &psi.psi())?;
    let summed = FullSumState::<B, _>::new(psi.clone())?.expect(operator)?;
    assert!((summed.mean - mean).norm() < 1e-10, "{summed} {mean}");
    let sampler = HamiltonianSampler::new(operator)?.with_seed(3);
    let sampled = MonteCarloState::new(sampler, psi, 2000)?.expect(operator)?;
    assert!((sampled.mean - mean).norm() < 5.0 * sampled.error_of_mean, "{sampled} {mean}");
    Ok(())
}

fn sums_and_products_are_sampled_and_measured<B>() -> TestResult
where
    B: RunsVmc + Combine<Operator<B>>,
    B: LocalKernel<SumOperator<Operator<B>>> + HamiltonianBackend<SumOperator<Operator<B>>>,
    B: LocalKernel<ProductOperator<Operator<B>>> + HamiltonianBackend<ProductOperator<Operator<B>>>,
{
    let flips = ising(5)?.lower::<B>()?;
    let z: operator_core::Expression = (0..5).map(|k| spin::sigmaz(k) * (k + 1) as f64).sum();
    let field = z.definition(Spin::half(5)?)?.lower::<B>()?;
    measure::<B, _>(&SumOperator::new([(1.0, flips.clone()), (-0.5, field)])?)?;
    measure::<B, _>(&ProductOperator::new(&flips, &flips)?)
}

/// A spin in a cavity, electrons on bosons: `A ⊗ B` alone, and with each part by itself.
fn tensor_products_are_sampled_and_measured<B>() -> TestResult
where
    B: RunsVmc + Combine<Operator<B>>,
    B: LocalKernel<SumOperator<Operator<B>>> + HamiltonianBackend<SumOperator<Operator<B>>>,
{
    let bosons = HilbertSpace::from(Fock::new(3, 1)?);
    let position = (boson::create(0) + boson::destroy(0)).definition(bosons.clone())?.lower::<B>()?;
    let number = boson::number(0).definition(bosons)?.lower::<B>()?;
    let flip = spin::sigmax(0).definition(Spin::half(2)?)?.lower::<B>()?;
    let electrons = SpinOrbitalFermions::new(3)?.with_n_fermions(2)?;
    let hops = (0..2).map(|k| (fermion::create(k) * fermion::destroy(k + 1)).plus_hc());
    let hops = hops.sum::<operator_core::Expression>().definition(electrons)?.lower::<B>()?;
    for first in [flip, hops] {
        let coupling = TensorOperator::new([&first, &position])?.into_operator();
        let space = coupling.hilbert().clone();
        let alone = EmbedOperator::new(&first, &space, 0)?.into_operator();
        let cavity = EmbedOperator::new(&number, &space, 1)?.into_operator();
        measure::<B, _>(&SumOperator::new([(0.3, coupling), (1.0, alone), (0.7, cavity)])?)?;
    }
    Ok(())
}

on_backends!(sums_and_products_are_sampled_and_measured, tensor_products_are_sampled_and_measured);

/// −0.7017802 a site in units of S·S (full diagonalisation; Dagotto and Moreo, PRB 38, 5087 (1988)).
#[cfg(feature = "flat")]
#[test]
fn the_heisenberg_square_of_16_sites_has_its_published_energy() -> TestResult {
    use operator_core::{Boundary, Graph, Heisenberg};
    let square = Graph::square(4, Boundary::Periodic)?;
    let space = Spin::half(16)?.with_total_sz(0.0)?;
    let operator = Heisenberg::new(space, &square, 1.0)?.lower::<variational::Flat>()?;
    let energy = variational::exact::ground_state_energy(&operator)?;
    assert!((energy / (4.0 * 16.0) + 0.7017802).abs() < 1e-7, "{energy}");
    let ring = heisenberg(10)?.lower::<variational::Flat>()?;
    let energy = variational::exact::ground_state_energy(&ring)?;
    // −0.4515446 a site (Bonner and Fisher, Phys. Rev. 135, A640 (1964)).
    assert!((energy / (4.0 * 10.0) + 0.4515446).abs() < 1e-7, "{energy}");
    Ok(())
}
