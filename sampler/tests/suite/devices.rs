//! Chains and samples are on the wave function's device, and whatever must be there too is checked. The backend of
//! these tests numbers its devices.
#![cfg(feature = "flat")]

use std::ops::Range;

use backend_flat::{Flat, FlatOperator};
use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{
    Backend, Boundary, ConnBatch, Definition, DiscreteOperator, Graph, Ising, Model, Result, WaveFunction,
};
use sampler::{
    Autoregressive, DirectSampler, Error, HamiltonianBackend, HamiltonianSampler, LocalSampler, Sampler,
};

type TestResult = std::result::Result<(), Box<dyn std::error::Error>>;

/// Batches on the host that say on which device they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Numbered;

#[derive(Clone, Debug, PartialEq)]
struct Batch {
    device: usize,
    rows: Array2<i8>,
}

impl Backend for Numbered {
    const NAME: &'static str = "numbered";
    type Device = usize;
    type Configurations = Batch;
    type Amplitudes = Array1<Complex64>;
    type ConnStates = Batch;

    fn conn_rows(states: &Batch) -> Result<Batch> {
        Ok(states.clone())
    }
    fn default_device() -> usize {
        0
    }
    fn same_device(left: &usize, right: &usize) -> bool {
        left == right
    }
    fn from_host(x: ArrayView2<'_, i8>, &device: &usize) -> Result<Batch> {
        Ok(Batch { device, rows: x.to_owned() })
    }
    fn to_host(x: &Batch) -> Result<Array2<i8>> {
        Ok(x.rows.clone())
    }
    fn amplitudes_to_host(amplitudes: &Array1<Complex64>) -> Result<Array1<Complex64>> {
        Flat::amplitudes_to_host(amplitudes)
    }
    fn amplitudes_from_host(amplitudes: Array1<Complex64>, _: &usize) -> Result<Array1<Complex64>> {
        Flat::amplitudes_from_host(amplitudes, &())
    }
    fn add_amplitudes(left: &Array1<Complex64>, right: &Array1<Complex64>) -> Result<Array1<Complex64>> {
        Flat::add_amplitudes(left, right)
    }
    fn concat_amplitudes(parts: &[Array1<Complex64>]) -> Result<Array1<Complex64>> {
        Flat::concat_amplitudes(parts)
    }
    fn amplitudes_len(amplitudes: &Array1<Complex64>) -> usize {
        amplitudes.len()
    }
    fn batch_len(x: &Batch) -> usize {
        x.rows.nrows()
    }
    fn rows(x: &Batch, range: Range<usize>) -> Result<Batch> {
        Ok(Batch { device: x.device, rows: Flat::rows(&x.rows, range)? })
    }
    fn replace_rows(x: &mut Batch, y: &Batch, replace: &[bool]) -> Result<()> {
        Numbered::expect_same_device(["batch", "proposal"], &x.device, &y.device)?;
        Flat::replace_rows(&mut x.rows, &y.rows, replace)
    }
}

/// The uniform wave function, which refuses batches of other devices.
struct Uniform {
    hilbert: HilbertSpace,
    device: usize,
}

impl WaveFunction<Numbered> for Uniform {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }
    fn device(&self) -> usize {
        self.device
    }
    fn log_psi(&self, x: &Batch) -> Result<Array1<Complex64>> {
        Numbered::expect_same_device(["batch", "wave function"], &x.device, &self.device)?;
        Ok(Array1::zeros(x.rows.nrows()))
    }
}

impl Autoregressive<Numbered> for Uniform {
    fn conditionals(&self, x: &Batch, _: usize) -> Result<Array2<f64>> {
        Numbered::expect_same_device(["batch", "wave function"], &x.device, &self.device)?;
        Ok(Array2::from_elem((x.rows.nrows(), 2), 0.5))
    }
}

/// An operator of the flat backend, as if it were on a numbered device.
#[derive(Clone, Debug)]
struct Placed {
    operator: FlatOperator<f64>,
    device: usize,
}

impl DiscreteOperator for Placed {
    type Backend = Numbered;
    type Element = f64;

