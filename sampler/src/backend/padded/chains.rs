//! Chains as tensors that stay on their device: each step proposes, weighs and accepts there.

use backend_padded::{
    Accepted, ComplexTensor, Ledger, N_DRAWS, Origins, Padded, SiteMoves, failed, keys, uniforms,
};
use candle_core::{DType, Tensor};
use operator_core::{Backend, Element, Result};

use crate::backend::{DeviceChains, LogPsi, ReadChains};
use crate::check::expect_count;

/// What chains are proposed, and what else their acceptance needs.
pub(super) trait Propose {
    /// Where the draws of each chain lead from `x`, and the numbers of moves back from there, if they matter.
    fn propose(&mut self, x: &Tensor, ledger: &Ledger, draws: &Tensor) -> candle_core::Result<Proposed>;

    /// The numbers of moves from where the chains are, if they matter.
    fn counts(&self) -> candle_core::Result<Option<Tensor>>;

    /// Some chains are where they were proposed to go.
    fn go(&mut self, accepted: &Tensor) -> candle_core::Result<()>;
}

pub(super) struct Proposed {
    /// `(n_chains, n_sites)`
    x: Tensor,
    /// `(n_chains,)`
    counts: Option<Tensor>,
}

/// One site or two change.
#[derive(Clone)]
pub(super) struct BySites(pub(super) SiteMoves);

impl Propose for BySites {
    fn propose(&mut self, x: &Tensor, _: &Ledger, draws: &Tensor) -> candle_core::Result<Proposed> {
        Ok(Proposed { x: self.0.propose(x, draws)?, counts: None })
    }

    fn counts(&self) -> candle_core::Result<Option<Tensor>> {
        Ok(None)
    }

    fn go(&mut self, _: &Tensor) -> candle_core::Result<()> {
        Ok(())
    }
}

/// The states that an operator connects to where the chains are. Their numbers are in the ledger.
#[derive(Clone)]
pub(super) struct ByStates<T: Element> {
    here: Origins<T>,
    /// Where the last step proposed to go.
    there: Option<Origins<T>>,
}

impl<T: Element> ByStates<T> {
    pub(super) fn new(here: Origins<T>) -> Self {
        ByStates { here, there: None }
    }
}

impl<T: Element> Propose for ByStates<T> {
    fn propose(&mut self, _: &Tensor, ledger: &Ledger, draws: &Tensor) -> candle_core::Result<Proposed> {
        let there = self.here.choose(&ledger.choose(draws)?)?;
        let proposed = Proposed { x: there.quantum_numbers()?, counts: Some(there.counts()?) };
        self.there = Some(there);
        Ok(proposed)
    }

    fn counts(&self) -> candle_core::Result<Option<Tensor>> {
        self.here.counts().map(Some)
    }

    fn go(&mut self, accepted: &Tensor) -> candle_core::Result<()> {
        if let Some(there) = self.there.take() {
            self.here = self.here.replaced(&there, accepted)?;
        }
        Ok(())
    }
}

/// See [`DeviceChains`].
pub(super) struct TensorChains<P> {
    x: Tensor,
    proposals: P,
    /// From the first evaluation on.
    ledger: Option<Ledger>,
    /// Steps since then.
    n_steps: usize,
}

impl<P: Propose + Clone> TensorChains<P> {
    /// Chains at `x`, shape `(n_chains, n_sites)`.
    pub(super) fn new(x: &Tensor, proposals: P) -> candle_core::Result<Self> {
        let x = x.to_dtype(DType::F32)?.contiguous()?;
        Ok(TensorChains { x, proposals, ledger: None, n_steps: 0 })
    }

    fn ledger(&self) -> candle_core::Result<&Ledger> {
        match &self.ledger {
            Some(ledger) => Ok(ledger),
            None => candle_core::bail!("chains are weighed before their first step"),
        }
    }

    fn log_psi(&self, x: &Tensor, log_psi: &LogPsi<'_, Padded>) -> crate::Result<ComplexTensor> {
        let values = log_psi(x)?;
        expect_count("values of log psi", Padded::amplitudes_len(&values), Padded::batch_len(x))?;
        Ok(values)
    }

    fn step(&mut self, draws: &Tensor, log_psi: &LogPsi<'_, Padded>) -> crate::Result<()> {
        let ledger = self.ledger().map_err(failed)?.clone();
        let proposed = self.proposals.propose(&self.x, &ledger, draws).map_err(failed)?;
        let values = self.log_psi(&proposed.x, log_psi)?;
        let step = self.n_steps + 1;
        let accepted = ledger.accept(step, [&self.x, &proposed.x], &values, proposed.counts.as_ref(), draws);
        let Accepted { x, ledger, accepted } = accepted.map_err(failed)?;
        self.proposals.go(&accepted).map_err(failed)?;
        (self.x, self.ledger, self.n_steps) = (x, Some(ledger), step);
        Ok(())
    }
}

