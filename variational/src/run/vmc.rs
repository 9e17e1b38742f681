//! Variational Monte Carlo: the driver.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use operator_core::DiscreteOperator;

use super::breakdown::{LastChange, MAX_HALVINGS, OnBreakdown, in_words, is_breakdown, is_no_number};
use super::callback::{Callback, Closure, Control, Event, at_least_one};
use super::checkpoint::Checkpoint;
use super::interrupt::Interrupt;
use super::log::RunLog;
use super::step::{End, History, Step};
use crate::derivatives::Response;
use crate::derivatives::Trainable;
use crate::error::{Error, Result};
use crate::estimate::LocalKernel;
use crate::optimise::Optimiser;
use crate::state::VariationalState;
use crate::statistics::{Problem, Stats};
use crate::storage::Snapshot;

/// The energy's name in logs.
const ENERGY: &str = "Energy";

/// The name of what says that an energy is none.
const PROBLEMS: &str = "Problems";

/// How often the log is written, in steps, if there are no checkpoints.
const LOG_EVERY: usize = 50;

/// Measures an observable on the present samples of a state.
type Measure<S> = Box<dyn Fn(&mut S) -> Result<Stats> + Send>;

/// Variational Monte Carlo: lowers the energy of a state, step by step.
///
/// With a [`FullSumState`](crate::FullSumState) it is the same, without sampling noise. A run owns everything it
/// uses, so it can be returned from a function or moved to a thread.
///
/// A run can be stopped at any time and resumed from its checkpoint. Once it has taken as many steps as an
/// uninterrupted run, it holds the same bits:
///
/// ```no_run
/// # use variational::prelude::*;
/// # use variational::{Boundary, EarlyStopping, Flat, Graph, HamiltonianSampler, hilbert::Spin, models::Ising};
/// # use variational::{MonteCarloState, Rbm, Sr, Vmc};
/// # let (spins, chain) = (Spin::half(6)?, Graph::chain(6, Boundary::Periodic)?);
/// # let ising = Ising::new(spins.clone(), &chain, 1.0, -1.0)?.lower::<Flat>()?;
/// # let flips = Ising::new(spins.clone(), &chain, 1.0, 0.0)?.lower::<Flat>()?;
/// # let sampler = HamiltonianSampler::new(&ising)?;
/// # let state = MonteCarloState::new(sampler, Rbm::<Flat>::new(spins, 1.0)?.with_seed(2), 500)?;
/// let mut vmc = Vmc::new(state, &ising, Sr::new(0.1, 0.01)?)
///     .with_observable("flips", &flips)?
///     .with_callback(EarlyStopping::new(50, 1e-3)?)
///     .with_log("ising.json")
///     .with_checkpoint("ising.safetensors", 20)?
///     .with_ctrl_c()
///     .with_progress();
/// vmc.resume()?;
/// let history = vmc.run_to(300)?;
/// println!("{:?} after {} steps", history.end, vmc.n_steps());
/// # Ok::<(), variational::Error>(())
/// ```
pub struct Vmc<S, O, P> {
    pub(super) state: S,
    pub(super) operator: O,
    pub(super) optimiser: P,
    pub(super) n_steps: usize,
    pub(super) observables: Vec<(String, Measure<S>)>,
    pub(super) callbacks: Vec<Box<dyn Callback<S> + Send>>,
    pub(super) log: RunLog,
    pub(super) log_path: Option<PathBuf>,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) ctrl_c: bool,
    progress: bool,
    on_breakdown: OnBreakdown,
    /// The largest size of an expectation value of the operator, if that is known.
    bound: Option<f64>,
    /// Kept if the run steps back.
    pub(super) last_change: Option<LastChange>,
    /// Whether a step has said what chains cannot leave.
    has_named_sector: bool,
}

/// What is measured in a step.
struct Measured {
    response: Response,
    observables: Vec<(String, Stats)>,
    problems: Vec<Problem>,
}

