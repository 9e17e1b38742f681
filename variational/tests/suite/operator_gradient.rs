//! Gradients of expectation values by the operator's own parameters.

use crate::common::{TestResult, heisenberg, ising};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::testing::Table;
use operator_core::{
    BoseHubbard, Boundary, Definition, FermiHubbard, Graph, Ising, Lower, Model, PauliStrings,
};
use sampler::HamiltonianSampler;
use sum_operator::SumOperator;
use variational::{FullSumState, MonteCarloState, OperatorGradKernel, RunsVmc, VariationalState, exact};

type Real<B> = <B as Lower<f64>>::Operator;

/// Masks and tables, one parameter and many, real and complex, Hermitian and not, and parameters that are 0.
fn definitions() -> operator_core::Result<Vec<Definition>> {
    let chain = Graph::chain(4, Boundary::Periodic)?;
    let fields = [0.3, 0.0, -0.7, 0.9];
    let weights = [Complex64::new(0.3, 0.2), Complex64::new(-0.5, 1.0), Complex64::new(0.0, 0.7)];
    Ok(vec![
        ising(6)?,
        heisenberg(6)?,
        Ising::new(Spin::half(4)?, &chain, fields, 1.2)?.definition()?,
        Ising::new(Spin::half(4)?, &chain, 0.0, 1.0)?.definition()?,
        Ising::new(Spin::half(4)?, &chain, 1.0, 0.0)?.definition()?,
        PauliStrings::new(Qubit::new(4)?, ["XYII", "IXYI", "ZIIZ"], [0.3, -1.2, 0.7])?.definition()?,
        PauliStrings::new(Qubit::new(4)?, ["XYII", "IZXI", "ZIIZ"], weights)?.definition()?,
        BoseHubbard::new(Fock::new(2, 4)?.with_n_particles(3)?, &chain, 0.0)?.definition()?,
        FermiHubbard::new(
            SpinOrbitalFermions::with_spin(4, 0.5)?.with_n_fermions_per_spin(&[2, 1])?,
            &chain,
            1.0,
            4.0,
        )?
        .definition()?,
    ])
}

/// A mean is linear in the parameters, so that its difference over a step of 1 is the derivative.
fn gradients_are_differences<B>() -> TestResult
where
    B: RunsVmc + RunsVmc<Complex64>,
{
    for definition in definitions()? {
        let psi = Table::<B>::random(definition.hilbert().clone(), 1)?;
        let values = definition.parameters().to_vec();
        let mean = |values: &[f64]| -> Result<Complex64, Box<dyn std::error::Error>> {
            let moved = definition.with_parameters(definition.parameters().with_values(values)?)?;
            let operator = moved.lower_as::<B, Complex64>()?;
            Ok(FullSumState::<B, _>::new(psi.clone())?.expect(&operator)?.mean)
        };
        let operator = definition.lower_as::<B, Complex64>()?;
        for chunk_size in [None, Some(1), Some(17)] {
            let mut state = FullSumState::<B, _>::new(psi.clone())?;
            if let Some(chunk_size) = chunk_size {
                state = state.with_chunk_size(chunk_size)?;
            }
            let (stats, gradient) = state.expect_and_operator_grad(&operator)?;
            assert!((stats.mean - mean(&values)?).norm() < 1e-11, "{definition}: {stats}");
            assert_eq!(gradient.stats().len(), values.len());
            for (k, stats) in gradient.stats().iter().enumerate() {
                let at = |step: f64| {
                    let mut moved = values.clone();
                    moved[k] += step;
                    mean(&moved)
                };
                let difference = at(0.5)? - at(-0.5)?;
                assert!((stats.mean - difference).norm() < 1e-11, "{definition}, {k}: {stats} {difference}");
            }
        }
    }
    Ok(())
}

