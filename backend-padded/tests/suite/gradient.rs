//! Gradients in the operator's own parameters, against finite differences.

use backend_padded::{
    ComplexTensor, Padded, PaddedOperator, TensorConn, failed, local_estimator_tensor,
    operator_estimator_tensor,
};
use candle_core::{Device, Tensor, Var};
use ndarray::Array2;
use num_complex::Complex64;
use operator_core::{
    Backend, Boundary, Definition, DiscreteOperator, Element, Graph, Heisenberg, HilbertSpace, Ising,
    LocalOperator, Model, PauliStrings, Result, WaveFunction,
    hilbert::{Qubit, Spin},
};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::num::NonZeroUsize;

fn definitions() -> Vec<Definition> {
    let chain = Graph::chain(4, Boundary::Periodic).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut random = || Complex64::new(rng.random::<f64>() - 0.5, rng.random::<f64>() - 0.5);
    let matrix = Array2::from_shape_fn((9, 9), |_| random());
    let spins = Spin::half(4).unwrap();
    vec![
        Ising::new(spins.clone(), &chain, [0.3, 0.5, 0.7, 0.9], 1.2).unwrap().definition().unwrap(),
        Heisenberg::new(spins.with_total_sz(0.0).unwrap(), &chain, 0.8).unwrap().definition().unwrap(),
        LocalOperator::new(Spin::new(1.0, 3).unwrap())
            .with_weighted(0.5, &[0, 2], matrix.clone())
            .unwrap()
            .with_weighted(1.5, &[1, 0], matrix)
            .unwrap()
            .definition()
            .unwrap(),
        PauliStrings::new(Qubit::new(3).unwrap(), ["XYZ", "ZZI", "XYI"], [0.4, -0.6, 0.3])
            .unwrap()
            .definition()
            .unwrap(),
    ]
}

/// A fixed weighted sum of all padded elements.
fn weighted<T: Element>(operator: &PaddedOperator<T>, x: &Tensor, weights: &[f64]) -> Tensor {
    let (re, im) = operator.conn(x).unwrap().mels().clone().into_parts();
    let part = |tensor: &Tensor, offset: usize| {
        let n = tensor.elem_count();
        let weights: Vec<f64> = (0..n).map(|k| weights[(k + offset) % weights.len()]).collect();
        let weights = Tensor::from_vec(weights, tensor.shape(), &Device::Cpu).unwrap();
        (tensor * weights).unwrap().sum_all().unwrap()
    };
    let re = part(&re, 0);
    im.map_or(re.clone(), |im| (re + part(&im, 3)).unwrap())
}

#[test]
fn gradients_of_matrix_elements_are_those_of_finite_differences() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
    let weights: Vec<f64> = (0..31).map(|_| rng.random::<f64>() - 0.5).collect();
    for definition in definitions() {
        let operator = definition.lower_as::<Padded, Complex64>().unwrap();
        let x = definition.hilbert().random_states(5, &mut rng).unwrap();
        let x = Padded::from_host(x.view(), &Device::Cpu).unwrap();
        let values = definition.parameters().to_vec();
        let var = Var::from_vec(values.clone(), values.len(), &Device::Cpu).unwrap();
        let differentiable = operator.with_parameter_tensor(var.as_tensor()).unwrap();
        let gradients = weighted(&differentiable, &x, &weights).backward().unwrap();
        let gradient = gradients.get(&var).unwrap().to_vec1::<f64>().unwrap();
        for k in 0..values.len() {
            let at = |shift: f64| {
                let mut shifted = values.clone();
                shifted[k] += shift;
                let parameters = definition.parameters().with_values(&shifted).unwrap();
                let operator = operator.with_parameters(parameters).unwrap();
                weighted(&operator, &x, &weights).to_scalar::<f64>().unwrap()
            };
            let expected = (at(1e-4) - at(-1e-4)) / 2e-4;
            assert!((gradient[k] - expected).abs() < 1e-8, "{definition}: {} {expected}", gradient[k]);
        }
    }
}

/// ψ(x) = exp(Σ_i (a + i b) i x_i)
#[derive(Debug)]
struct Slope(HilbertSpace, f64, f64);

impl WaveFunction<Padded> for Slope {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }
    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        let n = self.0.n_sites();
        let slope = Tensor::from_vec((0..n).map(|i| i as f32).collect(), (n, 1), &Device::Cpu).unwrap();
        let sum = x.matmul(&slope).unwrap().squeeze(1).unwrap().to_dtype(candle_core::DType::F64).unwrap();
        ComplexTensor::new((&sum * self.1).unwrap(), (&sum * self.2).unwrap()).map_err(failed)
    }
}

#[test]
fn gradients_of_local_estimators_are_estimators_of_the_derivative() {
    // The Ising model is linear in h, so dO_loc/dh is the estimator of the model with h = 1 and J = 0.
    let chain = Graph::chain(4, Boundary::Open).unwrap();
    let spins = Spin::half(4).unwrap();
    let model = |h: f64, j: f64| Ising::new(spins.clone(), &chain, h, j).unwrap().lower::<Padded>().unwrap();
    let psi = Slope(spins.clone().into(), 0.1, 0.3);
    let all = HilbertSpace::from(spins.clone()).all_states().unwrap();
    let x = Padded::from_host(all.view(), &Device::Cpu).unwrap();
    // An element that is 0 can still have a derivative.
    for (h, j) in [(0.7, 1.1), (0.0, 1.1), (0.7, 0.0), (0.0, 0.0)] {
        let var = Var::from_vec(vec![h, j], 2, &Device::Cpu).unwrap();
        let operator = model(h, j).with_parameter_tensor(var.as_tensor()).unwrap();
        assert_eq!(
            operator.get_conn_padded(all.view()).unwrap(),
            model(h, j).get_conn_padded(all.view()).unwrap()
        );
        let through_all = local_estimator_tensor(&operator, &psi, &x).unwrap();
        let through_parameters =
            operator_estimator_tensor(&operator, &psi, &x, NonZeroUsize::new(7)).unwrap();
        let values = through_parameters.to_host().unwrap();
        let pairs = values.iter().zip(through_all.to_host().unwrap());
        assert!(pairs.into_iter().all(|(a, b)| (a - b).norm() < 1e-12));
        for local in [through_all, through_parameters] {
            // Of the imaginary part too.
            let parts = [(local.re(), 0.0), (local.im().unwrap(), 1.0)];
            for (part, is_im) in parts {
                let gradients = part.sum_all().unwrap().backward().unwrap();
                let gradient = gradients.get(&var).unwrap().to_vec1::<f64>().unwrap();
                for (k, derivative) in [model(1.0, 0.0), model(0.0, 1.0)].iter().enumerate() {
                    let expected =
                        backend_padded::local_estimators(derivative, &psi, &x, NonZeroUsize::new(7)).unwrap();
                    let expected: f64 = expected.iter().map(|z| z.re * (1.0 - is_im) + z.im * is_im).sum();
                    assert!((gradient[k] - expected).abs() < 1e-10, "{} {expected}", gradient[k]);
                }
            }
        }
    }
    assert_eq!(model(0.7, 1.1).max_conn_size(), 5);
}
