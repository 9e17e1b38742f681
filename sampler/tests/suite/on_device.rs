//! Chains that stay on a device, here on the CPU by the way of devices.
#![cfg(feature = "padded")]

use backend_padded::{ComplexTensor, Padded, PaddedKernel, PaddedOperator, failed};
use candle_core::{DType, Device, Tensor};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Qubit, Spin};
use operator_core::testing::Table;
use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, WaveFunction};
use sampler::testing::Enumerate;
use sampler::{
    Error, ExchangeRule, ExchangeSampler, HamiltonianSampler, LocalRule, LocalSampler, MetropolisSampler,
    MixtureRule, Rule,
};

use crate::common::chi_square::{chi_square, thinned};
use crate::common::drift::Drift;
use crate::common::{TestResult, operators};

type Sampler<R> = MetropolisSampler<Padded, R>;

fn chain(n: usize, boundary: Boundary) -> operator_core::Result<Graph> {
    Graph::chain(n, boundary)
}

/// 10 000 samples are distributed as |ψ|². With another seed, a right program would fail with a probability of at most 10⁻⁶.
fn check_distribution<R>(sampler: Sampler<R>, seed: u64) -> TestResult
where
    R: Enumerate<Padded> + Clone,
{
    let mut psi = Table::random(sampler.hilbert().clone(), seed)?;
    // Flatter, so that even the rarest state is seen often.
    psi.log_psi.mapv_inplace(|log_psi| 0.7 * log_psi);
    let sweep_size = thinned(sampler.clone(), &psi)?.sweep_size();
    let sampler = sampler.with_sweep_size(sweep_size)?.with_n_chains(1000)?.with_seed(seed).like_a_device();
    let samples = sampler.sample(&psi, &mut sampler.start(&psi)?, 10, 2)?;
    let value = chi_square(&samples, &psi)?;
    assert!(value < 1.0, "{value} on {}", sampler.hilbert());
    Ok(())
}

#[test]
fn hamiltonian_rule_samples_psi_squared() -> TestResult {
    // Numbers of connected states vary, spaces are constrained, elements real and complex, on masks and on tables.
    let of_interest = ["Heisenberg chain at Sz = 0", "Pauli strings", "hops of 4 bosons"];
    let cases = operators::all()?.into_iter().filter(|case| of_interest.contains(&case.name));
    let definitions: Vec<_> = cases.map(|case| case.definition).collect();
    assert_eq!(definitions.len(), 3);
    for (definition, seed) in definitions.into_iter().zip(20..) {
        check_distribution(HamiltonianSampler::new(&definition.lower_as::<Padded, Complex64>()?)?, seed)?;
    }
    Ok(())
}

#[test]
fn local_rule_samples_psi_squared() -> TestResult {
    check_distribution(LocalSampler::new(Spin::half(4)?)?, 30)?;
    check_distribution(LocalSampler::new(Fock::new(2, 3)?)?, 31)?;
    check_distribution(LocalSampler::new((HilbertSpace::from(Qubit::new(1)?) * Spin::new(1.0, 2)?)?)?, 32)
}

#[test]
fn exchange_rule_samples_psi_squared() -> TestResult {
    let spins = Spin::half(6)?.with_total_sz(0.0)?;
    check_distribution(ExchangeSampler::new(spins, &chain(6, Boundary::Open)?)?, 40)?;
    let orbitals = chain(4, Boundary::Open)?;
    check_distribution(ExchangeSampler::new(operators::fermion_space()?, &orbitals)?, 41)
}

#[test]
fn mixtures_sample_psi_squared() -> TestResult {
    let ring = chain(3, Boundary::Periodic)?;
    let spins = HilbertSpace::from(Spin::new(1.0, 3)?);
    let exchanges = ExchangeRule::new(&ring);
    let rule = MixtureRule::new(exchanges.clone(), LocalRule, 0.4)?;
    check_distribution(Sampler::from_rule(spins.clone(), rule.clone())?, 50)?;
    let nested = MixtureRule::new(MixtureRule::new(LocalRule, exchanges, 1.0)?, rule, 0.5)?;
    check_distribution(Sampler::from_rule(spins, nested)?, 51)?;
    let bosons = HilbertSpace::from(Fock::new(2, 4)?.with_n_particles(4)?);
    let [near, far] = [1, 3].map(|distance| {
        let chain = chain(4, Boundary::Open)?;
        ExchangeRule::with_distance(&chain, distance)
    });
    let hops = HamiltonianSampler::new(&operators::all()?[7].definition.lower_as::<Padded, Complex64>()?)?;
    assert_eq!(*hops.hilbert(), bosons);
    // Exchanges alone keep how often each number comes, so this space has several classes; |ψ|² holds within each.
    let mixture = MixtureRule::new(near?, far?, 0.3)?;
    let sampler = Sampler::from_rule(bosons.clone(), mixture)?.with_n_chains(50)?.like_a_device();
    let psi = Table::random(bosons, 52)?;
    let samples = sampler.sample(&psi, &mut sampler.start(&psi)?, 20, 0)?.to_host()?;
    let sorted = |x: ndarray::ArrayView1<'_, i8>| {
        let mut x = x.to_vec();
        x.sort_unstable();
        x
    };
    for samples in samples.outer_iter() {
        assert!(samples.outer_iter().all(|x| sorted(x) == sorted(samples.row(0))));
    }
    Ok(())
}