/// On equal samples the derivatives, their errors included, are those of the derivative as an operator.
fn sampled_gradients_are_means_of_the_derivative_operators<B>() -> TestResult
where
    B: RunsVmc + RunsVmc<Complex64>,
{
    for definition in definitions()?.into_iter().filter(Definition::is_hermitian) {
        // Whether the sampler reaches all states does not matter here, but it needs moves.
        let sampled = definition.with_parameters(
            definition
                .parameters()
                .with_values(&definition.parameters().to_vec().iter().map(|_| 1.0).collect::<Vec<_>>())?,
        )?;
        let sampler = HamiltonianSampler::new(&sampled.lower_as::<B, Complex64>()?)?.with_seed(3);
        let psi = Table::<B>::random(definition.hilbert().clone(), 2)?;
        let mut state = MonteCarloState::new(sampler, psi, 400)?;
        let operator = definition.lower_as::<B, Complex64>()?;
        let (stats, gradient) = state.expect_and_operator_grad(&operator)?;
        assert!((stats.mean - state.expect(&operator)?.mean).norm() < 1e-12);
        for (name, value) in definition.parameters().iter() {
            for k in 0..value.as_slice().len() {
                let derivative = definition.derivative(name, k)?.lower_as::<B, Complex64>()?;
                let (expected, got) = (state.expect(&derivative)?, gradient.get(name)?[k]);
                assert!((got.mean - expected.mean).norm() < 1e-12, "{definition}: {got} {expected}");
                assert!((got.error_of_mean - expected.error_of_mean).abs() < 1e-9, "{got} {expected}");
            }
        }
    }
    Ok(())
}

/// `dE₀/dλ = <ψ₀|∂H/∂λ|ψ₀>` (Hellmann and Feynman), against energies of the full matrix.
fn ground_states_obey_hellmann_and_feynman<B>() -> TestResult
where
    B: RunsVmc,
{
    let definition = ising(6)?;
    let operator = definition.lower::<B>()?;
    let (_, psi) = exact::ground_state(&operator)?;
    let table = Table::<B>::new(definition.hilbert().clone(), psi.mapv(Complex64::ln))?;
    let (_, gradient) = FullSumState::<B, _>::new(table)?.expect_and_operator_grad(&operator)?;
    let energy = |name: &str, step: f64| -> variational::Result<f64> {
        let mut parameters = definition.parameters().clone();
        let value = parameters.get(name)?[0];
        parameters.set(name, value + step)?;
        exact::ground_state_energy(&definition.with_parameters(parameters)?.lower::<B>()?)
    };
    for name in ["h", "J"] {
        let difference = (energy(name, 1e-4)? - energy(name, -1e-4)?) / 2e-4;
        let derivative = gradient.get(name)?[0].mean.re;
        assert!((derivative - difference).abs() < 1e-6, "{name}: {derivative} {difference}");
    }
    assert!(gradient.get("U").is_err());
    assert_eq!(gradient.means().to_vec(), [gradient.get("h")?[0].mean.re, gradient.get("J")?[0].mean.re]);
    assert!(gradient.to_string().starts_with("dE/dh = -"), "{gradient}");
    Ok(())
}

fn sums_of_terms_have_the_gradients_of_their_parts<B>() -> TestResult
where
    B: RunsVmc,
    B: OperatorGradKernel<SumOperator<Real<B>>>,
{
    let chain = Graph::chain(6, Boundary::Periodic)?;
    let field = Ising::new(Spin::half(6)?, &chain, 0.5, 0.2)?.lower::<B>()?;
    let parts = [(1.0, ising(6)?.lower::<B>()?), (-2.0, field)];
    let mut state = FullSumState::<B, _>::new(Table::<B>::random(Spin::half(6)?, 5)?)?;
    let sum = SumOperator::new(parts.clone())?;
    let (_, gradient) = state.expect_and_operator_grad(&sum)?;
    let mut expected = Vec::new();
    for (factor, operator) in &parts {
        expected.extend(state.expect_and_operator_grad(operator)?.1.means() * *factor);
    }
    assert_eq!(gradient.parameters().names().collect::<Vec<_>>(), ["h", "J", "h_2", "J_2"]);
    for (got, expected) in gradient.means().iter().zip(expected) {
        assert!((got - expected).abs() < 1e-11, "{got} {expected}");
    }
    Ok(())
}

