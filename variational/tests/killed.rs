//! Runs in a process of their own that is killed or interrupted.
#![cfg(feature = "flat")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use backend_flat::FlatOperator;
use operator_core::hilbert::Spin;
use operator_core::testing::TestResult;
use operator_core::{Boundary, DiscreteOperator, Graph, Heisenberg, Model};
use sampler::HamiltonianSampler;
use variational::{Adam, End, Flat, MonteCarloState, Rbm, Snapshot, Vmc};

/// Tells the child where to write.
const FOLDER: &str = "VARIATIONAL_TEST_FOLDER";

/// Far more steps than a child is given time for.
const ENDLESS: usize = 100_000_000;

type Operator = FlatOperator<f64>;
type State = MonteCarloState<Flat, HamiltonianSampler<Operator>, Rbm<Flat>>;

fn new(folder: &Path) -> variational::Result<Vmc<State, Operator, Adam>> {
    let chain = Graph::chain(6, Boundary::Periodic)?;
    let operator = Heisenberg::new(Spin::half(6)?.with_total_sz(0.0)?, &chain, 1.0)?.lower::<Flat>()?;
    let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(4)?.with_seed(3);
    let rbm = Rbm::<Flat>::new(operator.hilbert().clone(), 1.0)?.with_seed(3).with_sigma(0.1)?;
    let vmc = Vmc::new(MonteCarloState::new(sampler, rbm, 32)?, &operator, Adam::new(0.01)?);
    Ok(vmc
        .with_log(folder.join("run.json"))
        .with_checkpoint(folder.join("run.safetensors"), 1)?
        .with_ctrl_c())
}

#[test]
#[ignore = "the other tests start it as a process of its own"]
fn child() -> TestResult {
    let folder = env::var_os(FOLDER).ok_or("started by hand; the other tests say where it is to write")?;
    let folder = Path::new(&folder);
    let mut vmc = new(folder)?;
    vmc.resume()?;
    let history = vmc.run(ENDLESS)?;
    fs::write(folder.join("end"), format!("{:?}", history.end))?;
    Ok(())
}

fn start(folder: &Path) -> std::io::Result<Child> {
    start_as(Command::new(env::current_exe()?), folder)
}

fn start_as(mut command: Command, folder: &Path) -> std::io::Result<Child> {
    command.args(["child", "--exact", "--ignored"]).env(FOLDER, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// Waits until the child's checkpoint is at this step or a later one.
fn wait_for(child: &mut Child, folder: &Path, step: usize) -> TestResult {
    let path = folder.join("run.safetensors");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(120) {
        // A file that is there is whole, at whatever time it is read.
        if path.exists() && Snapshot::read(&path)?.read_note::<usize>("n_steps")? >= step {
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            return Err(format!("the child ended early: {status}").into());
        }
        sleep(Duration::from_millis(1));
    }
    child.kill()?;
    child.wait()?;
    Err(format!("no step {step} in two minutes").into())
}

/// A few more steps from the child's checkpoint, against a run of one piece.
fn goes_on_to_the_bit(folder: &Path) -> TestResult {
    let mut resumed = new(folder)?;
    assert!(resumed.resume()?);
    let total = resumed.n_steps() + 3;
    let elsewhere = tempfile::tempdir()?;
    let mut whole = new(elsewhere.path())?.with_checkpoint(elsewhere.path().join("whole"), total)?;
    whole.run_to(total)?;
    resumed.run_to(total)?;
    assert_eq!(resumed.snapshot()?, whole.snapshot()?);
    let logs = [folder, elsewhere.path()].map(|folder| fs::read_to_string(folder.join("run.json")));
    let [resumed, whole] = logs;
    assert_eq!(resumed?, whole?);
    Ok(())
}

#[test]
fn a_run_that_is_killed_twice_goes_on_to_the_bit() -> TestResult {
    let folder = tempfile::tempdir()?;
    for step in [3, 10] {
        let mut child = start(folder.path())?;
        wait_for(&mut child, folder.path(), step)?;
        child.kill()?;
        assert!(!child.wait()?.success());
    }
    assert!(!folder.path().join("end").exists(), "it had no time to say goodbye");
    goes_on_to_the_bit(folder.path())
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_step_and_saves() -> TestResult {
    let folder = tempfile::tempdir()?;
    let child = start(folder.path())?;
    interrupted_saves(child, folder.path())
}

/// As scripts start what goes on in the background: told to ignore Ctrl-C.
#[cfg(unix)]
#[test]
fn ctrl_c_is_heard_in_the_background() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut ignoring = Command::new("sh");
    ignoring.args(["-c", "trap '' INT; exec \"$0\" \"$@\""]).arg(env::current_exe()?);
    let child = start_as(ignoring, folder.path())?;
    interrupted_saves(child, folder.path())
}

#[cfg(unix)]
fn interrupted_saves(mut child: Child, folder: &Path) -> TestResult {
    wait_for(&mut child, folder, 3)?;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status()?.success());
    assert!(child.wait()?.success());
    assert_eq!(fs::read_to_string(folder.join("end"))?, format!("{:?}", End::Interrupted));
    let log: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.join("run.json"))?)?;
    let n_steps = Snapshot::read(folder.join("run.safetensors"))?.read_note::<usize>("n_steps")?;
    assert_eq!(log["Energy"]["iters"].as_array().map(Vec::len), Some(n_steps));
    goes_on_to_the_bit(folder)
}