fn heisenberg() -> Result<Sampler<impl Rule<Padded> + Clone>, Box<dyn std::error::Error>> {
    Ok(HamiltonianSampler::new(&operators::heisenberg(6)?.lower::<Padded>()?)?.with_seed(3).like_a_device())
}

fn bosons() -> Result<Sampler<impl Rule<Padded> + Clone>, Box<dyn std::error::Error>> {
    let ring = ExchangeRule::new(&chain(4, Boundary::Periodic)?);
    let rule = MixtureRule::new(ring, LocalRule, 0.4)?;
    Ok(Sampler::from_rule(Fock::new(2, 4)?, rule)?.with_seed(5).like_a_device())
}

#[test]
fn chains_do_not_depend_on_how_many_there_are() -> TestResult {
    fn check<R: Rule<Padded> + Clone>(sampler: Sampler<R>) -> TestResult {
        let psi = Table::random(sampler.hilbert().clone(), 8)?;
        let samples_of = |n_chains| {
            let sampler = sampler.clone().with_n_chains(n_chains)?;
            sampler.sample(&psi, &mut sampler.start(&psi)?, 6, 1)?.to_host()
        };
        let (few, many) = (samples_of(3)?, samples_of(200)?);
        assert_eq!(few, many.slice(ndarray::s![..3, .., ..]));
        assert_ne!(
            few.index_axis(ndarray::Axis(0), 0),
            few.index_axis(ndarray::Axis(0), 1),
            "chains have random numbers of their own"
        );
        Ok(())
    }
    check(heisenberg()?)?;
    check(bosons()?)
}

#[test]
fn samples_do_not_depend_on_calls_and_snapshots_between_them() -> TestResult {
    fn check<R: Rule<Padded> + Clone>(sampler: Sampler<R>) -> TestResult {
        let sampler = sampler.with_n_chains(5)?;
        let psi = Table::random(sampler.hilbert().clone(), 9)?;
        let start = sampler.start(&psi)?;
        let (mut at_once, mut in_parts) = (start.clone(), start.clone());
        let all = sampler.sample(&psi, &mut at_once, 7, 2)?.to_host()?;
        sampler.sweep(&psi, &mut in_parts)?;
        let first = sampler.sample(&psi, &mut in_parts, 3, 1)?.to_host()?;
        let snapshot = in_parts.snapshot()?;
        let mut resumed = start;
        resumed.restore(&snapshot)?;
        let rest = sampler.sample(&psi, &mut resumed, 4, 0)?.to_host()?;
        assert_eq!(first, all.slice(ndarray::s![.., ..3, ..]));
        assert_eq!(rest, all.slice(ndarray::s![.., 3.., ..]));
        assert_eq!(resumed.snapshot()?, at_once.snapshot()?);
        let n_proposed = 9 * 5 * sampler.sweep_size() as u64;
        assert_eq!(at_once.n_proposed(), n_proposed);
        assert!(at_once.n_accepted() > n_proposed / 10 && at_once.n_accepted() < n_proposed);
        let log_psi = psi.log_psi.select(ndarray::Axis(0), &psi.indices(at_once.configurations())?);
        assert_eq!(at_once.log_weights(), log_psi.mapv(|value| 2.0 * value.re).to_vec());
        Ok(())
    }
    check(heisenberg()?)?;
    check(bosons()?)
}

