//! The padded backend on a CUDA device: a GPU, or the stand-in that `.ci/cuda-stand-in` builds.
//!
//! ```sh
//! cargo test -p backend-padded --features cuda -- --ignored --test-threads=1
//! ```

mod chains;
mod copies;
mod device;
mod elements;
mod estimators;
mod gradients;
mod refused;
mod units;
