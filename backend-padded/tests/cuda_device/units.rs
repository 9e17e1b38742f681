//! Sums over units at connected states are those of the host.

use backend_padded::{ComplexTensor, TensorConn, Unit};
use candle_core::{DType, Device, Result, Tensor};
use operator_core::testing::{SplitMix, catalogue};

use crate::device::{cuda, numbers, states, tensor};
use crate::elements::on_both;

const UNITS: usize = 35;

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn sums_over_units_are_those_of_the_host() -> Result<()> {
    for entry in catalogue().unwrap() {
        if !entry.definition.is_real() {
            continue;
        }
        let (host, there) = on_both::<f64>(&entry.definition);
        let (x, n_sites) = (states(entry.definition.hilbert()), entry.definition.hilbert().n_sites());
        let mut rng = SplitMix::new(2);
        let mut random = |n: usize| {
            let numbers: Vec<f64> = (0..n * UNITS).map(|_| 0.3 * rng.number()).collect();
            Tensor::from_vec(numbers, (n, UNITS), &Device::Cpu)
        };
        let (z, w) = ([random(x.nrows())?, random(x.nrows())?], [random(n_sites)?, random(n_sites)?]);
        let sums = |of: &backend_padded::PaddedOperator, device: &Device, unit, is_complex: bool| {
            let to = |[re, im]: &[Tensor; 2]| {
                let im = if is_complex { Some(im.to_device(device)?) } else { None };
                ComplexTensor::new(re.to_device(device)?, im)
            };
            let states = of.conn(&tensor(&x, device)).unwrap().conn_states(DType::F32);
            let sums =
                states.sums_of_units(unit, &to(&z)?, &to(&w)?)?.expect("the operator has no custom kernel");
            assert!(sums.re().device().same_device(device));
            Result::Ok(sums)
        };
        for (unit, is_complex) in [(Unit::LnCosh, false), (Unit::Identity, false), (Unit::LnCosh, true)] {
            let expected = sums(&host, &Device::Cpu, unit, is_complex)?;
            let got = sums(&there, &cuda(), unit, is_complex)?;
            let parts = [(Some(got.re()), Some(expected.re())), (got.im(), expected.im())];
            for (got, expected) in parts {
                let [got, expected] = [got, expected].map(|part| part.map(numbers).unwrap_or_default());
                assert_eq!(got.len(), expected.len());
                let close = got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-11);
                assert!(close, "{}: {got:?} {expected:?}", entry.name);
            }
        }
    }
    Ok(())
}
