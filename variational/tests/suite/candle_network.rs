//! Networks written with candle, by one backward pass, against derivatives sample by sample.
#![cfg(feature = "padded")]

use crate::common::TestResult;
use backend_padded::ComplexTensor;
use candle_core::{DType, Device, Result as CandleResult, Tensor};
use candle_nn::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, Linear, Module, VarBuilder, VarMap, conv1d, conv2d, linear,
    linear_no_bias,
};
use ndarray::Array1;
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{Backend, WaveFunction};
use variational::padded::{CandleModule, CandleNetwork, Tape};
use variational::wave_functions::network::Activation;
use variational::{FullSumState, Mlp, Padded, Trainable, VariationalState};

fn builder(variables: &VarMap) -> VarBuilder<'_> {
    VarBuilder::from_varmap(variables, DType::F64, &Device::Cpu)
}

/// Convolutions over a ring and a square, a layer that is used twice, a scale that no tape sees, and a phase.
struct Everything {
    ring: Conv1d,
    square: Conv2d,
    twice: Linear,
    scale: Tensor,
    phase: Linear,
}

impl Everything {
    fn new(variables: &VarMap) -> CandleResult<Self> {
        let vb = builder(variables);
        let ring = Conv1dConfig { padding: 1, stride: 2, dilation: 1, ..Default::default() };
        let square = Conv2dConfig { padding: 1, stride: 1, dilation: 2, ..Default::default() };
        Ok(Everything {
            ring: conv1d(1, 2, 3, ring, vb.pp("ring"))?,
            square: conv2d(1, 3, 2, square, vb.pp("square"))?,
            twice: linear(4, 4, vb.pp("twice"))?,
            scale: vb.get_with_hints(4, "scale", candle_nn::Init::Const(0.7))?,
            phase: linear_no_bias(4, 1, vb.pp("phase"))?,
        })
    }
}

impl CandleNetwork for Everything {
    fn log_psi(&self, x: &Tensor, tape: &Tape) -> CandleResult<ComplexTensor> {
        let batch = x.dim(0)?;
        let ring = tape.conv1d(&self.ring, &x.unsqueeze(1)?)?.tanh()?.flatten_from(1)?.sum(1)?;
        let square = tape.conv2d(&self.square, &x.reshape((batch, 1, 2, 2))?)?.sqr()?.flatten_from(1)?;
        let once = tape.linear(&self.twice, x)?.tanh()?;
        let again = tape.linear(&self.twice, &once)?.broadcast_mul(&self.scale)?;
        let re = ((ring + square.sum(1)?)? + again.tanh()?.sum(1)?)?;
        // Three dimensions: the pairs (site, site) of each configuration.
        let pairs = x.unsqueeze(2)?.matmul(&once.unsqueeze(1)?)?;
        let im = tape.linear(&self.phase, &pairs)?.flatten_from(1)?.sum(1)?;
        ComplexTensor::new(re, im)
    }
}

/// Differences of fourth order with step 10⁻³: their error is about 10⁻¹¹.
#[test]
fn log_derivatives_are_finite_differences() -> TestResult {
    let variables = VarMap::new();
    let network = Everything::new(&variables)?;
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    let mut psi = CandleModule::new(hilbert.clone(), &variables, network)?;
    let x = Padded::from_host(hilbert.states_in(3..9)?.view(), &Device::Cpu)?;
    let moved: Array1<f64> = (0..psi.n_parameters()).map(|k| 0.3 * (1.3 * k as f64).sin()).collect();
    psi.set_parameters(&moved)?;
    assert_eq!(psi.parameters(), moved);
    assert_eq!(psi.layout().iter().map(|array| array.n_values()).sum::<usize>(), psi.n_parameters());
    let derivatives = psi.log_derivatives(&x)?;
    assert_eq!(derivatives.dim(), (6, psi.n_parameters()));
    for k in 0..psi.n_parameters() {
        let mut at = |step: f64| {
            let mut stepped = moved.clone();
            stepped[k] += step;
            psi.set_parameters(&stepped)?;
            Padded::amplitudes_to_host(&psi.log_psi(&x)?)
        };
        let difference = ((at(1e-3)? - at(-1e-3)?) * 8.0 - at(2e-3)? + at(-2e-3)?) / 12e-3;
        for (sample, expected) in difference.iter().enumerate() {
            let value = derivatives.get(sample, k).ok_or("no such element")?;
            assert!((value - expected).norm() < 1e-8, "{k} {sample}: {value} {expected}");
        }
    }
    Ok(())
}

