//! Samples of |ψ|², on either backend.
//!
//! A [`Sampler`] draws them. A [`MetropolisSampler`] joins a space, a [`Rule`] and settings; its [`Chains`] continue
//! from call to call. [`HamiltonianSampler`] takes its moves from an operator, whose backend marker selects the
//! implementation at compile time. Chains and samples are on the wave function's device; on CUDA devices all chains
//! take each step there, as one batch.
//!
//! ```
//! use backend_flat::Flat;
//! use ndarray::{Array1, Array2};
//! use num_complex::Complex64;
//! use operator_core::{
//!     Boundary, Graph, HilbertSpace, Ising, Model, Result, WaveFunction, hilbert::Spin,
//! };
//! use sampler::HamiltonianSampler;
//!
//! /// ψ(x) = exp(h Σ x_i)
//! struct Field(HilbertSpace, f64);
//!
//! impl WaveFunction<Flat> for Field {
//!     fn hilbert(&self) -> &HilbertSpace {
//!         &self.0
//!     }
//!     fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
//!         Ok(x.rows().into_iter().map(|x| x.iter().map(|&q| self.1 * f64::from(q)).sum::<f64>().into()).collect())
//!     }
//! }
//!
//! let spins = Spin::half(6).unwrap();
//! let chain = Graph::chain(6, Boundary::Periodic).unwrap();
//! let ising = Ising::new(spins.clone(), &chain, 1.0, 1.0).unwrap().lower::<Flat>().unwrap();
//!
//! let sampler = HamiltonianSampler::new(&ising)?.with_n_chains(8)?.with_seed(42);
//! let psi = Field(spins.into(), 0.3);
//! let mut chains = sampler.start(&psi)?;
//! let samples = sampler.sample(&psi, &mut chains, 200, 20)?;
//! assert_eq!(samples.to_host()?.dim(), (8, 200, 6));
//!
//! let mean = samples.configurations().mapv(f64::from).mean().unwrap();
//! assert!((mean - 0.6_f64.tanh()).abs() < 0.1);
//! # Ok::<(), sampler::Error>(())
//! ```
//!
//! Where things are:
//! - [`HamiltonianSampler`], [`LocalSampler`], [`ExchangeSampler`]: samplers with the rules of this crate;
//! - [`HostRule`]: a rule written elsewhere, for every backend; [`Rule`]: one for a backend's own batches;
//! - [`Proposer`]: a rule for chains that follow a wave function's walker;
//! - [`DirectSampler`], [`Autoregressive`]: independent samples, site by site;
//! - [`HamiltonianBackend`]: what a backend does for [`HamiltonianSampler`];
//! - `sampler::testing`, with the feature `testing`: exact tests of a rule on small spaces.
//!
//! The package of this library is `lattice-sampler`:
//! `sampler = { package = "lattice-sampler", version = "0.1" }`.
//!
//! The examples use the flat backend, so doc tests need the default features.

mod backend;
mod chain;
mod changes;
mod check;
mod direct;
mod error;
mod metropolis;
pub mod prelude;
mod rng;
mod rule;
mod samples;
mod sampling;
mod setup;
#[cfg(feature = "testing")]
pub mod testing;
mod weights;

pub use backend::{Connections, HamiltonianBackend};
#[doc(hidden)]
pub use backend::{DeviceChains, LogPsi, ReadChains};
pub use chain::{Chains, ChainsSnapshot};
pub use direct::{Autoregressive, DirectChains, DirectSampler};
pub use error::{Error, Result};
pub use metropolis::{ExchangeSampler, HamiltonianSampler, LocalSampler, MetropolisSampler};
pub use rng::ChainRng;
#[doc(hidden)]
pub use rule::SiteMoves;
pub use rule::{
    Conserved, ExchangeRule, HamiltonianRule, HostRule, LocalRule, MixtureRule, Place, Proposal, Proposer,
    Rule, Sector,
};
pub use samples::Samples;
pub use sampling::Sampler;

/// The versions that stand in this crate's signatures.
#[cfg(feature = "padded")]
pub use candle_core;
pub use {ndarray, num_complex, rand};

/// Runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
