//! The real compiler, which needs no GPU: the wheel nvidia-cuda-nvrtc is enough. `NVRTC` names libnvrtc, whose folder has to
//! be on `LD_LIBRARY_PATH`.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{null, null_mut};

use libloading::Library;
use rayon::prelude::*;

use super::compiler::kernel_names;
use super::kernels::Kind;
use super::kinds::{engine_kinds, number_kinds};

type Text = *const c_char;

struct Nvrtc(Library);

/// Calls a function of the library, which returns 0 if it succeeds.
macro_rules! call {
    ($nvrtc:expr, $name:literal, $($arg:expr => $ty:ty),* $(,)?) => {{
        type Function = unsafe extern "C" fn($($ty),*) -> c_int;
        // SAFETY: the types are those of nvrtc.h.
        unsafe { $nvrtc.0.get::<Function>($name).unwrap()($($arg),*) }
    }};
}

impl Nvrtc {
    /// Compiles a kind as a backend would, and returns the assembler's report.
    fn compile(&self, kind: &Kind, arch: &str) -> String {
        let mut options = kind.defines();
        options.extend([format!("-arch={arch}"), "--fmad=false".into(), "--ptxas-options=-v".into()]);
        let options: Vec<CString> = options.into_iter().map(|option| CString::new(option).unwrap()).collect();
        let options: Vec<Text> = options.iter().map(|option| option.as_ptr()).collect();
        let source = CString::new(kind.source()).unwrap();
        let (mut program, no_headers): (*mut c_void, *const Text) = (null_mut(), null());
        let created = call!(
            self, "nvrtcCreateProgram", &mut program => *mut *mut c_void, source.as_ptr() => Text,
            c"kernels.cu".as_ptr() => Text, 0 => c_int, no_headers => *const Text, no_headers => *const Text,
        );
        assert_eq!(created, 0);
        let compiled = call!(
            self, "nvrtcCompileProgram", program => *mut c_void, options.len() as c_int => c_int,
            options.as_ptr() => *const Text,
        );
        let mut size = 0;
        call!(self, "nvrtcGetProgramLogSize", program => *mut c_void, &mut size => *mut usize);
        let mut log = vec![0u8; size];
        call!(self, "nvrtcGetProgramLog", program => *mut c_void, log.as_mut_ptr() => *mut u8);
        let log = CStr::from_bytes_until_nul(&log).unwrap().to_string_lossy().into_owned();
        assert_eq!(compiled, 0, "{kind:?} for {arch}: {log}");
        let mut size = 0;
        assert_eq!(call!(self, "nvrtcGetCUBINSize", program => *mut c_void, &mut size => *mut usize), 0);
        assert!(size > 0, "{kind:?} for {arch} has no machine code");
        assert_eq!(call!(self, "nvrtcDestroyProgram", &mut program => *mut *mut c_void), 0);
        log
    }
}

#[test]
#[ignore = "needs NVRTC"]
fn kernels_compile_for_gpus_and_keep_configurations_in_registers() {
    let Ok(path) = std::env::var("NVRTC") else {
        return println!("skipped: NVRTC names no library");
    };
    // SAFETY: loading a library of NVIDIA's runs what its authors mean to run.
    let nvrtc = Nvrtc(unsafe { Library::new(path) }.unwrap());
    let (of_engines, of_numbers) = (engine_kinds(), number_kinds());
    // Functions of huge angles, such as those of complex ln cosh, need local memory.
    let has_angles = |kind: &Kind| {
        let defines = kind.defines();
        ["-DCOMPLEX=1", "-DLN_COSH=1"].iter().all(|name| defines.iter().any(|define| define == name))
    };
    let check = |kind: &Kind, is_of_engine: bool| {
        for arch in ["sm_75", "sm_90"] {
            let log = nvrtc.compile(kind, arch);
            if !is_of_engine {
                continue;
            }
            let frames: Vec<&str> = log.lines().filter(|line| line.contains("bytes stack frame")).collect();
            assert!(frames.len() >= kernel_names(&kind.source()).count(), "{kind:?} for {arch}: {log}");
            let are_empty = frames.iter().all(|frame| frame.contains(" 0 bytes stack frame"));
            assert!(are_empty || has_angles(kind), "{kind:?} for {arch}: {log}");
        }
    };
    of_engines.par_iter().for_each(|kind| check(kind, true));
    of_numbers.par_iter().for_each(|kind| check(kind, false));
    println!("{} kinds for each architecture", of_engines.len() + of_numbers.len());
}
