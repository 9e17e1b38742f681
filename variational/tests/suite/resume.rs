//! Checkpoints: runs that go on to the bit, and files that are refused.

use std::fs;
use std::path::Path;

use crate::common::{Table, TestResult, heisenberg, ising};
use ndarray::Array1;
use operator_core::hilbert::Spin;
use operator_core::{DiscreteOperator, HilbertSpace, Lower};
use sampler::HamiltonianSampler;
use variational::{
    Adam, Error, FullSumState, MonteCarloState, Optimiser, Rbm, RunsVmc, Schedule, Sgd, Snapshot, Sr,
    SrSolver, Trainable, VariationalState, Vmc, load_parameters, save_parameters,
};

/// Steps before the interruption, and after it.
const STEPS: (usize, usize) = (4, 5);

/// A run of one piece against a run of two. The second piece starts from other parameters and other random
/// numbers, and sees nothing of the first but its file.
fn goes_on<B, S, P>(
    operator: &<B as Lower<f64>>::Operator,
    state: impl Fn(u64) -> variational::Result<S>,
    optimiser: impl Fn() -> variational::Result<P>,
) -> TestResult
where
    B: RunsVmc,
    S: VariationalState<Backend = B>,
    S::WaveFunction: Trainable<B>,
    P: Optimiser,
{
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let new = |seed| -> variational::Result<_> {
        Vmc::new(state(seed)?, operator, optimiser()?).with_observable("again", operator)
    };
    let mut whole = new(1)?;
    let mut first = new(1)?;
    for vmc in [&mut whole, &mut first] {
        vmc.run(STEPS.0)?;
        // Samples that the next step uses are part of the state.
        vmc.state_mut().expect(operator)?;
    }
    first.save_checkpoint(&path)?;
    let mut second = new(2)?;
    second.run(1)?;
    assert_ne!(second.snapshot()?, first.snapshot()?);
    second.load_checkpoint(&path)?;
    assert_eq!(second.snapshot()?, first.snapshot()?);
    let steps = second.run_to(STEPS.0 + STEPS.1)?.steps;
    // Numbers print with all their digits; and exact sums have NaN for R̂.
    assert_eq!(format!("{steps:?}"), format!("{:?}", whole.run(STEPS.1)?.steps));
    assert_eq!(second.snapshot()?, whole.snapshot()?);
    assert_eq!(second.log().series("again").count(), STEPS.0 + STEPS.1);
    Ok(())
}

fn goes_on_with_all_optimisers<B, S>(
    operator: &<B as Lower<f64>>::Operator,
    state: impl Fn(u64) -> variational::Result<S>,
) -> TestResult
where
    B: RunsVmc,
    S: VariationalState<Backend = B>,
    S::WaveFunction: Trainable<B>,
{
    let decay = Schedule::exponential(0.1, 0.01, 7);
    goes_on(operator, &state, || Adam::new(decay))?;
    goes_on(operator, &state, || Sgd::new(Schedule::linear(0.02, 0.01, 6))?.with_momentum(0.9))?;
    for solver in [SrSolver::Auto, SrSolver::MinSr, SrSolver::conjugate_gradients()] {
        goes_on(operator, &state, || Sr::new(Schedule::cosine(0.1, 0.02, 8), decay)?.with_solver(solver))?;
    }
    Ok(())
}

fn sampled_runs_go_on_to_the_bit<B: RunsVmc>() -> TestResult {
    let operator = heisenberg(6)?.lower::<B>()?;
    goes_on_with_all_optimisers(&operator, |seed| {
        let sampler = HamiltonianSampler::new(&operator)?.with_n_chains(4)?.with_seed(seed);
        let rbm = Rbm::<B>::new(operator.hilbert().clone(), 1.0)?.with_seed(seed).with_sigma(0.1)?;
        MonteCarloState::new(sampler, rbm, 40)?.with_chunk_size(7)
    })
}

