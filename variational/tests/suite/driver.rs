//! Runs: what is measured, written and decided along the way.

use std::fs;
use std::sync::{Arc, Mutex};

use crate::common::{Table, TestResult, ising, rbm};
use ndarray::Array1;
use num_complex::Complex64;
use operator_core::{Backend, DiscreteOperator, HilbertSpace, WaveFunction};
use sampler::HamiltonianSampler;
use variational::{
    Callback, Control, ConvergenceStopping, EarlyStopping, End, Error, Event, FullSumState, LogDerivatives,
    MonteCarloState, Optimiser, Response, RunsVmc, Sgd, Snapshot, Sr, Trainable, VariationalState, Vmc,
    exact,
};

fn observables_are_measured_on_the_samples_of_the_energy<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    let (operator, field) = (ising(5)?.lower::<B>()?, ising(5)?.lower_as::<B, Complex64>()?);
    let sampler = HamiltonianSampler::new(&operator)?.with_seed(1);
    let mut state = MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.3)?, 160)?;
    let mut vmc = Vmc::new(state.clone(), &operator, Sr::new(0.05, 0.01)?)
        .with_observable("again", &operator)?
        .with_observable("complex", &field)?;
    let step = vmc.step()?;
    let expected = (state.expect(&operator)?, state.expect(&field)?);
    assert_eq!(step.energy, expected.0);
    assert_eq!(step.observables, [("again".into(), expected.0), ("complex".into(), expected.1)]);
    let history = vmc.run(3)?;
    assert_eq!(history.steps.iter().map(|step| step.number).collect::<Vec<_>>(), [1, 2, 3]);
    let logged: Vec<_> = vmc.log().series("again").collect();
    assert_eq!(logged.len(), 4);
    assert_eq!(logged[3], (3, history.steps[2].observables[0].1));
    for name in ["Energy", "again"] {
        let vmc = Vmc::new(state.clone(), &operator, Sgd::new(0.1)?).with_observable("again", &operator)?;
        let refused = vmc.with_observable(name, &operator).err().map(|error| error.to_string());
        let expected =
            format!("an observable is named {name:?}, as another one is; choose a name that is free");
        assert_eq!(refused, Some(expected));
    }
    Ok(())
}

fn a_log_is_written_in_the_layout_of_netket<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.json");
    let operator = ising(4)?.lower::<B>()?;
    let table = Table::<B>::random(operator.hilbert())?;
    let mut vmc = Vmc::new(FullSumState::<B, _>::new(table)?, &operator, Sgd::new(0.02)?).with_log(&path);
    let history = vmc.run(7)?;
    let log: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    let energy = &log["Energy"];
    for (k, step) in history.steps.iter().enumerate() {
        assert_eq!(energy["iters"][k], k);
        // A complex wave function: its local energies have imaginary parts. Reading text may round.
        let (mean, variance) = (&energy["Mean"], &energy["Variance"][k]);
        assert!(close(&mean["real"][k], step.energy.mean.re) && close(&mean["imag"][k], step.energy.mean.im));
        assert!(close(variance, step.energy.variance));
        assert_eq!(energy["Sigma"][k].as_f64(), Some(0.0));
        assert!(energy["R_hat"][k].is_null() && energy["TauCorr"][k].is_null(), "exact sums have none");
    }
    assert_eq!(energy["iters"].as_array().map(Vec::len), Some(7));
    Ok(())
}

fn close(read: &serde_json::Value, expected: f64) -> bool {
    read.as_f64().is_some_and(|read| (read - expected).abs() <= 1e-14 * expected.abs())
}

