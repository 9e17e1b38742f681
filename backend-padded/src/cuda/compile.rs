//! CUDA C to code that a device loads, by NVRTC.

use std::ffi::{CStr, CString, c_char};
use std::fmt;

use candle_core::cuda_backend::cudarc::nvrtc::result::{self, NvrtcError};
use candle_core::cuda_backend::cudarc::nvrtc::{Ptx, sys};

/// A source of kernels, and the macros that it is compiled with.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) source: String,
    /// Options `-DNAME=VALUE`.
    pub(crate) defines: Vec<String>,
}

/// Why a source did not become code.
#[derive(Debug)]
pub(crate) struct CompileError {
    defines: Vec<String>,
    error: NvrtcError,
    log: String,
}

impl std::error::Error for CompileError {}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NVRTC does not compile the kernels with {:?}: {:?}",
            self.defines.join(" "),
            self.error.0
        )?;
        if let Some(remedy) = remedy(self.error) {
            write!(f, "; {remedy}")?;
        }
        let log = self.log.trim();
        if log.is_empty() { Ok(()) } else { write!(f, "\n{log}") }
    }
}

/// What to do about an error that is not the source's.
fn remedy(error: NvrtcError) -> Option<&'static str> {
    match error.0 {
        sys::nvrtcResult::NVRTC_ERROR_BUILTIN_OPERATION_FAILURE => Some(
            "it does not find libnvrtc-builtins: put the folder of libnvrtc.so and libnvrtc-builtins.so, which must be \
             of one version, on LD_LIBRARY_PATH",
        ),
        sys::nvrtcResult::NVRTC_ERROR_INVALID_OPTION => Some(
            "it is too old: use NVRTC of CUDA 11.8 or later, and put its folder first on LD_LIBRARY_PATH",
        ),
        sys::nvrtcResult::NVRTC_ERROR_OUT_OF_MEMORY => Some("the host has too little memory"),
        _ => None,
    }
}

/// Code for an architecture such as 90.
///
/// It is machine code, which a driver older than the compiler can load. Where the device is newer than the compiler it is
/// PTX for the newest architecture that the compiler knows, and the driver translates it.
pub(crate) fn compile(unit: &Unit, arch: i32) -> Result<Ptx, CompileError> {
    let failed = |error, log| CompileError { defines: unit.defines.clone(), error, log };
    let without_log = |error| failed(error, String::new());
    let target = Target::of(arch, &architectures().map_err(without_log)?);
    let mut options = unit.defines.clone();
    options.push(format!("--gpu-architecture={target}"));
    options.push("--std=c++17".into());
    // Fused operations round once. Without them elements have the bits that the CPU gives them.
    options.push("--fmad=false".into());
    let program = Program::new(unit).map_err(without_log)?;
    program.compile(&options).map_err(|error| failed(error, program.log()))?;
    let code = match target {
        Target::Machine(_) => program.cubin().map(Ptx::from_binary),
        Target::Virtual(_) => program.ptx().map(Ptx::from_src),
    };
    code.map_err(without_log)
}

/// What code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// A real architecture.
    Machine(i32),
    /// All architectures from this one on.
    Virtual(i32),
}

impl Target {
    fn of(arch: i32, known: &[i32]) -> Self {
        if known.contains(&arch) {
            return Target::Machine(arch);
        }
        // The compiler says what is wrong with an architecture older than all that it knows.
        Target::Virtual(known.iter().copied().filter(|&known| known < arch).max().unwrap_or(arch))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Machine(arch) => write!(f, "sm_{arch}"),
            Target::Virtual(arch) => write!(f, "compute_{arch}"),
        }
    }
}