/// The acceptance that chains tell is that of their moves: all, for a uniform ψ and moves that are as many from everywhere.
#[test]
fn all_moves_of_a_uniform_wave_function_are_accepted() -> TestResult {
    let ising = operators::ising(5)?.lower::<Padded>()?;
    let psi = Table::new(ising.hilbert().clone(), vec![Complex64::ONE; 32].into())?;
    let sampler = HamiltonianSampler::new(&ising)?.like_a_device();
    let mut chains = sampler.start(&psi)?;
    sampler.sweep(&psi, &mut chains)?;
    assert_eq!((chains.n_accepted(), chains.n_proposed()), (5 * 16, 5 * 16));
    Ok(())
}

#[test]
fn zeros_are_never_entered_and_are_left() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(5)?);
    let sampler = LocalSampler::new(hilbert.clone())?.with_n_chains(40)?.like_a_device();
    let mut psi = Table::<Padded>::random(hilbert, 6)?;
    let mut chains = sampler.start(&psi)?;
    // Now some chains are at zeros.
    for (index, log_psi) in psi.log_psi.iter_mut().enumerate().filter(|(index, _)| index % 3 == 0) {
        *log_psi = Complex64::new(f64::NEG_INFINITY, if index == 3 { f64::NAN } else { 0.5 });
    }
    assert!(psi.indices(chains.configurations())?.iter().any(|index| index % 3 == 0));
    let samples = sampler.sample(&psi, &mut chains, 30, 2)?;
    assert!(psi.indices(samples.configurations())?.iter().all(|index| index % 3 != 0));
    Ok(())
}

fn error_of<T>(result: sampler::Result<T>) -> Result<Error, Box<dyn std::error::Error>> {
    result.err().ok_or_else(|| "no error".into())
}

#[test]
fn amplitudes_that_are_no_numbers_are_named_with_their_state() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(6)?);
    let sampler = LocalSampler::new(hilbert.clone())?.with_n_chains(4)?.with_seed(2).like_a_device();
    let start = sampler.start(&Table::<Padded>::random(hilbert.clone(), 4)?)?;
    let bad = [
        Complex64::new(f64::NAN, 0.0),
        Complex64::new(0.3, f64::NAN),
        Complex64::new(f64::INFINITY, 0.0),
        Complex64::new(0.1, f64::INFINITY),
    ];
    for (value, is_at_start) in bad.into_iter().flat_map(|value| [(value, false), (value, true)]) {
        let mut psi = Table::<Padded>::random(hilbert.clone(), 4)?;
        let occupied = psi.indices(start.configurations())?;
        for (index, log_psi) in psi.log_psi.iter_mut().enumerate() {
            if if is_at_start { index == occupied[2] } else { index % 7 == 0 && !occupied.contains(&index) } {
                *log_psi = value;
            }
        }
        let mut chains = start.clone();
        let error = error_of(sampler.sample(&psi, &mut chains, 100, 3))?;
        let Error::LogPsi { chain, value: named, state } = error else { return Err(error.into()) };
        assert!(
            named.re.to_bits() == value.re.to_bits() && named.im.to_bits() == value.im.to_bits(),
            "{named}"
        );
        assert_eq!(psi.log_psi[hilbert.index_of(&state)?].re.to_bits(), value.re.to_bits());
        assert!(if is_at_start { chain == 2 } else { chain < 4 });
        assert_eq!(chains.snapshot()?, start.snapshot()?, "the chains are where they were");
    }
    Ok(())
}

#[test]
fn states_without_moves_are_named() -> TestResult {
    let spins = Spin::half(3)?;
    let diagonal = Ising::new(spins.clone(), &chain(3, Boundary::Periodic)?, 0.0, 1.0)?.lower::<Padded>()?;
    let sampler = HamiltonianSampler::new(&diagonal)?.with_n_chains(2)?;
    let psi = Table::<Padded>::random(HilbertSpace::from(spins.clone()), 1)?;
    let moving = LocalSampler::new(spins)?.with_n_chains(2)?;
    let mut chains = moving.start(&psi)?;
    let expected = error_of(sampler.sweep(&psi, &mut chains))?;
    let error = error_of(sampler.like_a_device().sweep(&psi, &mut chains))?;
    assert!(matches!(error, Error::Isolated { chain: 0, .. }), "{error}");
    assert_eq!(error.to_string(), expected.to_string());
    Ok(())
}

/// ln ψ of any shape, from the quantum numbers.
struct Psi<F>(HilbertSpace, F);

impl<F> WaveFunction<Padded> for Psi<F>
where
    F: Fn(&Tensor) -> candle_core::Result<ComplexTensor> + Send + Sync,
{
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn log_psi(&self, x: &Tensor) -> operator_core::Result<ComplexTensor> {
        self.1(x).map_err(failed)
    }
}

