//! A panic in a user's wave function or kernel reaches the caller, through all threads, and leaves states, chains and
//! files usable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use ndarray::Array1;
use num_complex::Complex64;
use operator_core::{Backend, ChangeSets, DiscreteOperator, HilbertSpace, Walker, WaveFunction};
use sampler::{HamiltonianSampler, LocalSampler};
use variational::{
    FullSumState, LogDerivatives, MonteCarloState, RunsVmc, Sgd, Sr, Trainable, VariationalState, Vmc,
};

use crate::common::{Table, TestResult, ising};

/// What a user wrote, and where it fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    LogPsi,
    Walker,
    Derivatives,
    Parameters,
}

/// Counts down to a panic.
#[derive(Clone, Debug)]
struct Fuse(Arc<AtomicIsize>);

const NEVER: isize = isize::MAX;

impl Fuse {
    fn new() -> Self {
        Fuse(Arc::new(NEVER.into()))
    }

    fn burn(&self) {
        assert!(self.0.fetch_sub(1, Ordering::Relaxed) > 0, "a user's code");
    }

    fn set(&self, calls: isize) {
        self.0.store(calls, Ordering::Relaxed);
    }
}

/// Whether `f` panics with the user's words.
fn panics<T>(f: impl FnOnce() -> T) -> bool {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(f()))).err();
    payload.is_some_and(|payload| payload.downcast::<&str>().is_ok_and(|text| *text == "a user's code"))
}

/// A list of amplitudes that panics in one place.
#[derive(Clone, Debug)]
struct Fragile<B> {
    table: Table<B>,
    has_walker: bool,
    place: Place,
    fuse: Fuse,
}

impl<B: Backend> Fragile<B> {
    fn new(hilbert: &HilbertSpace, place: Place) -> operator_core::Result<Self> {
        let mut table = Table::random(hilbert)?;
        let has_walker = place == Place::Walker;
        if has_walker {
            table.0 = table.0.with_walker();
        }
        Ok(Fragile { table, has_walker, place, fuse: Fuse::new() })
    }

    fn burn(&self, place: Place) {
        if place == self.place {
            self.fuse.burn();
        }
    }
}

impl<B: Backend> WaveFunction<B> for Fragile<B> {
    fn hilbert(&self) -> &HilbertSpace {
        self.table.hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> operator_core::Result<B::Amplitudes> {
        self.burn(Place::LogPsi);
        self.table.log_psi(x)
    }

    fn has_walker(&self) -> bool {
        self.has_walker
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        let inner = WaveFunction::<B>::walker(&self.table.0)?;
        Some(Box::new(FragileWalker { inner, fuse: &self.fuse }))
    }
}

impl<B: Backend> Trainable<B> for Fragile<B> {
    fn n_parameters(&self) -> usize {
        self.table.n_parameters()
    }

    fn parameters(&self) -> Array1<f64> {
        self.table.parameters()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> operator_core::Result<()> {
        self.burn(Place::Parameters);
        self.table.set_parameters(parameters)
    }

    fn log_derivatives(&self, x: &B::Configurations) -> operator_core::Result<LogDerivatives> {
        self.burn(Place::Derivatives);
        self.table.log_derivatives(x)
    }
}

struct FragileWalker<'a> {
    inner: Box<dyn Walker + 'a>,
    fuse: &'a Fuse,
}

impl Walker for FragileWalker<'_> {
    fn start(&mut self, x: &[i8]) -> Complex64 {
        self.fuse.burn();
        self.inner.start(x)
    }

    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64 {
        self.fuse.burn();
        self.inner.ratio(changes)
    }

    fn ratios(&mut self, sets: &ChangeSets, ratios: &mut [Complex64]) {
        self.fuse.burn();
        self.inner.ratios(sets, ratios);
    }

    fn accept(&mut self) {
        self.inner.accept();
    }
}

const PLACES: [Place; 4] = [Place::LogPsi, Place::Walker, Place::Derivatives, Place::Parameters];