on_backends!(
    gradients_are_differences,
    sampled_gradients_are_means_of_the_derivative_operators,
    ground_states_obey_hellmann_and_feynman,
    sums_of_terms_have_the_gradients_of_their_parts,
);

#[cfg(feature = "flat")]
#[test]
fn kernels_without_terms_are_refused_on_flat() -> TestResult {
    use backend_flat::{Emitter, FlatKernel, FlatOperator};
    use operator_core::HilbertSpace;
    use variational::Flat;

    #[derive(Debug)]
    struct Flip(HilbertSpace);
    impl FlatKernel<f64> for Flip {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }
        fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
            emit.change(&[(0, -x[0])], 1.0);
        }
    }
    let operator = FlatOperator::custom(Flip(Spin::half(2)?.into()))?;
    let mut state = FullSumState::<Flat, _>::new(Table::<Flat>::random(Spin::half(2)?, 1)?)?;
    let error = state.expect_and_operator_grad(&operator).unwrap_err().to_string();
    assert!(error.contains("cannot be differentiated in its parameters; write it as a `Model`"), "{error}");
    Ok(())
}

#[cfg(feature = "padded")]
#[test]
fn kernels_without_terms_are_refused_on_padded() -> TestResult {
    use backend_padded::{ComplexTensor, ConnTensors, PaddedKernel, PaddedOperator};
    use candle_core::{DType, Tensor};
    use operator_core::HilbertSpace;
    use variational::Padded;

    #[derive(Debug)]
    struct Flip(HilbertSpace);
    impl PaddedKernel<f64> for Flip {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }
        fn max_conn_size(&self) -> usize {
            1
        }
        fn connect(&self, x: &Tensor) -> candle_core::Result<ConnTensors> {
            let mels = Tensor::ones((x.dim(0)?, 1), DType::F64, x.device())?;
            Ok(ConnTensors::new(x.neg()?.unsqueeze(1)?, ComplexTensor::real(mels)))
        }
    }
    let operator = PaddedOperator::custom(Flip(Spin::half(2)?.into()))?;
    let mut state = FullSumState::<Padded, _>::new(Table::<Padded>::random(Spin::half(2)?, 1)?)?;
    let error = state.expect_and_operator_grad(&operator).unwrap_err().to_string();
    assert!(error.contains("cannot be differentiated in its parameters; write it as a `Model`"), "{error}");
    Ok(())
}

#[cfg(all(feature = "flat", feature = "padded"))]
#[test]
fn backends_agree_also_where_they_are_chosen_at_run_time() -> TestResult {
    use sum_operator::{AnyOperator, AnyWaveFunction, BackendKind};
    use variational::{Flat, Padded};

    for definition in definitions()? {
        let hilbert = definition.hilbert();
        let (flat, padded) =
            (definition.lower_as::<Flat, Complex64>()?, definition.lower_as::<Padded, Complex64>()?);
        let psi = Table::<Flat>::random(hilbert.clone(), 7)?;
        let (_, expected) = FullSumState::<Flat, _>::new(psi.clone())?.expect_and_operator_grad(&flat)?;
        let check = |gradient: variational::OperatorGradient| {
            for (a, b) in gradient.stats().iter().zip(expected.stats()) {
                assert!((a.mean - b.mean).norm() < 1e-12, "{definition}: {a} {b}");
                assert!(
                    (a.variance - b.variance).abs() < 1e-10 * b.variance.max(1.0),
                    "{definition}: {a} {b}"
                );
            }
        };
        let padded_psi = Table::<Padded>::random(hilbert.clone(), 7)?;
        check(FullSumState::<Padded, _>::new(padded_psi)?.expect_and_operator_grad(&padded)?.1);
        for kind in [BackendKind::Flat, BackendKind::Padded] {
            let operator = AnyOperator::new(&definition, kind)?;
            let psi = AnyWaveFunction::<Flat, _>::new(psi.clone());
            check(FullSumState::new(psi)?.expect_and_operator_grad(&operator)?.1);
        }
    }
    Ok(())
}