/// The architectures that the compiler knows.
fn architectures() -> Result<Vec<i32>, NvrtcError> {
    let mut n = 0;
    // SAFETY: it writes one number.
    unsafe { sys::nvrtcGetNumSupportedArchs(&mut n) }.result()?;
    let mut archs = vec![0; n as usize];
    // SAFETY: there is room for as many numbers as it announced.
    unsafe { sys::nvrtcGetSupportedArchs(archs.as_mut_ptr()) }.result()?;
    Ok(archs)
}

/// A program of NVRTC, destroyed when dropped.
struct Program(sys::nvrtcProgram);

impl Program {
    fn new(unit: &Unit) -> Result<Self, NvrtcError> {
        let invalid = |_| NvrtcError(sys::nvrtcResult::NVRTC_ERROR_INVALID_INPUT);
        let source = CString::new(unit.source.as_str()).map_err(invalid)?;
        // NVRTC copies it.
        result::create_program(&source, Some(c"kernels.cu")).map(Program)
    }

    fn compile(&self, options: &[String]) -> Result<(), NvrtcError> {
        // SAFETY: the program exists.
        unsafe { result::compile_program(self.0, options) }
    }

    /// What the compiler wrote; empty if it does not say.
    fn log(&self) -> String {
        // SAFETY: the program exists.
        unsafe { result::get_program_log(self.0) }.map(|log| text(&log)).unwrap_or_default()
    }

    fn ptx(&self) -> Result<String, NvrtcError> {
        // SAFETY: the program exists.
        unsafe { result::get_ptx(self.0) }.map(|ptx| text(&ptx))
    }

    fn cubin(&self) -> Result<Vec<u8>, NvrtcError> {
        let mut size = 0;
        // SAFETY: the program exists, and it writes one number.
        unsafe { sys::nvrtcGetCUBINSize(self.0, &mut size) }.result()?;
        let mut cubin = vec![0u8; size];
        // SAFETY: there is room for as many bytes as it announced.
        unsafe { sys::nvrtcGetCUBIN(self.0, cubin.as_mut_ptr().cast()) }.result()?;
        Ok(cubin)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the program exists, and nobody uses it any more. Nothing can be done if it is not destroyed.
        let _ = unsafe { result::destroy_program(self.0) };
    }
}

/// A text that ends with a zero.
fn text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars.iter().map(|&c| c as u8).collect();
    CStr::from_bytes_until_nul(&bytes).unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_newer_than_the_compiler_get_ptx() {
        assert_eq!(Target::of(80, &[75, 80, 90]).to_string(), "sm_80");
        assert_eq!(Target::of(89, &[75, 80, 90]).to_string(), "compute_80");
        assert_eq!(Target::of(121, &[75, 90, 80]).to_string(), "compute_90");
        assert_eq!(Target::of(50, &[75, 80]).to_string(), "compute_50");
    }

    #[test]
    fn errors_have_log_and_remedy() {
        let error = |code, log: &str| {
            let defines = vec!["-DREAL=double".into(), "-DCOMPLEX=0".into()];
            CompileError { defines, error: NvrtcError(code), log: log.into() }.to_string()
        };
        assert_eq!(
            error(sys::nvrtcResult::NVRTC_ERROR_COMPILATION, "mask.cu(3): error: no\n\n"),
            "NVRTC does not compile the kernels with \"-DREAL=double -DCOMPLEX=0\": NVRTC_ERROR_COMPILATION\n\
             mask.cu(3): error: no"
        );
        let missing = error(sys::nvrtcResult::NVRTC_ERROR_BUILTIN_OPERATION_FAILURE, "");
        assert!(missing.contains("libnvrtc-builtins") && missing.contains("LD_LIBRARY_PATH"), "{missing}");
    }

    #[test]
    #[ignore = "needs a GPU or its stand-in"]
    fn a_source_that_is_wrong_gives_the_compilers_log() {
        let unit = Unit { source: "int f() { return missing; }".into(), defines: Vec::new() };
        let error = compile(&unit, 90).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("NVRTC_ERROR_COMPILATION\n") && error.contains("missing"), "{error}");
    }
}
