//! Kernels compiled by g++ as shared libraries.

use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use libloading::Library;

use super::kernels::{Kind, THREADS};

const SHIM: &str = include_str!("../cuda/shim/cuda_shim.h");

/// The functions that launch the kernels of a program.
#[derive(Clone, Copy)]
pub(crate) struct Kernels(&'static Library);

impl Kernels {
    /// Compiles the kernels of a kind; each kind once.
    pub(crate) fn of(kind: Kind) -> Self {
        type Libraries = HashMap<Kind, Arc<OnceLock<&'static Library>>>;
        static LIBRARIES: OnceLock<Mutex<Libraries>> = OnceLock::new();
        // Other kinds are compiled at the same time.
        let library = LIBRARIES.get_or_init(Mutex::default).lock().unwrap().entry(kind).or_default().clone();
        Kernels(library.get_or_init(|| {
            let path = compile(&kind);
            // SAFETY: the library has no code that runs when it is loaded.
            Box::leak(Box::new(unsafe { Library::new(&path) }.unwrap()))
        }))
    }

    /// See [`launch!`](launch). `args` are pointers to the arguments.
    pub(crate) fn launch<const N: usize>(self, kernel: &str, n_threads: usize, mut args: [*mut c_void; N]) {
        type Launcher = unsafe extern "C" fn(u32, u32, *mut *mut c_void);
        let grid = u32::try_from(n_threads.div_ceil(THREADS as usize)).unwrap();
        // SAFETY: the shim makes functions of this type (SHIM_EXPORT). Each test passes what its kernel's comment lists.
        unsafe {
            let launch = self.0.get::<Launcher>(format!("shim_{kernel}")).unwrap();
            launch(grid, THREADS, args.as_mut_ptr());
        }
    }
}

/// Launches a kernel with enough blocks for so many threads. Arguments live as long as the launch.
macro_rules! launch {
    ($kernels:expr, $kernel:expr, $n_threads:expr, $($arg:expr),+ $(,)?) => {
        $kernels.launch($kernel, $n_threads, [$(std::ptr::from_ref(&$arg).cast_mut().cast()),+])
    };
}
pub(crate) use launch;

/// A library with the kernels of a kind. Its name depends on all that goes into it, so that it is compiled once, also for
/// later runs.
fn compile(kind: &Kind) -> PathBuf {
    let source = kind.source();
    let mut text = format!("#include \"cuda_shim.h\"\n{source}\n");
    for name in kernel_names(&source) {
        text += &format!("SHIM_EXPORT({name})\n");
    }
    let mut flags = flags();
    flags.extend(["-w", "-shared"].map(String::from));
    flags.extend(kind.defines());
    let library = folder().join(format!("{:016x}.so", hash(&(&text, &flags))));
    if !library.exists() {
        let file = library.with_extension("cpp");
        std::fs::write(&file, text).unwrap();
        run(&flags, &file, &library);
    }
    library
}

/// Names after `__global__ void`.
pub(crate) fn kernel_names(source: &str) -> impl Iterator<Item = &str> {
    source.split("__global__ void ").skip(1).filter_map(|rest| rest.split('(').next())
}

fn compiler() -> String {
    std::env::var("CXX").unwrap_or_else(|_| "g++".into())
}

fn flags() -> Vec<String> {
    // Contracted operations would round otherwise than the CPU's.
    let own =
        ["-std=c++17", "-O1", "-g1", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-DSHIM_STRICT"];
    let more = std::env::var("SHIM_FLAGS").unwrap_or_default();
    own.into_iter().chain(more.split_whitespace()).map(String::from).collect()
}

/// Where the libraries of a compiler with these flags are. The shim is compiled in advance, since it takes as long as the
/// kernels.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let flags = flags();
        let name = format!("cuda_kernels/{:016x}", hash(&(SHIM, &flags, compiler())));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let (header, compiled) = (folder.join("cuda_shim.h"), folder.join("cuda_shim.h.gch"));
        if !compiled.exists() {
            std::fs::write(&header, SHIM).unwrap();
            let flags = [&flags[..], &["-w", "-x", "c++-header"].map(String::from)].concat();
            run(&flags, &header, &compiled);
        }
        folder
    })
}

/// Compiles a file. What it makes is moved to its place when it is whole.
fn run(flags: &[String], file: &Path, to: &Path) {
    let unfinished = to.with_extension(format!("{}.part", std::process::id()));
    let output = Command::new(compiler()).args(flags).arg("-o").arg(&unfinished).arg(file).output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}; set CXX to a compiler for C++", compiler()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(unfinished, to).unwrap();
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
