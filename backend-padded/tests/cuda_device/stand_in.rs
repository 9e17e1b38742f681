//! What only the stand-in tells, and whether it computes what candle does on the CPU.

use std::ffi::{c_char, c_long, c_void};

use backend_padded::device;
use candle_core::{DType, Device, Result, Tensor};

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Copies to the device and to the host so far; `None` on a GPU. Other threads' copies count too.
pub(crate) fn copies() -> Option<[c_long; 2]> {
    // SAFETY: no library stands for all that are loaded, and the name ends with a zero.
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

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn a_gpu_is_opened_once() {
    let open = || device("cuda:0").unwrap();
    let other = std::thread::spawn(open).join().unwrap();
    assert!(open().same_device(&other) && open().same_device(&device("cuda").unwrap()));
}

#[test]
#[ignore = "needs a GPU or its stand-in"]
fn products_of_matrices_are_those_of_the_cpu() -> Result<()> {
    let there = device("cuda").unwrap();
    for dtype in [DType::F64, DType::F32] {
        let matrix = |n: f64, m| Tensor::arange(0f64, n, &Device::Cpu)?.reshape(m)?.to_dtype(dtype);
        let (a, b) = (matrix(12.0, (3, 4))?, matrix(20.0, (5, 4))?);
        let expected = a.matmul(&b.t()?)?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let got = a.to_device(&there)?.matmul(&b.to_device(&there)?.t()?)?;
        assert_eq!(got.to_dtype(DType::F64)?.to_vec2::<f64>()?, expected);
    }
    Ok(())
}
