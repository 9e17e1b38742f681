//! Local estimators are those of the host.

use backend_padded::{
    ComplexTensor, Padded, failed, local_estimator_tensor, local_estimators, local_estimators_on_device,
};
use candle_core::{DType, Device, Tensor};
use num_complex::Complex64;
use operator_core::testing::{Table, catalogue};
use operator_core::{HilbertSpace, Result, WaveFunction};
use std::num::NonZeroUsize;

use crate::device::{cuda, states, tensor};
use crate::elements::on_both;

/// A wave function of the host for an operator on the device.
pub(crate) struct OnDevice<'a>(pub(crate) &'a Table<Padded>);

impl WaveFunction<Padded> for OnDevice<'_> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn device(&self) -> Device {
        cuda()
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        let log_psi = self.0.log_psi(&x.to_device(&Device::Cpu).map_err(failed)?)?;
        log_psi.map(|part| part.to_device(&cuda())).map_err(failed)
    }
}

/// ln ψ(x) = Σ_ij x_i w_ij x_j + i Σ_i v_i x_i, on the device throughout.
pub(crate) struct Jastrow {
    hilbert: HilbertSpace,
    weights: Tensor,
    phases: Tensor,
    device: Device,
}

impl Jastrow {
    pub(crate) fn new(hilbert: &HilbertSpace, device: &Device) -> Self {
        let n = hilbert.n_sites();
        let weights: Vec<f64> = (0..n * n).map(|k| 0.02 * ((k * 29 + 3) % 13) as f64 - 0.1).collect();
        let phases: Vec<f64> = (0..n).map(|k| 0.1 * ((k * 7 + 2) % 5) as f64).collect();
        Jastrow {
            hilbert: hilbert.clone(),
            weights: Tensor::from_vec(weights, (n, n), device).unwrap(),
            phases: Tensor::from_vec(phases, (n, 1), device).unwrap(),
            device: device.clone(),
        }
    }
}

impl WaveFunction<Padded> for Jastrow {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn log_psi(&self, x: &Tensor) -> Result<ComplexTensor> {
        let log_psi = || {
            let x = x.to_dtype(DType::F64)?;
            let re = (x.matmul(&self.weights)? * &x)?.sum(1)?;
            ComplexTensor::new(re, x.matmul(&self.phases)?.squeeze(1)?)
        };
        log_psi().map_err(failed)
    }
}

fn close(a: Complex64, b: Complex64) -> bool {
    (a - b).norm() < 1e-11 * (1.0 + b.norm())
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn local_estimators_are_those_of_the_host() {
    for entry in catalogue().unwrap() {
        if !entry.definition.is_real() {
            continue;
        }
        let (host, there) = on_both::<f64>(&entry.definition);
        let hilbert = entry.definition.hilbert();
        let x = states(hilbert);
        let (at_home, x) = (tensor(&x, &Device::Cpu), tensor(&x, &cuda()));
        let (psi_at_home, psi) = (Jastrow::new(hilbert, &Device::Cpu), Jastrow::new(hilbert, &cuda()));
        let expected = local_estimators(&host, &psi_at_home, &at_home, None).unwrap();
        for chunk_size in [None, NonZeroUsize::new(200)] {
            let got = local_estimators(&there, &psi, &x, chunk_size).unwrap();
            let name = entry.name;
            assert!(got.iter().zip(&expected).all(|(&a, &b)| close(a, b)), "{name}: {got} {expected}");
        }
        let got = local_estimator_tensor(&there, &psi, &x).unwrap();
        let got = got.to_host().unwrap();
        assert!(got.iter().zip(&expected).all(|(&a, &b)| close(a, b)), "{}", entry.name);
        // The way of other devices, on the host.
        let got = local_estimators_on_device(&host, &psi_at_home, &at_home, None).unwrap();
        assert!(got.iter().zip(&expected).all(|(&a, &b)| close(a, b)));
    }
}
