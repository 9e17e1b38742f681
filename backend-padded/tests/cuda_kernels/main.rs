//! The CUDA kernels on the CPU, against the engine that they stand in for. They need g++ (or another compiler for C++ that
//! `CXX` names), so they are ignored where it may be missing:
//!
//! ```sh
//! cargo test -p backend-padded --test cuda_kernels -- --ignored
//! ```
//!
//! `SHIM_SEED=1` lets threads and blocks take turns in another order, `SHIM_SAMPLES` is how many samples an operator has,
//! and `SHIM_FLAGS` goes to the compiler. `NVRTC` names the library of the real compiler, which needs no GPU either.
//! `.ci/cuda` runs the tests in these ways.

mod buffers;
mod case;
mod chains;
mod compiler;
mod conn;
#[allow(dead_code)]
#[path = "../../src/cuda/kernels/mod.rs"]
mod kernels;
mod kinds;
mod mels;
mod numbers;
mod nvrtc;
mod rows;
mod units;