fn callbacks_end_runs_and_say_why<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    let ground_state = exact::ground_state_energy(&operator)?;
    let state = FullSumState::new(rbm::<B>(operator.hilbert(), 0.1)?)?;
    let new = || -> variational::Result<_> { Ok(Vmc::new(state.clone(), &operator, Sr::new(0.1, 0.01)?)) };

    let seen = Arc::new(Mutex::new(Vec::new()));
    let to_see = seen.clone();
    let mut vmc = new()?.on_step(move |event| {
        to_see.lock().expect("nobody panicked").push(event.step.number);
        match event.step.number {
            2 => Control::Stop("enough".into()),
            _ => Control::Continue,
        }
    });
    let history = vmc.run(100)?;
    assert_eq!((history.steps.len(), history.end), (3, End::Stopped("enough".into())));
    assert_eq!(*seen.lock().expect("nobody panicked"), [0, 1, 2]);
    assert_eq!(vmc.run_to(3)?.end, End::Finished, "no steps are missing");

    let history = new()?.with_callback(EarlyStopping::new(5, 1e-4)?).run(2000)?;
    assert!(
        matches!(&history.end, End::Stopped(reason) if reason.contains("for 5 steps")),
        "{:?}",
        history.end
    );
    let target = 0.99 * ground_state;
    let converged = ConvergenceStopping::new(target).with_patience(2)?;
    let history = new()?.with_callback(converged).run(2000)?;
    assert!(
        matches!(&history.end, End::Stopped(reason) if reason.contains("has reached")),
        "{:?}",
        history.end
    );
    let last: Vec<f64> = history.steps.iter().rev().take(10).map(|step| step.energy.mean.re).collect();
    assert!(last.iter().sum::<f64>() / 10.0 <= target);
    Ok(())
}

/// A run owns all that it uses: it outlives the operators it was made from, and goes to another thread.
fn runs_are_made_in_one_place_and_taken_in_another<B: RunsVmc>() -> TestResult {
    fn new<B: RunsVmc>() -> Result<impl FnOnce() -> variational::Result<(f64, usize)> + Send, Error> {
        let operator = ising(4)?.lower::<B>()?;
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(1);
        let state = MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.1)?, 64)?;
        let mut vmc = Vmc::new(state, &operator, Sr::new(0.1, 0.01)?)
            .with_observable("again", &operator)?
            .with_callback(EarlyStopping::new(100, 0.0)?)
            .on_step(|_| Control::Continue);
        Ok(move || {
            let steps = vmc.run(3)?.steps;
            Ok((steps[2].energy.mean.re, vmc.n_steps()))
        })
    }
    let there = std::thread::spawn(new::<B>()?).join().map_err(|_| "the thread panicked")??;
    assert_eq!(there, new::<B>()?()?);
    Ok(())
}

/// A table that becomes NaN where an amplitude grows beyond a limit.
#[derive(Clone, Debug)]
struct Fragile<B>(Table<B>);

impl<B: Backend> WaveFunction<B> for Fragile<B> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> operator_core::Result<B::Amplitudes> {
        let mut log_psi = B::amplitudes_to_host(&self.0.log_psi(x)?)?;
        log_psi.iter_mut().filter(|value| value.re > 1.05).for_each(|value| *value = f64::NAN.into());
        B::amplitudes_from_host(log_psi, &B::default_device())
    }
}

impl<B: Backend> Trainable<B> for Fragile<B> {
    fn n_parameters(&self) -> usize {
        self.0.n_parameters()
    }

    fn parameters(&self) -> Array1<f64> {
        self.0.parameters()
    }

    fn set_parameters(&mut self, parameters: &Array1<f64>) -> operator_core::Result<()> {
        self.0.set_parameters(parameters)
    }

    fn log_derivatives(&self, x: &B::Configurations) -> operator_core::Result<LogDerivatives> {
        self.0.log_derivatives(x)
    }
}

