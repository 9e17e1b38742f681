//! Local estimators and their derivatives, block by block.

use backend_padded::{
    ComplexTensor, Padded, PaddedOperator, TensorConn, failed, local_estimators,
    local_estimators_and_operator_grad,
};
use candle_core::{DType, Device, Tensor};
use ndarray::{Axis, concatenate};
use num_complex::Complex64;
use operator_core::testing::Table;
use operator_core::{
    Backend, Boundary, Definition, DiscreteOperator, Error, Graph, HilbertSpace, Ising, Model, Result,
    WaveFunction, hilbert::Spin,
};
use std::num::NonZeroUsize;

/// ψ(x) = exp(Σ_i i x_i / 10 + i π [x_0 < 0] / 3), whose phase is only given where there is one.
#[derive(Debug)]
struct SometimesReal(HilbertSpace);

impl SometimesReal {
    fn log_psi_of(x: &[f32]) -> Complex64 {
        let slope: f64 = x.iter().enumerate().map(|(i, &q)| 0.1 * i as f64 * f64::from(q)).sum();
        Complex64::new(slope, if x[0] < 0.0 { std::f64::consts::FRAC_PI_3 } else { 0.0 })
    }
}

impl WaveFunction<Padded> for SometimesReal {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        let values: Vec<_> = x.to_vec2::<f32>().unwrap().iter().map(|x| Self::log_psi_of(x)).collect();
        let part = |of: fn(&Complex64) -> f64| {
            Tensor::from_iter(values.iter().map(of), &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
        };
        let im = values.iter().any(|value| value.im != 0.0).then(|| part(|value| value.im));
        ComplexTensor::new(part(|value| value.re), im).map_err(failed)
    }
}

fn ising(n: usize, h: impl Into<operator_core::ParameterValue>) -> Definition {
    let chain = Graph::chain(n, Boundary::Periodic).unwrap();
    Ising::new(Spin::half(n).unwrap(), &chain, h, 1.3).unwrap().definition().unwrap()
}

#[test]
fn phases_survive_where_only_some_chunks_have_them() {
    let definition = ising(4, 0.7);
    let operator = definition.lower::<Padded>().unwrap();
    let psi = SometimesReal(definition.hilbert().clone());
    let host = definition.hilbert().all_states().unwrap();
    let x = Padded::from_host(host.view(), &Device::Cpu).unwrap();
    let conn = operator.get_conn_flattened(host.view()).unwrap();
    let log_psi = |x: ndarray::ArrayView1<'_, i8>| {
        SometimesReal::log_psi_of(&x.iter().map(|&q| f32::from(q)).collect::<Vec<_>>())
    };
    for chunk_size in [0, 1, 3, 5, 8, 40].map(NonZeroUsize::new) {
        let local = local_estimators(&operator, &psi, &x, chunk_size).unwrap();
        for (b, x) in host.rows().into_iter().enumerate() {
            let (states, mels) = conn.sample(b).unwrap();
            let terms = states
                .rows()
                .into_iter()
                .zip(mels)
                .map(|(state, mel)| mel * (log_psi(state) - log_psi(x)).exp());
            let expected: Complex64 = terms.sum();
            assert!((local[b] - expected).norm() < 1e-13, "{chunk_size:?}, {x}: {} {expected}", local[b]);
        }
    }
}

/// So many samples that not all are differentiated together.
#[test]
fn derivatives_of_many_samples_are_those_of_each_to_the_bit() {
    let n = 8;
    let fields: Vec<f64> = (0..n).map(|i| 0.2 + 0.1 * i as f64).collect();
    let definition = ising(n, fields);
    let operator = definition.lower::<Padded>().unwrap();
    let psi = Table::<Padded>::random(definition.hilbert().clone(), 3).unwrap();
    let few = definition.hilbert().all_states().unwrap();
    // 9 parameters a sample, and about as many slots.
    let n_copies = (1usize << 18).div_ceil(9 * few.nrows()) + 1;
    let copies = vec![few.view(); n_copies];
    let many = concatenate(Axis(0), &copies).unwrap();
    let to_device = |x: &ndarray::Array2<i8>| Padded::from_host(x.view(), &Device::Cpu).unwrap();
    let of_few = local_estimators_and_operator_grad(&operator, &psi, &to_device(&few), None).unwrap();
    let of_many = local_estimators_and_operator_grad(&operator, &psi, &to_device(&many), None).unwrap();
    for (b, local) in of_many.0.iter().enumerate() {
        let same = b % few.nrows();
        assert_eq!(*local, of_few.0[same], "sample {b}");
        assert_eq!(of_many.1.row(b), of_few.1.row(same), "sample {b}");
    }
}

#[test]
fn what_derivatives_need_is_made_once_for_all_values_of_the_parameters() {
    let definition = ising(4, 0.7);
    let operator: PaddedOperator = definition.lower::<Padded>().unwrap();
    let moved = definition.parameters().with_values(&[0.1, -0.3]).unwrap();
    let moved = operator.clone().with_parameters(moved).unwrap();
    let attached = moved.with_parameter_tensor(&Tensor::new(&[0.2, 0.4], &Device::Cpu).unwrap()).unwrap();
    let made = operator.differentiable().unwrap();
    assert!(std::ptr::eq(made, moved.differentiable().unwrap()));
    assert!(std::ptr::eq(made, attached.differentiable().unwrap()));
}

/// A wave function that says that it is on another device.
#[cfg(not(feature = "metal"))]
#[test]
fn operator_and_wave_function_on_two_devices_are_refused() {
    struct Elsewhere(HilbertSpace);
    impl WaveFunction<Padded> for Elsewhere {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }
        fn device(&self) -> Device {
            Device::Metal(candle_core::MetalDevice)
        }
        fn log_psi(&self, _: &Tensor) -> Result<ComplexTensor> {
            panic!("nothing is evaluated on two devices")
        }
    }
    let definition = ising(3, 0.7);
    let operator = definition.lower::<Padded>().unwrap();
    let psi = Elsewhere(definition.hilbert().clone());
    let x = Padded::from_host(definition.hilbert().all_states().unwrap().view(), operator.device()).unwrap();
    let errors = [
        local_estimators(&operator, &psi, &x, None).unwrap_err(),
        local_estimators_and_operator_grad(&operator, &psi, &x, None).unwrap_err(),
        backend_padded::local_estimator_tensor(&operator, &psi, &x).unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(&error, Error::DeviceMismatch { what: ["operator", "wave function"], left, .. } if left == "Cpu"),
            "{error}"
        );
    }
}
