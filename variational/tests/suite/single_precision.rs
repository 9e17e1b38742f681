//! RBMs in single precision where it is hardest, and in a whole run.

use crate::common::{TestResult, ising};
use ndarray::Array1;
use operator_core::DiscreteOperator;
use operator_core::testing::SplitMix;
use sampler::HamiltonianSampler;
use std::num::NonZeroUsize;
use variational::{MonteCarloState, Rbm, RunsVmc, Sr, Trainable, VariationalState, Vmc, exact};

/// A sum to full precision (Neumaier).
fn exact_sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
        sum = next;
    }
    sum + lost
}

/// An RBM from the definition, in double precision.
struct Direct {
    n_sites: usize,
    /// In the order of [`Rbm`].
    parameters: Array1<f64>,
}

impl Direct {
    /// Numbers that f32 has: |b| up to 100 but for what W, up to `weight`, can add to it.
    fn random(n_sites: usize, n_hidden: usize, weight: f64) -> Self {
        let mut rng = SplitMix::new(7);
        let bias = 100.0 - n_sites as f64 * weight;
        let sizes = [(n_sites, 0.5), (n_hidden, bias), (n_hidden * n_sites, weight)];
        let parameters = sizes.iter().flat_map(|&(n, size)| std::iter::repeat_n(size, n));
        Direct {
            n_sites,
            parameters: parameters.map(|size| f64::from((size * rng.number()) as f32)).collect(),
        }
    }

    fn theta(&self, x: &[i8]) -> impl Iterator<Item = f64> {
        let n_hidden = (self.parameters.len() - self.n_sites) / (self.n_sites + 1);
        let at = |k: usize| self.parameters[self.n_sites + k];
        (0..n_hidden).map(move |j| {
            let weights = (0..self.n_sites).map(|i| at(n_hidden + j * self.n_sites + i) * f64::from(x[i]));
            at(j) + weights.sum::<f64>()
        })
    }

    /// `ln ψ(x') − ln ψ(x)`, where nothing large is subtracted.
    fn difference(&self, x: &[i8], to: &[i8]) -> f64 {
        let tail = |theta: f64| (-2.0 * theta.abs()).exp().ln_1p();
        let hidden = self.theta(x).zip(self.theta(to)).map(|(a, b)| {
            let sizes = if (a < 0.0) == (b < 0.0) { (b - a) * a.signum() } else { b.abs() - a.abs() };
            sizes + (tail(b) - tail(a))
        });
        let visible = (0..self.n_sites).map(|i| self.parameters[i] * f64::from(to[i] - x[i]));
        exact_sum(visible.chain(hidden))
    }
}

/// ln ψ is of the order of 10⁶ here, of which f32 has seven digits, and ratios of amplitudes go to e^±200.
fn ten_thousand_units_with_theta_up_to_100_have_the_local_estimators_of_double_precision<B: RunsVmc>()
-> TestResult {
    let operator = ising(10)?.lower::<B>()?;
    let (hilbert, matrix) = (operator.hilbert(), operator.to_dense()?);
    let x = hilbert.random_states(6, &mut SplitMix::new(3)).unwrap();
    let states = hilbert.all_states()?;
    for weight in [0.01, 0.3, 1.0] {
        let direct = Direct::random(10, 10_000, weight);
        let mut rbm = Rbm::<B, f32>::new(hilbert.clone(), 1000.0)?.with_sigma(0.0)?;
        rbm.set_parameters(&direct.parameters)?;
        let on_device = B::from_host(x.view(), &B::default_device())?;
        let local = B::local_estimators(&operator, &rbm, &on_device, NonZeroUsize::new(64))?;
        for (x, local) in x.rows().into_iter().zip(local) {
            let x = x.to_vec();
            let row = matrix.row(hilbert.index_of(&x)?);
            let connected = row.iter().zip(states.rows()).filter(|(mel, _)| **mel != 0.0);
            let terms = connected.map(|(mel, to)| mel * direct.difference(&x, &to.to_vec()).exp());
            let terms: Vec<f64> = terms.collect();
            let (expected, size): (f64, f64) =
                (exact_sum(terms.iter().copied()), terms.iter().map(|term| term.abs()).sum());
            // Each of 10⁴ units rounds θ to 4·10⁻⁶, which add up like random numbers.
            assert!((local - expected).norm() <= 4e-3 * size, "|W| up to {weight}: {local} {expected}");
        }
    }
    Ok(())
}

/// Small steps add up, because parameters are in double precision.
fn single_precision_finds_the_ground_state<B: RunsVmc>() -> TestResult {
    let operator = ising(6)?.lower::<B>()?;
    let sampler = HamiltonianSampler::new(&operator)?.with_seed(1);
    let rbm = Rbm::<B, f32>::new(operator.hilbert().clone(), 1.0)?.with_seed(2);
    let mut vmc = Vmc::new(MonteCarloState::new(sampler, rbm, 500)?, &operator, Sr::new(0.1, 0.01)?);
    vmc.run(60)?;
    let energy = vmc.state_mut().expect(&operator)?;
    let expected = exact::ground_state_energy(&operator)?;
    assert!((energy.mean.re - expected).abs() < 0.03, "{energy} {expected}");
    Ok(())
}

on_backends!(
    ten_thousand_units_with_theta_up_to_100_have_the_local_estimators_of_double_precision,
    single_precision_finds_the_ground_state,
);