fn a_step_that_fails_is_saved_and_fails_again<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (good, bad) = (folder.path().join("run.safetensors"), folder.path().join("run.failed.safetensors"));
    let operator = ising(4)?.lower::<B>()?;
    let new = || -> variational::Result<_> {
        let state = FullSumState::<B, _>::new(Fragile(Table::random(operator.hilbert())?))?;
        Ok(Vmc::new(state, &operator, Sgd::new(0.05)?.with_momentum(0.5)?)
            .with_log(folder.path().join("log")))
    };
    let mut vmc = new()?.with_checkpoint(&good, 2)?;
    let Err(Error::Diverged { step, path, source }) = vmc.run(10_000) else {
        return Err("the wave function became NaN unseen".into());
    };
    assert!(step >= 2 && path == bad.display().to_string(), "{step} {path}");
    assert!(matches!(*source, Error::Core(operator_core::Error::LogPsiNotFinite { .. })), "{source}");
    assert_eq!(Snapshot::read(&good)?.read_note::<usize>("n_steps")?, step - step % 2);
    let log: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.path().join("log"))?)?;
    assert_eq!(log["Energy"]["iters"].as_array().map(Vec::len), Some(step));

    let mut again = new()?;
    again.load_checkpoint(&bad)?;
    assert_eq!(again.n_steps(), step);
    assert_eq!(again.state().wave_function().parameters(), vmc.state().wave_function().parameters());
    // Without a checkpoint to write, the error comes as it is.
    let error = again.run(1).err().map(|error| error.to_string());
    assert_eq!(error, Some(source.to_string()));
    Ok(())
}

/// Gradient descent that remembers each step and makes infinite ones.
struct ToNowhere(Sgd);

impl Optimiser for ToNowhere {
    fn step(&mut self, response: &Response) -> variational::Result<Array1<f64>> {
        Ok(self.0.step(response)? + f64::INFINITY)
    }

    fn save(&self, snapshot: &mut Snapshot) {
        self.0.save(snapshot);
    }

    fn restore(&mut self, snapshot: &Snapshot) -> variational::Result<()> {
        self.0.restore(snapshot)
    }
}

/// The optimiser has its memory back, as if it had not been asked.
fn a_step_to_nowhere_leaves_everything_as_it_was<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let state = FullSumState::new(rbm::<B>(operator.hilbert(), 0.1)?)?;
    let mut vmc = Vmc::new(state, &operator, ToNowhere(Sgd::new(0.1)?.with_momentum(0.9)?));
    let before = vmc.snapshot()?;
    assert!(matches!(vmc.step(), Err(Error::NotFinite { what: "parameters", index: 0 })));
    assert_eq!(vmc.snapshot()?, before);
    Ok(())
}

/// A callback with a memory of its own.
#[derive(Default)]
struct Count(usize);

impl<S> Callback<S> for Count {
    fn on_step(&mut self, _: &Event<'_, S>) -> Control {
        self.0 += 1;
        if self.0 == 5 { Control::Stop("five".into()) } else { Control::Continue }
    }

    fn save(&self, snapshot: &mut Snapshot) {
        snapshot.note("count", self.0);
    }

    fn restore(&mut self, snapshot: &Snapshot) -> variational::Result<()> {
        self.0 = snapshot.read_note("count")?;
        Ok(())
    }
}

fn callbacks_remember_through_checkpoints<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let operator = ising(3)?.lower::<B>()?;
    let new = || -> variational::Result<_> {
        let state = FullSumState::new(rbm::<B>(operator.hilbert(), 0.1)?)?;
        let vmc = Vmc::new(state, &operator, Sgd::new(0.01)?).with_callback(Count::default());
        vmc.with_callback(EarlyStopping::new(100, 0.0)?).with_checkpoint(&path, 100)
    };
    let mut vmc = new()?;
    assert!(!vmc.resume()?, "there is no file yet");
    assert_eq!(vmc.run(3)?.end, End::Finished);
    let mut resumed = new()?;
    assert!(resumed.resume()?);
    let history = resumed.run_to(100)?;
    assert_eq!((history.steps.len(), history.end), (2, End::Stopped("five".into())));
    Ok(())
}

on_backends!(
    observables_are_measured_on_the_samples_of_the_energy,
    a_log_is_written_in_the_layout_of_netket,
    callbacks_end_runs_and_say_why,
    runs_are_made_in_one_place_and_taken_in_another,
    a_step_that_fails_is_saved_and_fails_again,
    a_step_to_nowhere_leaves_everything_as_it_was,
    callbacks_remember_through_checkpoints,
);
