//! Whether samples are distributed as |ψ|².

use ndarray::{Array1, Array2};
use operator_core::Backend;
use operator_core::testing::Table;
use sampler::testing::{Enumerate, exact_transition_matrix};
use sampler::{MetropolisSampler, Samples};

/// How far a chain remembers from sample to sample: from any state, the probability of any other is |ψ|²
/// within this fraction.
const MEMORY: f64 = 0.01;

/// −ln of the rate of false alarms, 10⁻⁶.
const LOG_RATE: f64 = 13.8155;

/// The smallest power of two of steps after which the chain has forgotten where it was, from its exact
/// transition matrix.
pub(crate) fn forgetful_sweep(mut step: Array2<f64>, probabilities: &Array1<f64>) -> usize {
    let memory = |matrix: &Array2<f64>| {
        matrix.indexed_iter().map(|((_, to), p)| (p / probabilities[to] - 1.0).abs()).fold(0.0, f64::max)
    };
    for doublings in 0..12 {
        if memory(&step) < MEMORY {
            return 1 << doublings;
        }
        step = step.dot(&step);
    }
    panic!("the chain still remembers after 4096 steps")
}

/// The sampler with sweeps after which its chains have forgotten where they were.
pub(crate) fn thinned<B, R>(
    sampler: MetropolisSampler<B, R>,
    psi: &Table<B>,
) -> Result<MetropolisSampler<B, R>, Box<dyn std::error::Error>>
where
    B: Backend,
    R: Enumerate<B>,
{
    let step = exact_transition_matrix::<B, _, _>(sampler.rule(), sampler.hilbert(), psi)?;
    let sweep_size = forgetful_sweep(step, &psi.probabilities());
    Ok(sampler.with_sweep_size(sweep_size)?)
}

/// Pearson's statistic of the samples, in units of the value that a right program exceeds once in a million
/// seeds.
///
/// Samples of [`thinned`] chains are all but independent: no eigenvalue λ ≠ 1 from sample to sample is larger
/// than [`MEMORY`], so no direction of the statistic is stretched by more than (1 + λ)/(1 − λ) < 1.03. For
/// independent samples, `P(χ²_k ≥ k + 2√(kt) + 2t) ≤ exp(−t)` (Laurent and Massart, Annals of Statistics 28,
/// 1302 (2000), Lemma 1), where every state is expected often enough for counts to be normal.
pub(crate) fn chi_square<B: Backend>(samples: &Samples<B>, psi: &Table<B>) -> operator_core::Result<f64> {
    let n = samples.len() as f64;
    let expected = psi.probabilities() * n;
    assert!(expected.iter().all(|&expected| expected > 30.0), "too few samples: {expected}");
    let mut counts = Array1::<f64>::zeros(expected.len());
    psi.indices(samples.configurations())?.into_iter().for_each(|index| counts[index] += 1.0);
    let statistic = ((&counts - &expected).mapv(|d| d * d) / &expected).sum();
    let k = expected.len() as f64 - 1.0;
    Ok(statistic / (1.03 * (k + 2.0 * (k * LOG_RATE).sqrt() + 2.0 * LOG_RATE)))
}
