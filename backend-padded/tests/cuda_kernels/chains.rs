//! Steps of chains, bit for bit those of the CPU.

use backend_padded::{ComplexTensor, Ledger, N_DRAWS, SiteMoves, keys, uniforms};
use candle_core::{DType, Device, Tensor};
use num_complex::Complex64;
use operator_core::HilbertSpace;
use operator_core::hilbert::{Fock, Spin};
use operator_core::testing::SplitMix;

use super::buffers::Real;
use super::compiler::{Kernels, launch};
use super::kernels::{Kind, Program};
use super::numbers::Parts;

/// More than a block of threads has warps, and no multiple of that.
const CHAINS: usize = 75;

fn kernels<R: Real>(is_complex: bool) -> Kernels {
    Kernels::of(Kind::of_numbers(Program::Chains { real: R::NUMBER, is_complex }))
}

fn address<V>(values: &[V]) -> u64 {
    if values.is_empty() { 0 } else { values.as_ptr() as u64 }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn keys_of(seed: u64) -> Vec<u64> {
    let mut rng = SplitMix::new(seed);
    (0..CHAINS).map(|_| rng.below(usize::MAX) as u64).collect()
}

/// What chains draw in a step, by the CPU.
fn draws_of(seed: u64, step: usize) -> Tensor {
    uniforms(&keys(&keys_of(seed), &Device::Cpu).unwrap(), step, N_DRAWS).unwrap()
}

fn values<V: candle_core::WithDType>(tensor: &Tensor) -> Vec<V> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
#[ignore = "needs g++"]
fn f64_random_numbers_are_those_of_the_cpu() {
    let keys_of = keys_of(1);
    for (step, n_draws) in [(0u32, 1), (1, 4), (u32::MAX, 7)] {
        let expected = uniforms(&keys(&keys_of, &Device::Cpu).unwrap(), step as usize, n_draws).unwrap();
        let numbers = vec![f64::NAN; CHAINS * n_draws];
        let (from, to) = (address(&keys_of), address(&numbers));
        let (n_draws, n_threads) = (n_draws as u32, CHAINS * n_draws.div_ceil(2));
        launch!(kernels::<f64>(false), "uniforms", n_threads, from, to, step, n_draws, CHAINS as u32);
        assert_eq!(bits(&numbers), bits(&values(&expected)));
    }
}

#[test]
#[ignore = "needs g++"]
fn f64_moves_of_sites_are_those_of_the_cpu() {
    let hilbert = (HilbertSpace::from(Spin::new(1.5, 3).unwrap()) * Fock::new(4, 3).unwrap()).unwrap();
    // What the host hands to the kernel for these kinds.
    let pairs = [[0usize, 1], [4, 5], [3, 5]];
    let all: &[(f64, &[[usize; 2]])] = &[(0.3, &pairs[..2]), (0.4, &[]), (0.3, &pairs[2..])];
    let locals = [[3, -2, 4i32], [3, -2, 4], [3, -2, 4], [0, 1, 5], [0, 1, 5], [0, 1, 5]];
    let flat_pairs = pairs.map(|pair| pair.map(|site| site as u32));
    let states = hilbert.random_states(CHAINS, &mut SplitMix::new(3)).unwrap();
    let x: Vec<f32> = states.iter().map(|&q| q.into()).collect();
    let at = Tensor::from_slice(&x, (CHAINS, 6), &Device::Cpu).unwrap();
    let mut n_changed = 0;
    for kinds in [all, &all[..1], &all[1..2]] {
        let probability: f64 = kinds.iter().map(|(p, _)| p).sum();
        let kinds: Vec<_> = kinds.iter().map(|&(p, pairs)| (p / probability, pairs)).collect();
        let moves = SiteMoves::new(&hilbert, kinds.iter().copied(), &Device::Cpu).unwrap();
        let sums = |f: &dyn Fn(usize) -> f64| (0..kinds.len()).map(f).collect::<Vec<f64>>();
        let limits = sums(&|k| kinds[..=k].iter().map(|(p, _)| p).fold(0.0, |sum, p| sum + p));
        let ends = sums(&|k| kinds[..=k].iter().map(|(_, pairs)| pairs.len() as f64).sum());
        let ends: Vec<u32> = ends.into_iter().map(|end| end as u32).collect();
        for step in 0..5 {
            let draws = draws_of(7, step);
            let expected = values::<f32>(&moves.propose(&at, &draws).unwrap());
            let (draws, proposed) = (values::<f64>(&draws), vec![f32::NAN; x.len()]);
            launch!(
                kernels::<f64>(false),
                "propose",
                x.len(),
                address(&x),
                address(&draws),
                address(&limits),
                address(&ends),
                address(&flat_pairs),
                address(&locals),
                address(&proposed),
                kinds.len() as u32,
                6u32,
                CHAINS as u32
            );
            assert_eq!(proposed, expected);
            n_changed += proposed.iter().zip(&x).filter(|(new, old)| new != old).count();
        }
    }
    assert!(n_changed > 10 * CHAINS, "{n_changed}");
}

/// ln ψ as wave functions and their mistakes give it.
fn amplitudes(rng: &mut SplitMix, step: usize) -> Vec<Complex64> {
    let special = [
        Complex64::new(f64::NEG_INFINITY, f64::NAN),
        Complex64::new(f64::NAN, 0.0),
        Complex64::new(f64::INFINITY, 0.0),
        Complex64::new(0.2, f64::NAN),
        Complex64::new(0.2, f64::NEG_INFINITY),
        Complex64::new(1e300, 0.0),
    ];
    let regular = |rng: &mut SplitMix| Complex64::new(rng.number(), 3.0 * rng.number());
    (0..CHAINS)
        .map(|chain| match (chain + 5 * step) % 17 {
            k if k < special.len() => special[k],
            _ => regular(rng),
        })
        .collect()
}

fn check_steps<R: Real>(is_complex: bool, has_counts: bool) {
    let (kernels, mut rng) = (kernels::<R>(is_complex), SplitMix::new(11));
    let n_sites = 37;
    let dtype = if size_of::<R>() == 4 { DType::F32 } else { DType::F64 };
    let counts_of = |step: usize| -> Vec<u32> {
        (0..CHAINS).filter(|_| has_counts).map(|chain| ((chain * 7 + step) % 5) as u32).collect()
    };
    let counts_tensor =
        |counts: &[u32]| has_counts.then(|| Tensor::from_slice(counts, CHAINS, &Device::Cpu).unwrap());
    let psi_tensor = |psi: &[Complex64]| {
        let part = |part: fn(&Complex64) -> f64| {
            let part: Vec<f64> = psi.iter().map(part).collect();
            Tensor::from_vec(part, CHAINS, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
        };
        ComplexTensor::new(part(|psi| psi.re), is_complex.then(|| part(|psi| psi.im))).unwrap()
    };
    let (psi, counts) = (amplitudes(&mut rng, 0), counts_of(0));
    let mut expected = Ledger::new(&psi_tensor(&psi), counts_tensor(&counts).as_ref()).unwrap();
    let mut rows = vec![f64::NAN; 4 * CHAINS];
    let psi = Parts::<R>::of(&psi, is_complex);
    let [re, im] = psi.addresses();
    launch!(kernels, "ledger", CHAINS, re, im, address(&counts), address(&rows), CHAINS as u32);
    assert_eq!(bits(&rows), bits(&values(expected.as_tensor())));

    let row = |start: usize| -> Vec<f32> { (0..CHAINS * n_sites).map(|k| (k + start) as f32).collect() };
    let mut x = row(0);
    let mut at = Tensor::from_slice(&x, (CHAINS, n_sites), &Device::Cpu).unwrap();
    let mut n_accepted = 0;
    for step in 1..6u32 {
        let draws = draws_of(5, step as usize);
        let drawn = values::<f64>(&draws);
        let numbers = vec![u32::MAX; CHAINS];
        launch!(kernels, "choose", CHAINS, address(&rows), address(&drawn), address(&numbers), CHAINS as u32);
        assert_eq!(numbers, values::<u32>(&expected.choose(&draws).unwrap()));

        let (psi, counts) = (amplitudes(&mut rng, step as usize), counts_of(step as usize));
        let proposed = row(10_000 * step as usize);
        let after = expected
            .accept(
                step as usize,
                [&at, &Tensor::from_slice(&proposed, (CHAINS, n_sites), &Device::Cpu).unwrap()],
                &psi_tensor(&psi),
                counts_tensor(&counts).as_ref(),
                &draws,
            )
            .unwrap();
        let psi = Parts::<R>::of(&psi, is_complex);
        let [re, im] = psi.addresses();
        let (next_rows, next, accepted) =
            (vec![f64::NAN; rows.len()], vec![f32::NAN; x.len()], vec![9u8; CHAINS]);
        launch!(
            kernels,
            "settle",
            32 * CHAINS,
            address(&rows),
            address(&x),
            address(&proposed),
            re,
            im,
            address(&counts),
            address(&drawn),
            address(&next_rows),
            address(&next),
            address(&accepted),
            step,
            n_sites as u32,
            CHAINS as u32
        );
        assert_eq!(bits(&next_rows), bits(&values(after.ledger.as_tensor())));
        assert_eq!(next, values::<f32>(&after.x));
        assert_eq!(accepted, values::<u8>(&after.accepted));
        n_accepted += accepted.iter().filter(|&&accepted| accepted == 1).count();
        (rows, x, expected, at) = (next_rows, next, after.ledger, after.x);
    }
    let read = expected.to_host().unwrap();
    assert_eq!((read.failed_step, read.n_accepted as usize), (Some(0), n_accepted));
    assert!(n_accepted > CHAINS && n_accepted < 4 * CHAINS, "{n_accepted}");
}

#[test]
#[ignore = "needs g++"]
fn f64_steps_are_those_of_the_cpu() {
    for (is_complex, has_counts) in [(false, false), (true, false), (false, true), (true, true)] {
        check_steps::<f64>(is_complex, has_counts);
    }
}

#[test]
#[ignore = "needs g++"]
fn f32_steps_are_those_of_the_cpu() {
    for (is_complex, has_counts) in [(false, false), (true, true)] {
        check_steps::<f32>(is_complex, has_counts);
    }
}