fn exact_runs_go_on_to_the_bit<B: RunsVmc>() -> TestResult {
    let operator = ising(4)?.lower::<B>()?;
    goes_on_with_all_optimisers(&operator, |seed| {
        FullSumState::new(Rbm::<B>::new(operator.hilbert().clone(), 1.0)?.with_seed(seed).with_sigma(0.1)?)
    })?;
    // Complex, with the default layout.
    let table = Table::<B>::random(operator.hilbert())?;
    goes_on(
        &operator,
        |seed| {
            let mut table = table.clone();
            table.set_parameters(&(table.parameters() / seed as f64))?;
            FullSumState::new(table)
        },
        || Sr::new(0.1, 0.01),
    )
}

/// Parameters, chains and samples are the same numbers everywhere.
#[cfg(all(feature = "flat", feature = "padded"))]
#[test]
fn a_run_moves_from_one_backend_to_the_other() -> TestResult {
    use operator_core::Backend;
    use variational::{Flat, Padded};
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let definition = ising(5)?;
    let (hilbert, flat, padded) =
        (definition.hilbert(), definition.lower::<Flat>()?, definition.lower::<Padded>()?);
    let sr = || Sr::new(0.1, 0.01);
    let mut flat = Vmc::new(small::<Flat>(&flat, hilbert, (1.0, 4))?, &flat, sr()?);
    let mut padded = Vmc::new(small::<Padded>(&padded, hilbert, (1.0, 4))?, &padded, sr()?);
    flat.run(3)?;
    flat.save_checkpoint(&path)?;
    padded.load_checkpoint(&path)?;
    assert_eq!(padded.state().wave_function().parameters(), flat.state().wave_function().parameters());
    let samples = padded.state_mut().ensemble()?;
    let flat_samples = flat.state_mut().ensemble()?;
    assert_eq!(Padded::to_host(samples.configurations())?, *flat_samples.configurations());
    Ok(())
}

fn small<B: RunsVmc>(
    operator: &<B as Lower<f64>>::Operator,
    hilbert: &HilbertSpace,
    (alpha, n_chains): (f64, usize),
) -> variational::Result<impl VariationalState<Backend = B, WaveFunction = Rbm<B>>> {
    let sampler = HamiltonianSampler::new(operator)?.with_n_chains(n_chains)?;
    MonteCarloState::new(sampler, Rbm::<B>::new(hilbert.clone(), alpha)?.with_seed(1).with_sigma(0.1)?, 16)
}

fn files_of_something_else_are_refused_and_change_nothing<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let name = path.display().to_string();
    let definition = ising(4)?;
    let (hilbert, operator) = (definition.hilbert(), definition.lower::<B>()?);
    let sgd = || Sgd::new(0.1);
    let mut vmc = Vmc::new(small::<B>(&operator, hilbert, (1.0, 4))?, &operator, sgd()?);
    vmc.run(2)?;
    let before = vmc.snapshot()?;
    let mut refused = |expected: &str| -> TestResult {
        let error = vmc.load_checkpoint(&path).err();
        assert!(matches!(error, Some(Error::Content { .. })), "{error:?}");
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(message.starts_with(&format!("{name}: {expected}")), "{message}");
        assert_eq!(vmc.snapshot()?, before);
        Ok(())
    };

    let run = |settings| -> variational::Result<_> {
        let mut other = Vmc::new(small::<B>(&operator, hilbert, settings)?, &operator, sgd()?);
        other.run(3)?;
        other.snapshot()
    };
    run((2.0, 4))?.write(&path)?;
    refused("array \"hidden.bias\" has shape [8]; expected [4]")?;
    run((1.0, 8))?.write(&path)?;
    refused("8 configurations; expected 4, one a chain")?;

    let five = ising(5)?;
    let (space, operator_five) = (five.hilbert(), five.lower::<B>()?);
    let other = Vmc::new(small::<B>(&operator_five, space, (1.0, 4))?, &operator_five, sgd()?);
    other.save_checkpoint(&path)?;
    refused("the run was on Spin(1/2, 5 sites); expected Spin(1/2, 4 sites)")?;

    let other = Vmc::new(small::<B>(&operator, hilbert, (1.0, 4))?, &operator, Adam::new(0.1)?);
    other.save_checkpoint(&path)?;
    refused("the optimiser was Adam; resume with it instead of Sgd")?;

    let exact = FullSumState::new(Rbm::<B>::new(hilbert.clone(), 1.0)?.with_seed(1).with_sigma(0.1)?)?;
    Vmc::new(exact, &operator, sgd()?).save_checkpoint(&path)?;
    refused("no note \"rngs\"; it is the file of something else")?;

    save_parameters(&path, &Rbm::<B>::new(hilbert.clone(), 1.0)?.with_seed(1).with_sigma(0.1)?)?;
    refused("not a \"variational checkpoint 1\"")?;

    // Spins that are none, in a file that is whole.
    let mut foreign = run((1.0, 4))?;
    foreign.insert("state/configurations", ndarray::Array2::<i8>::zeros((4, 4)).view());
    foreign.write(&path)?;
    refused("sample 0 has quantum number 0 at site 0")?;
    Ok(())
}

