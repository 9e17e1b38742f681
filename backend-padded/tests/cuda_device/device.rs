//! The device that tests run on, what only the stand-in tells of it, and batches.

use std::ffi::{c_char, c_long, c_void};

use backend_padded::{Padded, device};
use candle_core::{DType, Device, Result, Tensor};
use ndarray::Array2;
use operator_core::testing::SplitMix;
use operator_core::{Backend, HilbertSpace};

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

pub(crate) fn cuda() -> Device {
    device("cuda").unwrap()
}

/// Copies to the device and to the host so far, `None` on a GPU. Those of tests that run at the same time count too.
pub(crate) fn copies() -> Option<[c_long; 2]> {
    // SAFETY: null stands for all libraries that are loaded, and the name ends with a zero.
    let address = unsafe { dlsym(std::ptr::null_mut(), c"cuda_stand_in_copies".as_ptr()) };
    if address.is_null() {
        return None;
    }
    // SAFETY: the stand-in's function of this name has this type, and writes two numbers.
    unsafe {
        let count: unsafe extern "C" fn(*mut c_long) = std::mem::transmute(address);
        let mut out = [0; 2];
        count(out.as_mut_ptr());
        Some(out)
    }
}

/// All states of a small space, or some of a large one.
pub(crate) fn states(hilbert: &HilbertSpace) -> Array2<i8> {
    match hilbert.n_states() {
        Ok(n) => hilbert.states_in(0..n.min(33)).unwrap(),
        Err(_) => hilbert.random_states(9, &mut SplitMix::new(5)).unwrap(),
    }
}

pub(crate) fn tensor(x: &Array2<i8>, device: &Device) -> Tensor {
    Padded::from_host(x.view(), device).unwrap()
}

/// All numbers of a tensor, in double precision.
pub(crate) fn numbers(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_device(&Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn a_gpu_is_opened_once() {
    let other = std::thread::spawn(|| device("cuda:0").unwrap()).join().unwrap();
    assert!(cuda().same_device(&other) && other.same_device(&device("cuda:0").unwrap()));
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn products_of_matrices_are_those_of_the_cpu() -> Result<()> {
    for dtype in [DType::F64, DType::F32] {
        let matrix = |n: f64, shape| Tensor::arange(0f64, n, &Device::Cpu)?.reshape(shape)?.to_dtype(dtype);
        let (a, b) = (matrix(12.0, (3, 4))?, matrix(20.0, (5, 4))?);
        let got = a.to_device(&cuda())?.matmul(&b.to_device(&cuda())?.t()?)?;
        assert_eq!(numbers(&got), numbers(&a.matmul(&b.t()?)?));
    }
    Ok(())
}