impl<P: Propose + Clone> DeviceChains<Padded> for TensorChains<P> {
    fn weigh(&mut self, log_psi: &LogPsi<'_, Padded>) -> crate::Result<()> {
        let values = self.log_psi(&self.x, log_psi)?;
        let ledger = self.proposals.counts().and_then(|counts| Ledger::new(&values, counts.as_ref()));
        (self.ledger, self.n_steps) = (Some(ledger.map_err(failed)?), 0);
        Ok(())
    }

    fn sweep(
        &mut self,
        chain_keys: &[u64],
        n_steps: usize,
        log_psi: &LogPsi<'_, Padded>,
    ) -> crate::Result<()> {
        let chain_keys = keys(chain_keys, self.x.device()).map_err(failed)?;
        (0..n_steps).try_for_each(|step| {
            let draws = uniforms(&chain_keys, step, N_DRAWS).map_err(failed)?;
            self.step(&draws, log_psi)
        })
    }

    fn propose(&self, chain_keys: &[u64], step: usize) -> Result<Tensor> {
        let proposed = || {
            let draws = uniforms(&keys(chain_keys, self.x.device())?, step, N_DRAWS)?;
            self.proposals.clone().propose(&self.x, self.ledger()?, &draws)
        };
        proposed().map(|proposed| proposed.x).map_err(failed)
    }

    fn configurations(&self) -> &Tensor {
        &self.x
    }

    fn samples(&self, times: &[Tensor]) -> Result<Tensor> {
        Tensor::stack(times, 1).and_then(|samples| samples.flatten(0, 1)).map_err(failed)
    }

    fn read(&self) -> Result<ReadChains> {
        let read = self.ledger().and_then(Ledger::to_host).map_err(failed)?;
        Ok(ReadChains {
            log_weights: read.log_weights,
            n_accepted: read.n_accepted,
            failed_step: read.failed_step,
        })
    }
}

#[cfg(test)]
mod tests {
    use backend_padded::TensorConn;
    use candle_core::Device;
    use num_complex::Complex64;
    use operator_core::hilbert::Fock;
    use operator_core::testing::{Table, TestResult};
    use operator_core::{BoseHubbard, Boundary, Graph, Model, WaveFunction};

    use super::*;
    use operator_core::metropolis::acceptance;

    fn column(values: &[f64]) -> candle_core::Result<Tensor> {
        Tensor::from_slice(values, values.len(), &Device::Cpu)
    }

    /// Numbers of connected states are carried along; they are those of where the chains are.
    #[test]
    fn carried_numbers_of_moves_are_those_that_are_counted() -> TestResult {
        let chain = Graph::chain(4, Boundary::Open)?;
        let hops = BoseHubbard::new(Fock::new(2, 4)?.with_n_particles(4)?, &chain, 1.0)?.lower::<Padded>()?;
        let hilbert = operator_core::DiscreteOperator::hilbert(&hops);
        let x = hilbert.random_states(50, &mut operator_core::testing::SplitMix::new(1))?;
        let x = Padded::from_host(x.view(), &Device::Cpu)?;
        let origins = hops.origins(&x)?.ok_or("the operator has no custom kernel")?;
        let mut chains = TensorChains::new(&x, ByStates::new(origins))?;
        let psi = Table::<Padded>::random(hilbert.clone(), 2)?;
        let log_psi = |x: &Tensor| psi.log_psi(x);
        chains.weigh(&log_psi)?;
        let keys: Vec<u64> = (0..50).collect();
        let mut seen = Vec::new();
        for _ in 0..5 {
            chains.sweep(&keys, 3, &log_psi)?;
            let carried = chains.ledger()?.to_host()?.counts;
            assert_eq!(carried, hops.n_off_diagonal(chains.configurations())?.to_vec1::<u32>()?);
            assert_eq!(
                chains.proposals.here.quantum_numbers()?.to_vec2::<f32>()?,
                chains.configurations().to_vec2::<f32>()?
            );
            seen.extend(carried);
        }
        assert!(chains.read()?.n_accepted > 100);
        assert!(seen.iter().any(|&n| n != seen[0]), "the numbers differ");
        Ok(())
    }