fn files_that_are_damaged_are_refused_and_change_nothing<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let definition = ising(3)?;
    let operator = definition.lower::<B>()?;
    let state = small::<B>(&operator, definition.hilbert(), (1.0, 2))?;
    let mut vmc = Vmc::new(state, &operator, Sr::new(0.1, 0.1)?);
    vmc.run(2)?;
    vmc.save_checkpoint(&path)?;
    vmc.run(1)?;
    let before = vmc.snapshot()?;
    let whole = fs::read(&path)?;
    let mut damaged: Vec<Vec<u8>> = (0..40).map(|part| whole[..part * whole.len() / 40].to_vec()).collect();
    // The arrays begin behind the header, whose length is in the first eight bytes.
    let header = whole.first_chunk().map_or(0, |&length| 8 + u64::from_le_bytes(length) as usize);
    damaged.extend((0..40).map(|part| {
        let mut bytes = whole.clone();
        bytes[header + part * (whole.len() - header) / 40] ^= 0x10;
        bytes
    }));
    damaged.push(b"not even close".to_vec());
    for bytes in damaged {
        fs::write(&path, bytes)?;
        assert!(matches!(vmc.load_checkpoint(&path), Err(Error::Content { .. })));
        assert_eq!(vmc.snapshot()?, before);
    }
    assert!(matches!(vmc.load_checkpoint(folder.path().join("none")), Err(Error::File { .. })));
    let refused = vmc.resume().err().map(|error| error.to_string());
    assert_eq!(
        refused.as_deref(),
        Some("the checkpoint to resume from is not set; call with_checkpoint first")
    );
    Ok(())
}

fn parameters_of_any_wave_function_are_saved_and_loaded<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("parameters.safetensors");
    let hilbert: HilbertSpace = Spin::half(4)?.into();
    let rbm = |alpha, seed| {
        Rbm::<B>::new(hilbert.clone(), alpha).and_then(|rbm| rbm.with_seed(seed).with_sigma(0.3))
    };
    save_parameters(&path, &rbm(1.0, 1)?)?;
    let mut read = rbm(1.0, 2)?;
    load_parameters(&path, &mut read)?;
    assert_eq!(read.parameters(), rbm(1.0, 1)?.parameters());

    let message =
        |result: variational::Result<()>| result.err().map(|error| error.to_string()).unwrap_or_default();
    let wrong = message(load_parameters(&path, &mut rbm(2.0, 1)?));
    assert_eq!(wrong, format!("{}: array \"hidden.bias\" has shape [4]; expected [8]", path.display()));
    let table = Table::<B>::random(&hilbert)?;
    save_parameters(&path, &table)?;
    let mut read = table.clone();
    read.set_parameters(&Array1::zeros(32))?;
    load_parameters(&path, &mut read)?;
    assert_eq!(read.parameters(), table.parameters());

    let mut broken = Snapshot::new();
    broken.insert("parameters", Array1::from_elem(32, f64::NAN).view());
    broken.write(&path)?;
    let before = read.parameters();
    let wrong = message(load_parameters(&path, &mut read));
    assert!(wrong.ends_with("array \"parameters\" holds NaN; parameters must be finite"), "{wrong}");
    assert_eq!(read.parameters(), before);
    single_precision_is_read(&path, &mut read)
}