#[test]
fn convolutions_on_a_tape_are_those_of_candle() -> TestResult {
    let network = Everything::new(&VarMap::new())?;
    let tape = Tape::default();
    let ring = Tensor::randn(0f64, 1.0, (5, 1, 9), &Device::Cpu)?;
    let square = Tensor::randn(0f64, 1.0, (5, 1, 4, 3), &Device::Cpu)?;
    let pairs = [
        (tape.conv1d(&network.ring, &ring)?, network.ring.forward(&ring)?),
        (tape.conv2d(&network.square, &square)?, network.square.forward(&square)?),
    ];
    for (value, expected) in pairs {
        assert_eq!(value.dims(), expected.dims());
        assert!((value - expected)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-12);
    }
    assert!(tape.conv2d(&network.square, &ring).is_err());
    Ok(())
}

/// A tape that sees all layers needs no pass a sample: the same perceptron as [`Mlp`], with the same numbers.
#[test]
fn a_perceptron_of_candle_is_the_one_of_this_crate() -> TestResult {
    struct Perceptron(Linear, Linear);

    impl CandleNetwork for Perceptron {
        fn log_psi(&self, x: &Tensor, tape: &Tape) -> CandleResult<ComplexTensor> {
            let hidden = tape.linear(&self.0, x)?.tanh()?;
            Ok(ComplexTensor::real(tape.linear(&self.1, &hidden)?.squeeze(1)?))
        }
    }

    let variables = VarMap::new();
    let vb = builder(&variables);
    let network = Perceptron(linear(6, 5, vb.pp("dense_0"))?, linear(5, 1, vb.pp("output"))?);
    let spins = HilbertSpace::from(Spin::half(6)?);
    let mut psi = CandleModule::new(spins.clone(), &variables, network)?;
    let mlp = Mlp::<Padded>::new(spins, &[5], Activation::Tanh)?.with_seed(4);
    // Both lie in the order of their names: bias and kernel, bias and weight.
    psi.set_parameters(&mlp.parameters())?;
    assert_eq!(psi.layout()[1].name(), "dense_0.weight");

    let operator = crate::common::ising(6)?.lower::<Padded>()?;
    let (mut state, mut expected) = (FullSumState::new(psi)?, FullSumState::new(mlp)?);
    let ((energy, gradient), (expected_energy, expected_gradient)) =
        (state.expect_and_grad(&operator)?, expected.expect_and_grad(&operator)?);
    assert!((energy.mean - expected_energy.mean).norm() < 1e-12);
    assert!((gradient - expected_gradient).iter().all(|difference| difference.abs() < 1e-12));
    Ok(())
}

#[test]
fn gradients_flow_to_the_variables_and_wrong_input_is_an_error() -> TestResult {
    struct Field(Linear);

    impl CandleNetwork for Field {
        fn log_psi(&self, x: &Tensor, _: &Tape) -> CandleResult<ComplexTensor> {
            Ok(ComplexTensor::real(self.0.forward(x)?.squeeze(1)?))
        }
    }

    let variables = VarMap::new();
    let network = || linear_no_bias(3, 1, builder(&variables).pp("field")).map(Field);
    let mut psi = CandleModule::new(Spin::half(3)?, &variables, network()?)?;
    let x = Padded::from_host(ndarray::array![[1, -1, 1], [-1, -1, 1]].view(), &Device::Cpu)?;
    let gradients = psi.differentiable_log_psi(&x)?.re().sum_all()?.backward()?;
    let variables_of = variables.all_vars();
    let gradient = gradients.get(&variables_of[0]).map(Tensor::to_vec2::<f64>).transpose()?;
    assert_eq!(gradient, Some(vec![vec![0.0, -2.0, 2.0]]));
    // Not seen by the tape, yet right.
    assert_eq!(psi.log_derivatives(&x)?.get(1, 0), Some(Complex64::from(-1.0)));

    use operator_core::Error;
    assert!(matches!(psi.set_parameters(&Array1::zeros(2)), Err(Error::Count { .. })));
    let empty = CandleModule::new(Spin::half(3)?, &VarMap::new(), network()?);
    assert!(matches!(empty, Err(Error::Count { .. })));
    let narrow = Padded::from_host(ndarray::array![[1, 1]].view(), &Device::Cpu)?;
    assert!(matches!(psi.log_psi(&narrow), Err(Error::Backend { .. })));
    Ok(())
}