    /// A uniform number just below the probability accepts, and one at it does not.
    #[test]
    fn devices_accept_as_the_host_does() -> TestResult {
        let zero = f64::NEG_INFINITY;
        let mut n_cases = 0;
        for from in [-3.0, 0.4, zero] {
            for to in [-3.5, -3.0, 0.9, 300.0, zero] {
                for (n, back) in [(4u32, 4u32), (3, 8), (9, 2)] {
                    let correction = if n == back { 0.0 } else { (f64::from(n) / f64::from(back)).ln() };
                    let probability = acceptance(2.0 * from, 2.0 * to, correction);
                    let uniforms =
                        [0.0, probability.next_down().max(0.0), probability.min(1.0f64.next_down())];
                    let (psi, to) = (column(&[from; 3])?, column(&[to; 3])?);
                    let counts = |n: u32| Tensor::new(&[n; 3], &Device::Cpu);
                    let ledger = Ledger::new(&ComplexTensor::real(psi), Some(&counts(n)?))?;
                    let draws: Vec<f64> = uniforms.iter().flat_map(|&u| [u, 0.5, 0.5, 0.5]).collect();
                    let draws = Tensor::from_vec(draws, (3, N_DRAWS), &Device::Cpu)?;
                    let (x, there) = (
                        Tensor::zeros((3, 1), DType::F32, &Device::Cpu)?,
                        Tensor::ones((3, 1), DType::F32, &Device::Cpu)?,
                    );
                    let after = ledger.accept(
                        1,
                        [&x, &there],
                        &ComplexTensor::real(to),
                        Some(&counts(back)?),
                        &draws,
                    )?;
                    let expected: Vec<u8> = uniforms.iter().map(|&u| u8::from(u < probability)).collect();
                    assert_eq!(after.accepted.to_vec1::<u8>()?, expected, "{from} {n} {back}");
                    let moved: Vec<u8> = after.x.flatten_all()?.to_dtype(DType::U8)?.to_vec1()?;
                    assert_eq!(moved, expected);
                    let read = after.ledger.to_host()?;
                    let n_accepted = expected.iter().map(|&accepted| u64::from(accepted)).sum();
                    assert_eq!((read.n_accepted, read.failed_step), (n_accepted, None));
                    for (chain, &accepted) in expected.iter().enumerate() {
                        assert_eq!(read.counts[chain], if accepted == 1 { back } else { n });
                    }
                    n_cases += 1;
                }
            }
        }
        assert_eq!(n_cases, 45);
        Ok(())
    }

    /// The first step at which a chain has no amplitude or no moves is kept, and chains stay where they were.
    #[test]
    fn the_first_step_that_fails_is_kept() -> TestResult {
        let psi = |values: [f64; 3]| Ok::<_, candle_core::Error>(ComplexTensor::real(column(&values)?));
        let counts = |counts: [u32; 3]| Tensor::new(&counts, &Device::Cpu);
        let x = Tensor::zeros((3, 2), DType::F32, &Device::Cpu)?;
        let (there, draws) = (x.ones_like()?, Tensor::zeros((3, N_DRAWS), DType::F64, &Device::Cpu)?);
        let start = Ledger::new(&psi([0.0, 0.0, 0.0])?, Some(&counts([1, 1, 1])?))?;
        assert_eq!(start.to_host()?.failed_step, None);
        let bad = psi([f64::NAN, 0.0, 0.0])?;
        let first = start.accept(
            4,
            [&x, &there],
            &psi([0.0, f64::INFINITY, 0.0])?,
            Some(&counts([1, 1, 1])?),
            &draws,
        )?;
        assert_eq!(first.accepted.to_vec1::<u8>()?, [1, 0, 1]);
        let second = first.ledger.accept(5, [&first.x, &there], &bad, Some(&counts([1, 1, 0])?), &draws)?;
        assert_eq!(second.accepted.to_vec1::<u8>()?, [0, 1, 0]);
        assert_eq!(second.ledger.to_host()?.failed_step, Some(4));
        let isolated = start.accept(7, [&x, &there], &psi([0.0; 3])?, Some(&counts([1, 0, 1])?), &draws)?;
        assert_eq!(isolated.ledger.to_host()?.failed_step, Some(7));
        assert_eq!(Ledger::new(&bad, None)?.to_host()?.failed_step, Some(0));
        let im = ComplexTensor::new(column(&[0.0; 3])?, column(&[0.0, f64::NAN, 0.0])?)?;
        assert_eq!(Ledger::new(&im, None)?.to_host()?.failed_step, Some(0));
        let zero = ComplexTensor::new(column(&[f64::NEG_INFINITY; 3])?, column(&[f64::NAN; 3])?)?;
        assert_eq!(Ledger::new(&zero, None)?.to_host()?.failed_step, None);
        assert!(start.accept(1, [&x, &there], &psi([0.0; 3])?, None, &draws.narrow(0, 0, 2)?).is_err());
        Ok(())
    }

    #[test]
    fn chains_that_were_not_weighed_take_no_steps() -> TestResult {
        let hilbert = operator_core::HilbertSpace::from(Fock::new(1, 2)?);
        let moves = SiteMoves::new(&hilbert, [(1.0, &[][..])], &Device::Cpu)?;
        let mut chains =
            TensorChains::new(&Tensor::zeros((1, 2), DType::F32, &Device::Cpu)?, BySites(moves))?;
        let log_psi = |_: &Tensor| Padded::amplitudes_from_host(vec![Complex64::ZERO].into(), &Device::Cpu);
        assert!(chains.sweep(&[1], 1, &log_psi).is_err());
        assert!(chains.read().is_err());
        Ok(())
    }
}