/// A file as PyTorch or NumPy would write it: single precision, no notes.
fn single_precision_is_read<B: RunsVmc>(path: &Path, table: &mut Table<B>) -> TestResult {
    use safetensors::{Dtype, tensor::TensorView};
    let values: Vec<f32> = (0..32).map(|k| 0.1 * k as f32).collect();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensor = TensorView::new(Dtype::F32, vec![32], &bytes)?;
    fs::write(path, safetensors::serialize([("parameters", tensor)], None)?)?;
    load_parameters(path, table)?;
    assert!(table.parameters().iter().zip(values).all(|(&read, written)| read == f64::from(written)));
    Ok(())
}

/// What a run leaves behind is also a file of parameters.
fn parameters_are_read_from_checkpoints<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let operator = ising(3)?.lower::<B>()?;
    let rbm = |seed| Rbm::<B>::new(Spin::half(3)?, 1.0).and_then(|rbm| rbm.with_seed(seed).with_sigma(0.1));
    let mut vmc =
        Vmc::new(FullSumState::new(rbm(1)?)?, &operator, Adam::new(0.1)?).with_checkpoint(&path, 10)?;
    vmc.run(3)?;
    let mut read = rbm(2)?;
    load_parameters(&path, &mut read)?;
    assert_eq!(read.parameters(), vmc.state().wave_function().parameters());
    Ok(())
}

/// Counts near the largest number would overflow in the next step.
fn counts_that_nothing_reaches_are_refused<B: RunsVmc>() -> TestResult {
    let definition = ising(4)?;
    let operator = definition.lower::<B>()?;
    let new = || -> variational::Result<_> {
        let state = small::<B>(&operator, definition.hilbert(), (1.0, 4))?;
        let vmc = Vmc::new(state, &operator, Adam::new(0.01)?);
        Ok(vmc.with_callback(variational::EarlyStopping::new(50, 0.0)?))
    };
    let mut vmc = new()?;
    vmc.run(2)?;
    let good = vmc.snapshot()?;
    for name in [
        "n_steps",
        "state/n_accepted",
        "state/n_proposed",
        "optimiser/n_steps",
        "log/n_series",
        "callback.0/waited",
    ] {
        assert!(good.has_note(name), "{name}");
        for count in [u64::MAX, u64::MAX - 1, 1 << 54] {
            let mut bad = good.clone();
            bad.note(name, count);
            let refused = vmc.restore(&bad).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.ends_with(&format!("is {count}; expected at most 2^53")), "{name}: {refused}");
            assert_eq!(vmc.snapshot()?, good, "an error leaves the run as it was");
        }
    }
    let mut late = good.clone();
    late.note("n_steps", 1u64 << 53);
    late.note("optimiser/n_steps", 1u64 << 53);
    late.note("state/n_proposed", 1u64 << 53);
    vmc.restore(&late)?;
    assert_eq!(vmc.run(2)?.steps[1].number, (1 << 53) + 1);
    let mut swapped = good.clone();
    swapped.note("state/n_proposed", 1);
    assert!(vmc.restore(&swapped).is_err_and(|error| error.to_string().contains("of 1 proposed ones")));
    Ok(())
}

on_backends!(
    counts_that_nothing_reaches_are_refused,
    sampled_runs_go_on_to_the_bit,
    exact_runs_go_on_to_the_bit,
    files_of_something_else_are_refused_and_change_nothing,
    files_that_are_damaged_are_refused_and_change_nothing,
    parameters_of_any_wave_function_are_saved_and_loaded,
    parameters_are_read_from_checkpoints,
);
