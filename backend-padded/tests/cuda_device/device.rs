//! The device that tests run on, what only the stand-in tells of it, and batches.

use std::ffi::c_long;
use std::process::Command;

use backend_padded::{Padded, TensorConn, device};
use candle_core::{DType, Device, Result, Tensor};
use ndarray::Array2;
use operator_core::testing::SplitMix;
use operator_core::{Backend, HilbertSpace};

pub(crate) fn cuda() -> Device {
    device("cuda").unwrap()
}

/// Copies to the device and to the host so far, `None` on a GPU. Those of tests that run at the same time count too.
pub(crate) fn copies() -> Option<[c_long; 2]> {
    type Count = unsafe extern "C" fn(*mut c_long);
    let program = libloading::os::unix::Library::this();
    let mut out = [0; 2];
    // SAFETY: the stand-in's function of this name has this type, and writes two numbers.
    unsafe { program.get::<Count>("cuda_stand_in_copies").ok()?(out.as_mut_ptr()) };
    Some(out)
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

/// Whether a test passes in a process of its own, for which a variable of the stand-in is set. True on a GPU.
fn passes_with(test: &str, variable: &str, value: &str) -> bool {
    if copies().is_none() {
        return true;
    }
    let program = std::env::current_exe().unwrap();
    let run =
        Command::new(program).args([test, "--exact", "--ignored"]).env(variable, value).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    run.status.success() && said.contains("1 passed")
}

/// Whether the variable is set, as [`passes_with`] does.
fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some()
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn a_machine_without_a_gpu_says_so() {
    let variable = "CUDA_STAND_IN_DEVICES";
    if !is_set(variable) {
        return assert!(passes_with("device::a_machine_without_a_gpu_says_so", variable, "0"));
    }
    let error = device("cuda").unwrap_err().to_string();
    assert!(error.contains("CUDA_ERROR_NO_DEVICE") && error.contains("nvidia-smi"), "{error}");
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn a_compiler_whose_builtins_are_missing_says_where_to_put_them() {
    let (variable, builtin_operation_failure) = ("CUDA_STAND_IN_NVRTC", "7");
    if !is_set(variable) {
        let this = "device::a_compiler_whose_builtins_are_missing_says_where_to_put_them";
        return assert!(passes_with(this, variable, builtin_operation_failure));
    }
    let entries = operator_core::testing::catalogue().unwrap();
    let definition = &entries[0].definition;
    let operator = definition.lower_on::<Padded, num_complex::Complex64>(&cuda()).unwrap();
    let error = operator.conn(&tensor(&states(definition.hilbert()), &cuda())).unwrap_err().to_string();
    assert!(error.contains("libnvrtc-builtins") && error.contains("LD_LIBRARY_PATH"), "{error}");
}

/// Such a device gets PTX.
#[test]
#[ignore = "needs a GPU or its stand-in"]
fn devices_newer_than_the_compiler_run_the_kernels() {
    assert!(passes_with("refused::wrong_shapes_are_refused", "CUDA_STAND_IN_ARCH", "121"));
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