#[test]
fn wave_functions_of_any_precision_are_sampled_and_wrong_shapes_refused() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(5)?);
    let sampler = LocalSampler::new(hilbert.clone())?.with_n_chains(6)?.like_a_device();
    let field = |dtype, is_complex: bool| {
        Psi(hilbert.clone(), move |x: &Tensor| {
            let re = x.sum(1)?.to_dtype(dtype)?.affine(0.25, 0.0)?;
            let im = if is_complex { Some(x.narrow(1, 0, 1)?.squeeze(1)?.to_dtype(dtype)?) } else { None };
            ComplexTensor::new(re, im)
        })
    };
    let expected = {
        let psi = field(DType::F64, false);
        sampler.sample(&psi, &mut sampler.start(&psi)?, 5, 1)?.to_host()?
    };
    for (dtype, is_complex) in
        [(DType::F32, false), (DType::F64, true), (DType::F32, true), (DType::F16, false)]
    {
        // These values are the same numbers in each.
        let psi = field(dtype, is_complex);
        assert_eq!(sampler.sample(&psi, &mut sampler.start(&psi)?, 5, 1)?.to_host()?, expected);
    }
    let mut chains = sampler.start(&field(DType::F64, false))?;
    let short = Psi(hilbert.clone(), |x: &Tensor| Ok(ComplexTensor::real(x.sum(1)?.narrow(0, 0, 5)?)));
    let error = error_of(sampler.sweep(&short, &mut chains))?;
    assert_eq!(error.to_string(), "5 values of log psi; expected 6, one a chain");
    Ok(())
}

/// Rules and operators of third parties go the way that they went before.
#[test]
fn what_has_no_kernels_takes_each_step_on_the_host() -> TestResult {
    /// Turns one spin after another around.
    #[derive(Debug)]
    struct Flips(HilbertSpace);

    impl PaddedKernel<f64> for Flips {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }
        fn max_conn_size(&self) -> usize {
            2
        }
        fn connect(&self, x: &Tensor) -> candle_core::Result<backend_padded::ConnTensors> {
            let signs = Tensor::new(&[[[-1f32, 1.0], [1.0, -1.0]]], &Device::Cpu)?.to_dtype(x.dtype())?;
            let mels = Tensor::ones((x.dim(0)?, 2), DType::F64, x.device())?;
            Ok(backend_padded::ConnTensors::new(
                x.unsqueeze(1)?.broadcast_mul(&signs)?,
                ComplexTensor::real(mels),
            ))
        }
    }

    fn check<R: Rule<Padded> + Clone>(sampler: Sampler<R>, is_same: bool) -> TestResult {
        let psi = Table::random(sampler.hilbert().clone(), 1)?;
        let [one, other] = [sampler.clone(), sampler.like_a_device()].map(|sampler| {
            let mut chains = sampler.start(&psi)?;
            sampler.sample(&psi, &mut chains, 20, 0)?.to_host()
        });
        assert_eq!(one? == other?, is_same);
        Ok(())
    }

    let bosons = HilbertSpace::from(Fock::new(3, 3)?);
    check(Sampler::from_rule(bosons.clone(), Drift)?, true)?;
    check(Sampler::from_rule(bosons.clone(), MixtureRule::new(LocalRule, Drift, 0.5)?)?, true)?;
    let flips = PaddedOperator::custom(Flips(Spin::half(2)?.into()))?;
    check(HamiltonianSampler::new(&flips)?, true)?;
    // That the others have a way of their own.
    check(LocalSampler::new(Qubit::new(6)?)?, false)?;
    check(HamiltonianSampler::new(&operators::heisenberg(6)?.lower::<Padded>()?)?, false)
}

#[test]
fn composites_stay_on_the_device() -> TestResult {
    let ising = operators::ising(5)?.lower::<Padded>()?;
    let sum = sum_operator::SumOperator::new([(1.0, ising.clone()), (1.0, ising)])?;
    let sampler = HamiltonianSampler::new(&sum)?.with_n_chains(3)?;
    let psi = Table::<Padded>::random(sampler.hilbert().clone(), 1)?;
    let samples = |sampler: &MetropolisSampler<Padded, _>| {
        sampler.sample(&psi, &mut sampler.start(&psi)?, 20, 0)?.to_host()
    };
    assert_ne!(samples(&sampler)?, samples(&sampler.like_a_device())?);
    Ok(())
}