    fn hilbert(&self) -> &HilbertSpace {
        self.operator.hilbert()
    }
    fn device(&self) -> usize {
        self.device
    }
    fn max_conn_size(&self) -> usize {
        self.operator.max_conn_size()
    }
    fn is_hermitian(&self) -> bool {
        self.operator.is_hermitian()
    }
    fn definition(&self) -> Option<&Definition> {
        self.operator.definition()
    }
    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<f64>) -> Result<()> {
        self.operator.get_conn_flattened_into(x, conn)
    }
}

impl HamiltonianBackend<Placed> for Numbered {
    fn n_off_diagonal(operator: &Placed, x: &Batch) -> Result<Vec<usize>> {
        Numbered::expect_same_device(["operator", "batch"], &operator.device, &x.device)?;
        Flat::n_off_diagonal(&operator.operator, &x.rows)
    }
    fn select_off_diagonal(operator: &Placed, x: &Batch, numbers: &[usize]) -> Result<Batch> {
        let rows = Flat::select_off_diagonal(&operator.operator, &x.rows, numbers)?;
        Ok(Batch { device: operator.device, rows })
    }
}

fn spins() -> Result<HilbertSpace> {
    Ok(Spin::half(4)?.into())
}

fn psi(device: usize) -> Result<Uniform> {
    Ok(Uniform { hilbert: spins()?, device })
}

fn ising(device: usize) -> Result<Placed> {
    let chain = Graph::chain(4, Boundary::Periodic)?;
    Ok(Placed { operator: Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.lower::<Flat>()?, device })
}

fn message<T>(result: sampler::Result<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error @ Error::Core(operator_core::Error::DeviceMismatch { .. })) => error.to_string(),
        Err(error) => format!("another error: {error}"),
    }
}

const REMEDY: &str = "put both on one device, by with_device or lower_on";

#[test]
fn chains_and_samples_go_to_the_wave_function() -> TestResult {
    for device in [0, 3] {
        let (psi, operator) = (psi(device)?, ising(device)?);
        let local = LocalSampler::<Numbered>::new(spins()?)?;
        let mut chains = local.start(&psi)?;
        assert_eq!(*chains.device(), device);
        assert_eq!(local.sample(&psi, &mut chains, 2, 1)?.configurations().device, device);
        let snapshot = chains.snapshot()?;
        chains.restore(&snapshot)?;
        assert_eq!(chains.configurations().device, device);

        let hamiltonian = HamiltonianSampler::new(&operator)?;
        let samples = hamiltonian.sample(&psi, &mut hamiltonian.start(&psi)?, 2, 1)?;
        assert_eq!(samples.configurations().device, device);

        let direct = DirectSampler::<Numbered>::new(spins()?);
        let samples = direct.sample(&psi, &mut direct.start(&psi)?, 2, 0)?;
        assert_eq!(samples.configurations().device, device);
    }
    Ok(())
}

#[test]
fn an_operator_on_another_device_than_the_wave_function_is_named() -> TestResult {
    let sampler = HamiltonianSampler::new(&ising(1)?)?;
    let expected = format!("the operator is on 1, the wave function on 2; {REMEDY}");
    assert_eq!(message(sampler.start(&psi(2)?)), expected);
    Ok(())
}

#[test]
fn a_device_that_was_asked_for_must_be_the_wave_functions() -> TestResult {
    let expected = format!("the sampler is on 1, the wave function on 2; {REMEDY}");
    let local = LocalSampler::<Numbered>::new(spins()?)?.with_device(1);
    assert_eq!(message(local.start(&psi(2)?)), expected);
    assert_eq!(*local.start(&psi(1)?)?.device(), 1);
    let direct = DirectSampler::<Numbered>::new(spins()?).with_device(1);
    assert_eq!(message(direct.start(&psi(2)?)), expected);
    let mut chains = direct.start(&psi(1)?)?;
    assert_eq!(message(direct.sample(&psi(2)?, &mut chains, 1, 0)), expected);
    Ok(())
}

#[test]
fn chains_of_a_wave_function_on_another_device_are_refused() -> TestResult {
    let local = LocalSampler::<Numbered>::new(spins()?)?;
    let mut chains = local.start(&psi(1)?)?;
    let expected = format!("the batch of chains is on 1, the wave function on 2; {REMEDY}");
    assert_eq!(message(local.sweep(&psi(2)?, &mut chains)), expected);
    assert_eq!(message(local.sample(&psi(2)?, &mut chains, 1, 0)), expected);
    Ok(())
}