/// Averages after a panic are those of a state that never met one, but for the random numbers that it took.
fn a_panic_in_a_wave_function_leaves_states_usable<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    for place in [Place::LogPsi, Place::Walker, Place::Derivatives] {
        let psi = Fragile::<B>::new(operator.hilbert(), place)?;
        let fuse = psi.fuse.clone();
        let exact = FullSumState::<B, _>::new(psi.clone())?.expect(&operator)?.mean;
        let sampler = LocalSampler::<B>::new(operator.hilbert().clone())?.with_seed(3);
        let mut state = MonteCarloState::new(sampler, psi.clone(), 4000)?;
        state.response(&operator)?;
        // At the first call, within the sweeps, and among the last calls, of the local energies.
        for calls in [0, 1, 40] {
            state.resample();
            fuse.set(calls);
            let panicked = panics(|| state.response(&operator).is_ok());
            fuse.set(NEVER);
            assert!(panicked || (place == Place::Derivatives && calls > 0), "{place:?} {calls}");
            let stats = state.expect(&operator)?;
            assert!((stats.mean - exact).norm() < 6.0 * stats.error_of_mean, "{place:?}: {stats} {exact}");
            assert!(state.response(&operator)?.gradient().iter().all(|x| x.is_finite()));
        }
        let mut full = FullSumState::<B, _>::new(psi)?.with_chunk_size(3)?;
        fuse.set(1);
        assert!(panics(|| full.response(&operator).is_ok()), "{place:?}");
        fuse.set(NEVER);
        assert!((full.expect(&operator)?.mean - exact).norm() < 1e-12);
    }
    Ok(())
}

/// A run that met a panic goes on. Its file is the last one before the panic, and goes on as if there had been none.
fn a_panic_in_a_wave_function_leaves_runs_and_files_usable<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    for place in PLACES {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("run.safetensors");
        let new = || -> variational::Result<_> {
            let psi = Fragile::<B>::new(operator.hilbert(), place)?;
            let fuse = psi.fuse.clone();
            let state = MonteCarloState::new(HamiltonianSampler::new(&operator)?.with_seed(1), psi, 64)?;
            let vmc = Vmc::new(state, &operator, Sr::new(0.05, 0.01)?).with_checkpoint(&path, 1)?;
            Ok((vmc, fuse))
        };
        let (mut vmc, fuse) = new()?;
        vmc.run(2)?;
        let (file, before) = (std::fs::read(&path)?, vmc.state().wave_function().parameters());
        fuse.set(0);
        assert!(panics(|| vmc.run(1).is_ok()), "{place:?}");
        fuse.set(NEVER);
        assert_eq!((vmc.n_steps(), std::fs::read(&path)?), (2, file), "{place:?}");
        assert_eq!(vmc.state().wave_function().parameters(), before, "{place:?}");
        let (mut resumed, _) = new()?;
        assert!(resumed.resume()?);
        let history = vmc.run(2)?;
        assert!(history.steps.iter().all(|step| step.energy.mean.is_finite()), "{place:?}");
        std::fs::remove_file(&path)?;
        let (mut whole, _) = new()?;
        whole.run(4)?;
        resumed.run(2)?;
        assert_eq!(
            resumed.state().wave_function().parameters(),
            whole.state().wave_function().parameters(),
            "{place:?}"
        );
    }
    Ok(())
}

/// A panic while the parameters are set leaves the optimiser's memory as it was, so the step can be taken again.
fn a_step_that_panicked_is_taken_again<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    let new = || -> variational::Result<_> {
        let psi = Fragile::<B>::new(operator.hilbert(), Place::Parameters)?;
        let fuse = psi.fuse.clone();
        let optimiser = Sgd::new(0.05)?.with_momentum(0.9)?;
        Ok((Vmc::new(FullSumState::new(psi)?, &operator, optimiser), fuse))
    };
    let ((mut vmc, fuse), (mut whole, _)) = (new()?, new()?);
    vmc.run(2)?;
    fuse.set(0);
    assert!(panics(|| vmc.run(1).is_ok()));
    fuse.set(NEVER);
    vmc.run(2)?;
    whole.run(4)?;
    assert_eq!(vmc.state().wave_function().parameters(), whole.state().wave_function().parameters());
    Ok(())
}

on_backends!(
    a_panic_in_a_wave_function_leaves_states_usable,
    a_panic_in_a_wave_function_leaves_runs_and_files_usable,
    a_step_that_panicked_is_taken_again,
);

#[cfg(feature = "flat")]
mod flat {
    use backend_flat::{Connector, Emitter, FlatKernel, FlatOperator};
    use operator_core::ConnBatch;
    use operator_core::hilbert::Spin;
    use variational::Flat;

    use super::*;

    /// Flips each spin, until it panics.
    #[derive(Debug)]
    struct Flips(HilbertSpace, Fuse);

    impl FlatKernel<f64> for Flips {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }

        fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
            self.1.burn();
            x.iter().enumerate().for_each(|(site, q)| emit.change(&[(site, -q)], -1.0));
        }

        fn connector(&self) -> Box<dyn Connector<f64> + '_> {
            Box::new(Flipper(self))
        }
    }

    struct Flipper<'a>(&'a Flips);

    impl Connector<f64> for Flipper<'_> {
        fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, f64>) {
            self.0.connect(x, emit);
        }
    }

    #[test]
    fn a_panic_in_a_kernel_leaves_operators_buffers_and_chains_usable() -> TestResult {
        let hilbert = HilbertSpace::from(Spin::half(6)?);
        let fuse = Fuse::new();
        let operator = FlatOperator::custom(Flips(hilbert.clone(), fuse.clone()))?;
        let x = hilbert.all_states()?;
        let (matrix, expected) = (operator.to_dense()?, operator.get_conn_flattened(x.view())?);
        let mut conn = ConnBatch::new();
        let flattened = |conn: &mut ConnBatch<f64>| operator.get_conn_flattened_into(x.view(), conn);
        let vector = Array1::ones(64);
        for calls in [0, 1, 33, 63] {
            fuse.set(calls);
            assert!(panics(|| flattened(&mut conn)), "{calls}");
            let left = [conn.n_samples(), conn.total(), conn.samples().map(|(x, _)| x.nrows()).sum()];
            fuse.set(calls);
            assert!(panics(|| operator.to_sparse()) && left[1] == left[2], "{left:?}");
            fuse.set(calls);
            assert!(panics(|| operator.apply(vector.view())));
            fuse.set(calls);
            assert!(panics(|| operator.n_conn(x.view())));
            fuse.set(NEVER);
            flattened(&mut conn)?;
            assert_eq!((conn.states(), conn.mels()), (expected.states(), expected.mels()));
            assert_eq!(operator.to_dense()?, matrix);
        }
        for table in [Table::<Flat>::random(&hilbert)?.0, Table::random(&hilbert)?.0.with_walker()] {
            let mut state = MonteCarloState::new(HamiltonianSampler::new(&operator)?, table, 64)?;
            state.expect(&operator)?;
            for calls in [0, 5, 200] {
                state.resample();
                fuse.set(calls);
                assert!(panics(|| state.expect(&operator).is_ok()), "{calls}");
                fuse.set(NEVER);
                hilbert.check(state.chains().configurations().view())?;
                assert!(state.expect(&operator)?.mean.is_finite());
            }
        }
        Ok(())
    }
}

#[cfg(feature = "padded")]
mod padded {
    use backend_padded::{ComplexTensor, ConnTensors, Padded, PaddedKernel, PaddedOperator};
    use candle_core::{DType, Tensor};
    use operator_core::hilbert::Spin;

    use super::*;

    /// Flips each spin, until it panics.
    #[derive(Debug)]
    struct Flips(HilbertSpace, Fuse);

    impl PaddedKernel<f64> for Flips {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }

        fn max_conn_size(&self) -> usize {
            self.0.n_sites()
        }

        fn connect(&self, x: &Tensor) -> candle_core::Result<ConnTensors> {
            self.1.burn();
            let n = self.0.n_sites();
            let one = Tensor::ones((n, n), x.dtype(), x.device())?;
            let signs = (one - (Tensor::eye(n, x.dtype(), x.device())? * 2.0)?)?;
            let flipped = x.unsqueeze(1)?.broadcast_mul(&signs.unsqueeze(0)?)?;
            let mels = Tensor::ones((x.dim(0)?, n), DType::F64, x.device())?.neg()?;
            Ok(ConnTensors::new(flipped, ComplexTensor::real(mels)))
        }
    }

    #[test]
    fn a_panic_in_a_kernel_leaves_operators_and_chains_usable() -> TestResult {
        let hilbert = HilbertSpace::from(Spin::half(4)?);
        let fuse = Fuse::new();
        let operator = PaddedOperator::custom(Flips(hilbert.clone(), fuse.clone()))?;
        let (matrix, x) = (operator.to_dense()?, hilbert.all_states()?);
        fuse.set(0);
        assert!(panics(|| operator.to_dense()));
        fuse.set(0);
        assert!(panics(|| operator.get_conn_flattened(x.view()).is_ok()));
        fuse.set(NEVER);
        assert_eq!(operator.to_dense()?, matrix);
        let psi = Table::<Padded>::random(&hilbert)?;
        let mut state = MonteCarloState::new(HamiltonianSampler::new(&operator)?, psi, 64)?;
        state.expect(&operator)?;
        for calls in [0, 3] {
            state.resample();
            fuse.set(calls);
            assert!(panics(|| state.expect(&operator).is_ok()), "{calls}");
            fuse.set(NEVER);
            assert!(state.expect(&operator)?.mean.is_finite());
        }
        Ok(())
    }
}