impl<S, O, P> Vmc<S, O, P>
where
    S: VariationalState,
    S::Backend: LocalKernel<O>,
    S::WaveFunction: Trainable<S::Backend>,
    O: DiscreteOperator<Backend = S::Backend>,
    P: Optimiser,
{
    /// Lowers the mean of `operator` in `state` by steps of `optimiser`. The run keeps a clone of the operator;
    /// clones of the backends' operators share their tables.
    pub fn new(state: S, operator: &O, optimiser: P) -> Self
    where
        O: Clone,
    {
        Vmc {
            state,
            operator: operator.clone(),
            optimiser,
            n_steps: 0,
            observables: Vec::new(),
            callbacks: Vec::new(),
            log: RunLog::new(),
            log_path: None,
            checkpoint: None,
            ctrl_c: false,
            progress: false,
            on_breakdown: OnBreakdown::default(),
            bound: S::Backend::norm_bound(operator),
            last_change: None,
            has_named_sector: false,
        }
    }

    /// Measures another operator in each step, on the same samples as the energy. Steps and logs show it under
    /// this name. The run keeps a clone of the operator.
    ///
    /// # Errors
    /// [`Error::Name`] if the name is `Energy`, `Problems` or already taken.
    pub fn with_observable<Q>(mut self, name: impl Into<String>, operator: &Q) -> Result<Self>
    where
        Q: Clone + Send + 'static,
        S::Backend: LocalKernel<Q>,
    {
        let name = name.into();
        if name == ENERGY || name == PROBLEMS || self.observables.iter().any(|(taken, _)| *taken == name) {
            return Err(Error::Name { what: "an observable", name });
        }
        let operator = operator.clone();
        self.observables.push((name, Box::new(move |state: &mut S| state.expect(&operator))));
        Ok(self)
    }

    /// Adds a callback, called after each step.
    #[must_use]
    pub fn with_callback(mut self, callback: impl Callback<S> + Send + 'static) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Calls a closure after each step.
    ///
    /// ```
    /// # use variational::prelude::*;
    /// # use variational::{Boundary, Control, End, Flat, FullSumState, Graph, Rbm, Sgd, Vmc};
    /// # use variational::{hilbert::Spin, models::Ising};
    /// # let (spins, chain) = (Spin::half(4)?, Graph::chain(4, Boundary::Periodic)?);
    /// # let ising = Ising::new(spins.clone(), &chain, 1.0, -1.0)?.lower::<Flat>()?;
    /// # let state = FullSumState::new(Rbm::<Flat>::new(spins, 1.0)?.with_seed(2))?;
    /// let mut vmc = Vmc::new(state, &ising, Sgd::new(0.05)?).on_step(|event| {
    ///     if event.step.energy.variance < 1.0 {
    ///         return Control::Stop("close to an eigenstate".into());
    ///     }
    ///     Control::Continue
    /// });
    /// let history = vmc.run(1000)?;
    /// assert_eq!(history.end, End::Stopped("close to an eigenstate".into()));
    /// # Ok::<(), variational::Error>(())
    /// ```
    #[must_use]
    pub fn on_step(self, closure: impl FnMut(&Event<'_, S>) -> Control + Send + 'static) -> Self {
        self.with_callback(Closure(closure))
    }

    /// Writes a log to this file: with each checkpoint (or every 50 steps without checkpoints) and at the end of a
    /// run.
    #[must_use]
    pub fn with_log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log_path = Some(path.into());
        self
    }

    /// Writes a checkpoint to this file every `every` steps and at the end of a run.
    ///
    /// If a step fails for any reason, such as NaN among the energies, the state before that step is saved beside
    /// the checkpoint: `run.failed.safetensors` for `run.safetensors`.
    ///
    /// # Errors
    /// [`Error::Setting`] if `every` is 0.
    pub fn with_checkpoint(mut self, path: impl Into<PathBuf>, every: usize) -> Result<Self> {
        let every = at_least_one("the number of steps between checkpoints", every)?;
        self.checkpoint = Some(Checkpoint { path: path.into(), every });
        Ok(self)
    }

    /// Lets Ctrl-C end a run after the present step: files are written, and the run ends with
    /// [`End::Interrupted`]. A second Ctrl-C, or one while nothing runs, ends the program. Programs that shells start
    /// in the background with Ctrl-C ignored listen, too; handlers that the program has are called as well.
    #[must_use]
    pub fn with_ctrl_c(mut self) -> Self {
        self.ctrl_c = true;
        self
    }

    /// Shows a bar with the energy on the terminal while steps are taken. It goes to the standard error, and
    /// nothing is shown if that is not a terminal.
    #[must_use]
    pub fn with_progress(mut self) -> Self {
        self.progress = true;
        self
    }

    /// Sets what the run does when the energy of a step is none. Unless set, it [warns](OnBreakdown::Warn).
    ///
    /// ```
    /// # use variational::prelude::*;
    /// # use variational::{Boundary, Flat, Graph, LocalSampler, MonteCarloState, OnBreakdown, Rbm, Sgd, Vmc};
    /// # use variational::{hilbert::Spin, models::Ising};
    /// # let (spins, chain) = (Spin::half(6)?, Graph::chain(6, Boundary::Periodic)?);
    /// # let ising = Ising::new(spins.clone(), &chain, 1.0, -1.0)?.lower::<Flat>()?;
    /// # let rbm = Rbm::<Flat>::new(spins.clone(), 1.0)?.with_seed(2);
    /// # let state = MonteCarloState::new(LocalSampler::new(spins)?, rbm, 800)?;
    /// // Steps that are far too large
    /// let vmc = Vmc::new(state, &ising, Sgd::new(1e3)?);
    /// assert!(vmc.with_on_breakdown(OnBreakdown::Stop).run(10).is_err());
    /// # Ok::<(), variational::Error>(())
    /// ```
    #[must_use]
    pub fn with_on_breakdown(mut self, on_breakdown: OnBreakdown) -> Self {
        self.on_breakdown = on_breakdown;
        self
    }

    /// Measures the energy and the observables, then changes the parameters once. An error, or a panic of a user's code,
    /// leaves parameters and optimiser as they were.
    ///
    /// # Errors
    /// As [`VariationalState::response`]; errors of the optimiser; [`Error::NotFinite`] if a parameter
    /// would become NaN or infinite; [`Error::NoEnergy`] as [`with_on_breakdown`](Self::with_on_breakdown) says.
    pub fn step(&mut self) -> Result<Step> {
        let (measured, n_steps_back) = self.measure_energy()?;
        let Measured { response, observables, problems } = measured;
        let mut memory = Snapshot::new();
        self.optimiser.save(&mut memory);
        // A panic of a user's wave function or optimiser passes on, as an error does.
        let changed = catch_unwind(AssertUnwindSafe(|| self.change_parameters(&response, &memory)));
        if !matches!(changed, Ok(Ok(()))) {
            // The failure to report is the first one.
            let _ = self.optimiser.restore(&memory);
        }
        changed.unwrap_or_else(|panic| resume_unwind(panic))?;
        let step =
            Step { number: self.n_steps, energy: response.stats(), observables, problems, n_steps_back };
        self.n_steps = self.n_steps.saturating_add(1);
        self.log.push(ENERGY, step.number, step.energy);
        for (name, stats) in &step.observables {
            self.log.push(name, step.number, *stats);
        }
        step.problems.iter().for_each(|problem| self.log.push_problem(step.number, problem));
        Ok(step)
    }

    /// Takes `n_steps` more steps and returns them.
    ///
    /// # Errors
    /// As [`step`](Self::step), inside an [`Error::Diverged`] if there are checkpoints; [`Error::File`] if a
    /// file cannot be written; [`Error::CtrlC`] if the Ctrl-C handler cannot be installed.
    pub fn run(&mut self, n_steps: usize) -> Result<History> {
        let interrupt = self.ctrl_c.then(Interrupt::listen).transpose()?;
        let bar = if self.progress { progress_bar(n_steps) } else { ProgressBar::hidden() };
        let mut history = History { steps: Vec::new(), end: End::Finished };
        while history.steps.len() < n_steps && history.end == End::Finished {
            let step = self.step().map_err(|error| {
                bar.abandon();
                self.failed(error)
            })?;
            bar.set_message(step.energy.to_string());
            step.problems.iter().for_each(|problem| bar.println(format!("step {}: {problem}", step.number)));
            bar.inc(1);
            if let Some(reason) = self.call_back(&step) {
                history.end = End::Stopped(reason);
            } else if interrupt.as_ref().is_some_and(Interrupt::pressed) {
                history.end = End::Interrupted;
            }
            history.steps.push(step);
            let goes_on = history.steps.len() < n_steps && history.end == End::Finished;
            let every = self.checkpoint.as_ref().map_or(LOG_EVERY, |checkpoint| checkpoint.every);
            if goes_on && self.n_steps.is_multiple_of(every) {
                self.write_files()?;
            }
        }
        self.write_files()?;
        bar.abandon();
        Ok(history)
    }

    /// Continues until `n_steps` steps have been taken in all, including those before a resume. Takes none if there
    /// are already that many.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_to(&mut self, n_steps: usize) -> Result<History> {
        self.run(n_steps.saturating_sub(self.n_steps))
    }

    /// Number of steps taken, including those before a resume.
    pub fn n_steps(&self) -> usize {
        self.n_steps
    }

    /// What all steps measured.
    pub fn log(&self) -> &RunLog {
        &self.log
    }

    /// The operator whose mean is lowered.
    pub fn operator(&self) -> &O {
        &self.operator
    }

    /// The state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// The state, for measurements.
    pub fn state_mut(&mut self) -> &mut S {
        &mut self.state
    }

    /// Ends the optimisation and returns the state.
    pub fn into_state(self) -> S {
        self.state
    }

    /// Measures the energy, and steps back until it is one if the run is to; returns how often it did.
    fn measure_energy(&mut self) -> Result<(Measured, usize)> {
        let mut n_halvings = 0;
        loop {
            let measured = self.measure();
            let reason = match &measured {
                Ok(Measured { problems, .. }) if problems.iter().any(is_breakdown) => in_words(problems),
                Err(error) if is_no_number(error) => error.to_string(),
                _ => return measured.map(|measured| (measured, n_halvings)),
            };
            match self.on_breakdown {
                OnBreakdown::Warn => return measured.map(|measured| (measured, n_halvings)),
                // Its own error says more.
                OnBreakdown::Stop => measured?,
                OnBreakdown::StepBack if self.last_change.is_some() && n_halvings < MAX_HALVINGS => {
                    self.log.push_problem(self.n_steps, format_args!("stepped back: {reason}"));
                    n_halvings += 1;
                    match self.halve_last_change() {
                        // Half as far may still be too far for chains to start; the next measurement says so.
                        Err(error) if is_no_number(&error) => {}
                        result => result?,
                    }
                    continue;
                }
                OnBreakdown::StepBack => {
                    self.undo_last_change()?;
                    measured?
                }
            };
            return Err(Error::NoEnergy { step: self.n_steps, reason });
        }
    }

    fn measure(&mut self) -> Result<Measured> {
        let response = self.state.response(&self.operator)?;
        let stats = response.stats();
        let mut observables = Vec::with_capacity(self.observables.len());
        for (name, measure) in &self.observables {
            observables.push((name.clone(), measure(&mut self.state)?));
        }
        let diagnosis = self.state.diagnose(&stats)?.with_bound(&stats, self.bound);
        let has_named_sector = self.has_named_sector;
        let is_told = |problem: &Problem| match problem {
            Problem::Sector(_) => !has_named_sector,
            problem => is_breakdown(problem),
        };
        let problems: Vec<Problem> = diagnosis.into_problems().into_iter().filter(is_told).collect();
        self.has_named_sector |= problems.iter().any(|problem| matches!(problem, Problem::Sector(_)));
        Ok(Measured { response, observables, problems })
    }

    /// Goes half as far from the parameters before the last change, and starts the chains again.
    fn halve_last_change(&mut self) -> Result<()> {
        let Some(last) = &mut self.last_change else { return Ok(()) };
        last.change *= 0.5;
        let parameters = &last.before + &last.change;
        self.optimiser.restore(&last.memory)?;
        self.state.wave_function_mut().set_parameters(&parameters)?;
        self.state.restart()
    }

    /// Returns to the parameters before the last change.
    fn undo_last_change(&mut self) -> Result<()> {
        let Some(last) = self.last_change.take() else { return Ok(()) };
        self.optimiser.restore(&last.memory)?;
        Ok(self.state.wave_function_mut().set_parameters(&last.before)?)
    }

    fn change_parameters(&mut self, response: &Response, memory: &Snapshot) -> Result<()> {
        let change = self.optimiser.step(response)?;
        let mut parameters = self.state.wave_function().parameters();
        if change.len() != parameters.len() {
            let (got, expected) = (vec![change.len()], vec![parameters.len()]);
            return Err(Error::Shape { what: "changes of parameters", got, expected });
        }
        let before = (self.on_breakdown == OnBreakdown::StepBack).then(|| parameters.clone());
        parameters += &change;
        if let Some(index) = parameters.iter().position(|parameter| !parameter.is_finite()) {
            return Err(Error::NotFinite { what: "parameters", index });
        }
        self.state.wave_function_mut().set_parameters(&parameters)?;
        self.last_change = before.map(|before| LastChange { before, change, memory: memory.clone() });
        Ok(())
    }

    /// Calls all callbacks and returns the reason of the first that stops the run.
    fn call_back(&mut self, step: &Step) -> Option<String> {
        let event = Event { step, state: &self.state };
        let answers = self.callbacks.iter_mut().map(|callback| callback.on_step(&event));
        answers.fold(None, |reason, answer| match answer {
            Control::Stop(new) => reason.or(Some(new)),
            Control::Continue => reason,
        })
    }

    fn write_files(&self) -> Result<()> {
        if let Some(checkpoint) = &self.checkpoint {
            self.save_checkpoint(&checkpoint.path)?;
        }
        self.log_path.as_ref().map_or(Ok(()), |path| self.log.write(path))
    }

    /// Saves what it can after a failed step. The step's error matters more than one of saving.
    fn failed(&self, error: Error) -> Error {
        if let Some(path) = &self.log_path {
            let _ = self.log.write(path);
        }
        let Some(path) = self.checkpoint.as_ref().map(Checkpoint::failed_path) else { return error };
        match self.save_checkpoint(&path) {
            Ok(()) => {
                let path = path.display().to_string();
                Error::Diverged { step: self.n_steps, path, source: Box::new(error) }
            }
            Err(_) => error,
        }
    }
}

impl<S: fmt::Debug, O: fmt::Debug, P: fmt::Debug> fmt::Debug for Vmc<S, O, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vmc")
            .field("state", &self.state)
            .field("operator", &self.operator)
            .field("optimiser", &self.optimiser)
            .field("n_steps", &self.n_steps)
            .field("observables", &self.observables.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("n_callbacks", &self.callbacks.len())
            .field("log_path", &self.log_path)
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}

fn progress_bar(n_steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} {wide_bar} {pos}/{len} E = {msg}");
    let bar = ProgressBar::new(n_steps as u64);
    bar.set_style(style.expect("the template is valid"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
