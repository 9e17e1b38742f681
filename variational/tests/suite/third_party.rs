//! Operators written outside these crates, sampled and measured: one as terms, one as each backend's kernel,
//! and one that is no operator of ours at all.

use std::num::NonZeroUsize;

use crate::common::{TestResult, dense_mean};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::terms::{Pauli, Terms};
use operator_core::testing::Table;
use operator_core::{DiscreteOperator, Model, Result, WaveFunction};
use sampler::{HamiltonianBackend, HamiltonianSampler};
use variational::{FullSumState, LocalKernel, MonteCarloState, RunsVmc, VariationalState};

const N_SITES: usize = 6;

/// The PXP ring: a spin flips where both neighbours are down, `Σ_i P_{i−1} σx_i P_{i+1}` with `P = (1 − σz)/2`
/// (Fendley, Sengupta and Sachdev, PRB 69, 075106 (2004)).
#[derive(Debug)]
struct Pxp;

fn spins() -> Result<HilbertSpace> {
    Ok(Spin::half(N_SITES)?.into())
}

fn neighbors(site: usize) -> (usize, usize) {
    ((site + N_SITES - 1) % N_SITES, (site + 1) % N_SITES)
}

impl Model for Pxp {
    fn hilbert(&self) -> Result<HilbertSpace> {
        spins()
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        for site in 0..N_SITES {
            let (left, right) = neighbors(site);
            terms.pauli(0.25, &[(site, Pauli::X)])?;
            terms.pauli(-0.25, &[(left, Pauli::Z), (site, Pauli::X)])?;
            terms.pauli(-0.25, &[(site, Pauli::X), (right, Pauli::Z)])?;
            terms.pauli(0.25, &[(left, Pauli::Z), (site, Pauli::X), (right, Pauli::Z)])?;
        }
        Ok(())
    }
}

/// Full sum and samples against the matrix. States that PXP cannot leave have no amplitude in `psi`.
fn measure<B, O>(operator: &O) -> TestResult
where
    B: RunsVmc + LocalKernel<O> + HamiltonianBackend<O>,
    O: DiscreteOperator<Backend = B> + Clone,
{
    let mut psi = Table::<B>::random(operator.hilbert().clone(), 1)?;
    for (x, log_psi) in operator.hilbert().all_states()?.rows().into_iter().zip(&mut psi.log_psi) {
        if (0..N_SITES).any(|site| x[site] > 0 && x[neighbors(site).1] > 0) {
            *log_psi = Complex64::new(f64::NEG_INFINITY, 0.0);
        }
    }
    let (mean, _) = dense_mean(operator, &psi.psi())?;
    let summed = FullSumState::<B, _>::new(psi.clone())?.expect(operator)?;
    assert!((summed.mean - mean).norm() < 1e-12, "{summed} {mean}");
    let sampler = HamiltonianSampler::new(operator)?.with_seed(1);
    let sampled = MonteCarloState::new(sampler, psi, 2000)?.expect(operator)?;
    assert!((sampled.mean - mean).norm() < 5.0 * sampled.error_of_mean, "{sampled} {mean}");
    Ok(())
}

fn terms_are_sampled_and_measured<B: RunsVmc>() -> TestResult {
    measure::<B, _>(&Pxp.lower::<B>()?)
}

on_backends!(terms_are_sampled_and_measured);

#[cfg(feature = "flat")]
mod flat {
    use backend_flat::{Emitter, Flat, FlatKernel, FlatOperator};
    use ndarray::{Array1, Array2};

    use super::*;

    #[derive(Debug)]
    struct Kernel(HilbertSpace);

    impl FlatKernel<f64> for Kernel {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }

        fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
            for site in 0..x.len() {
                let (left, right) = neighbors(site);
                if x[left] < 0 && x[right] < 0 {
                    emit.change(&[(site, -x[site])], 1.0);
                }
            }
        }
    }

    #[test]
    fn a_kernel_of_two_methods_is_sampled_and_measured() -> TestResult {
        let operator = FlatOperator::custom(Kernel(spins()?))?;
        assert_eq!(operator.to_dense()?, Pxp.lower::<Flat>()?.to_dense()?);
        measure::<Flat, _>(&operator)
    }

    /// `Π_i σx_i` turns all spins over: one element a row, and no list of terms needed.
    struct Mirror;

    impl LocalKernel<Mirror> for Flat {
        fn local_estimators<W: WaveFunction<Self>>(
            _: &Mirror,
            wave_function: &W,
            x: &Array2<i8>,
            _: Option<NonZeroUsize>,
        ) -> Result<Array1<Complex64>> {
            Ok((wave_function.log_psi(&-x)? - wave_function.log_psi(x)?).mapv(Complex64::exp))
        }
    }

    #[test]
    fn a_kernel_for_a_foreign_type_is_measured() -> TestResult {
        let psi = Table::<Flat>::random(spins()?, 1)?;
        let amplitudes = psi.psi();
        let norm: f64 = amplitudes.iter().map(Complex64::norm_sqr).sum();
        // Turning all spins over reverses the order of the states.
        let turned = amplitudes.iter().rev();
        let mean: Complex64 = amplitudes.iter().zip(turned).map(|(a, b)| a.conj() * b / norm).sum();
        let stats = FullSumState::<Flat, _>::new(psi)?.expect(&Mirror)?;
        assert!((stats.mean - mean).norm() < 1e-12, "{stats} {mean}");
        Ok(())
    }
}

#[cfg(feature = "padded")]
mod padded {
    use backend_padded::{ComplexTensor, ConnTensors, Padded, PaddedKernel, PaddedOperator};
    use candle_core::{DType, Tensor};

    use super::*;

    #[derive(Debug)]
    struct Kernel(HilbertSpace);

    impl PaddedKernel<f64> for Kernel {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }

        fn max_conn_size(&self) -> usize {
            N_SITES
        }

        fn connect(&self, x: &Tensor) -> candle_core::Result<ConnTensors> {
            let n = N_SITES;
            let one = Tensor::ones((n, n), x.dtype(), x.device())?;
            let signs = (one - (Tensor::eye(n, x.dtype(), x.device())? * 2.0)?)?;
            let flipped = x.unsqueeze(1)?.broadcast_mul(&signs.unsqueeze(0)?)?;
            let down = x.affine(-0.5, 0.5)?.to_dtype(DType::F64)?;
            let left = Tensor::cat(&[down.narrow(1, n - 1, 1)?, down.narrow(1, 0, n - 1)?], 1)?;
            let right = Tensor::cat(&[down.narrow(1, 1, n - 1)?, down.narrow(1, 0, 1)?], 1)?;
            Ok(ConnTensors::new(flipped, ComplexTensor::real((left * right)?)))
        }
    }

    #[test]
    fn a_kernel_is_sampled_and_measured() -> TestResult {
        let operator = PaddedOperator::custom(Kernel(spins()?))?;
        assert_eq!(operator.to_dense()?, Pxp.lower::<Padded>()?.to_dense()?);
        measure::<Padded, _>(&operator)
    }
}

/// The backend chosen when the program runs.
#[cfg(all(feature = "flat", feature = "padded"))]
#[test]
fn a_backend_chosen_at_run_time_gives_the_same_energy() -> TestResult {
    use sum_operator::{AnyOperator, AnyWaveFunction, BackendKind};
    use variational::Flat;

    let definition = crate::common::heisenberg(6)?;
    let psi = Table::<Flat>::random(definition.hilbert().clone(), 1)?;
    let operator = definition.lower::<Flat>()?;
    let sampler = HamiltonianSampler::new(&operator)?.with_seed(9);
    let expected = MonteCarloState::new(sampler, psi.clone(), 320)?.expect(&operator)?;
    for kind in ["flat".parse::<BackendKind>()?, "padded".parse()?] {
        let operator = AnyOperator::new(&definition, kind)?;
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(9);
        let stats =
            MonteCarloState::new(sampler, AnyWaveFunction::new(psi.clone()), 320)?.expect(&operator)?;
        assert!((stats.mean - expected.mean).norm() < 1e-12, "{kind}: {stats} {expected}");
    }
    Ok(())
}
