//! Gradients in the operator's parameters are those of the host.

use backend_padded::{Padded, TensorConn, local_estimators_and_operator_grad, operator_estimator_tensor};
use candle_core::{Device, Tensor, Var};
use num_complex::Complex64;
use operator_core::testing::{Table, catalogue};
use operator_core::{Definition, DiscreteOperator, Element};

use crate::device::{cuda, numbers, states, tensor};
use crate::elements::on_both;
use crate::estimators::OnDevice;

fn close(name: &str, got: &[f64], expected: &[f64], size: f64) {
    assert_eq!(got.len(), expected.len(), "{name}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= 1e-12 * size * (1.0 + expected.abs()), "{name}: {got} {expected}");
    }
}

/// The gradient of a fixed weighted sum of all elements, and the elements.
fn gradient<T: Element>(
    operator: &backend_padded::PaddedOperator<T>,
    x: &Tensor,
    device: &Device,
) -> (Vec<f64>, Vec<f64>) {
    let values = operator.definition().unwrap().parameters().to_vec();
    let n = values.len();
    let parameters = Var::from_tensor(&Tensor::from_vec(values, n, device).unwrap()).unwrap();
    let conn = operator.with_parameter_tensor(parameters.as_tensor()).unwrap().conn(x).unwrap();
    let (re, im) = conn.mels().clone().into_parts();
    let weighted = |part: &Tensor| {
        let weights: Vec<f64> =
            (0..part.elem_count()).map(|k| ((k * 37 + 11) % 101) as f64 / 101.0 - 0.4).collect();
        let weights = Tensor::from_vec(weights, part.shape(), device).unwrap();
        (part * weights.to_dtype(part.dtype()).unwrap()).unwrap().sum_all().unwrap()
    };
    let sum = im.as_ref().map_or(weighted(&re), |im| (weighted(&re) + weighted(im)).unwrap());
    let gradients = sum.backward().unwrap();
    let gradient = gradients.get(&parameters).map(numbers).unwrap_or_default();
    (gradient, numbers(&re))
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn gradients_of_elements_are_those_of_the_host() {
    fn run<T: Element>(name: &str, definition: &Definition) {
        let (host, there) = on_both::<T>(definition);
        let x = states(definition.hilbert());
        let (expected, expected_mels) = gradient(&host, &tensor(&x, &Device::Cpu), &Device::Cpu);
        let (got, mels) = gradient(&there, &tensor(&x, &cuda()), &cuda());
        assert_eq!(mels, expected_mels, "{name}");
        close(name, &got, &expected, mels.len() as f64);
    }
    for entry in catalogue().unwrap() {
        let definition = &entry.definition;
        if definition.parameters().to_vec().is_empty() {
            continue;
        }
        if definition.is_real() {
            run::<f64>(entry.name, definition);
        } else {
            run::<Complex64>(entry.name, definition);
        }
    }
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn estimators_and_their_derivatives_are_those_of_the_host() {
    let parts = |values: &mut dyn Iterator<Item = Complex64>| -> Vec<f64> {
        values.flat_map(|value| [value.re, value.im]).collect()
    };
    for entry in catalogue().unwrap() {
        let definition = &entry.definition;
        if definition.hilbert().n_states().map_or(true, |n| n > 2000) || !definition.is_real() {
            continue;
        }
        let (host, there) = on_both::<f64>(definition);
        let psi = Table::<Padded>::random(definition.hilbert().clone(), 7).unwrap();
        let x = states(definition.hilbert());
        let (expected, expected_slopes) =
            local_estimators_and_operator_grad(&host, &psi, &tensor(&x, &Device::Cpu), None).unwrap();
        for chunk_size in [None, std::num::NonZeroUsize::new(200)] {
            let psi = OnDevice(&psi);
            let (got, slopes) =
                local_estimators_and_operator_grad(&there, &psi, &tensor(&x, &cuda()), chunk_size).unwrap();
            let expected = parts(&mut expected.iter().copied());
            close(entry.name, &parts(&mut got.iter().copied()), &expected, 100.0);
            let expected = parts(&mut expected_slopes.iter().copied());
            close(entry.name, &parts(&mut slopes.iter().copied()), &expected, 100.0);
        }
        let values = definition.parameters().to_vec();
        let lambda = Var::new(values, &cuda()).unwrap();
        let Ok(attached) = there.with_parameter_tensor(&lambda) else { continue };
        let local =
            operator_estimator_tensor(&attached, &OnDevice(&psi), &tensor(&x, &cuda()), None).unwrap();
        if let Some(slopes) = local.re().mean_all().unwrap().backward().unwrap().get(&lambda) {
            let expected = expected_slopes.mean_axis(ndarray::Axis(0)).unwrap();
            let expected: Vec<f64> = expected.iter().map(|value| value.re).collect();
            close(entry.name, &numbers(slopes), &expected, 100.0);
        }
    }
}
