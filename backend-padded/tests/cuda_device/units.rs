//! Layers at connected states, sums over their units, and the gradients of both are those of the host.

use backend_padded::{ComplexTensor, PaddedOperator, TensorConn, Unit};
use candle_core::{DType, Device, Result, Tensor, Var};
use ndarray::Array2;
use operator_core::testing::{SplitMix, catalogue};

use crate::device::{cuda, numbers, states, tensor};
use crate::elements::on_both;

const UNITS: usize = 35;

/// Real and imaginary parts of units and of weights.
struct Layer([Tensor; 4]);

impl Layer {
    fn random(n_samples: usize, n_sites: usize) -> Result<Self> {
        let mut rng = SplitMix::new(2);
        let mut random = |n: usize| {
            let numbers: Vec<f64> = (0..n * UNITS).map(|_| 0.3 * rng.number()).collect();
            Tensor::from_vec(numbers, (n, UNITS), &Device::Cpu)
        };
        Ok(Layer([random(n_samples)?, random(n_samples)?, random(n_sites)?, random(n_sites)?]))
    }

    /// Sums of a function of the units, or the units themselves, at the states that an operator connects to samples, and
    /// the gradients of both parts with weights.
    fn results(
        &self,
        of: &PaddedOperator,
        x: &Array2<i8>,
        (device, unit, is_complex): (&Device, Option<Unit>, bool),
    ) -> Result<[Option<Vec<f64>>; 6]> {
        let vars: Vec<Var> =
            self.0.iter().map(|part| Var::from_tensor(&part.to_device(device)?)).collect::<Result<_>>()?;
        let complex = |re: &Var, im: &Var| {
            let im = if is_complex { Some(im.as_tensor().clone()) } else { None };
            ComplexTensor::new(re.as_tensor().clone(), im)
        };
        let states = of.conn(&tensor(x, device)).unwrap().conn_states(DType::F32);
        let (z, w) = (complex(&vars[0], &vars[1])?, complex(&vars[2], &vars[3])?);
        let results = match unit {
            Some(unit) => states.sums_of_units(unit, &z, &w)?,
            None => states.changed_layer(&z, &w)?,
        };
        let sums = results.expect("the operator has no custom kernel").map(Tensor::flatten_all)?;
        assert!(sums.re().device().same_device(device));
        let parts = [Some(numbers(sums.re())), sums.im().map(numbers)];
        if sums.re().elem_count() == 0 {
            return Ok([const { None }; 6]);
        }
        let n = sums.re().elem_count() as f64;
        let weights = Tensor::arange(0f64, n, device)?;
        let re = (sums.re() * weights.sin()?)?.sum_all()?;
        let sum = sums.im().map_or(Ok(re.clone()), |im| re + (im * weights.cos()?)?.sum_all()?)?;
        let gradients = sum.backward()?;
        let of = |var: &Var| gradients.get(var).map(numbers);
        let [re, im] = parts;
        Ok([re, im, of(&vars[0]), of(&vars[1]), of(&vars[2]), of(&vars[3])])
    }
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn changed_layers_sums_over_units_and_gradients_are_those_of_the_host() -> Result<()> {
    for entry in catalogue().unwrap() {
        if !entry.definition.is_real() {
            continue;
        }
        let (host, there) = on_both::<f64>(&entry.definition);
        let x = states(entry.definition.hilbert());
        let layer = Layer::random(x.nrows(), x.ncols())?;
        for (unit, is_complex) in [
            (Some(Unit::LnCosh), false),
            (Some(Unit::Identity), false),
            (Some(Unit::LnCosh), true),
            (None, false),
            (None, true),
        ] {
            let expected = layer.results(&host, &x, (&Device::Cpu, unit, is_complex))?;
            let got = layer.results(&there, &x, (&cuda(), unit, is_complex))?;
            for (got, expected) in got.into_iter().zip(expected) {
                let (Some(got), Some(expected)) = (&got, &expected) else {
                    assert_eq!(got.is_some(), expected.is_some());
                    continue;
                };
                assert_eq!(got.len(), expected.len());
                let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-10 * (1.0 + b.abs());
                let all_close = got.iter().zip(expected).all(close);
                assert!(all_close, "{}: {got:?} {expected:?}", entry.name);
            }
        }
    }
    Ok(())
}
