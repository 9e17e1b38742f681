//! Samples as they come out of a sampler.

use ndarray::{Array2, Array3};
use operator_core::Backend;

use crate::error::{Error, Result};

/// Configurations drawn from |ψ|².
#[derive(Clone, Debug)]
pub struct Samples<B: Backend> {
    configurations: B::Configurations,
    n_chains: usize,
    n_per_chain: usize,
}

impl<B: Backend> Samples<B> {
    /// Samples of some chains, for authors of a [`Sampler`](crate::Sampler).
    ///
    /// `configurations` has shape `(n_chains · n_per_chain, n_sites)`, with all samples of chain 0 first.
    ///
    /// # Errors
    /// [`Error::Count`] for another number of configurations.
    pub fn new(configurations: B::Configurations, n_chains: usize, n_per_chain: usize) -> Result<Self> {
        let (got, expected) = (B::batch_len(&configurations), n_chains.saturating_mul(n_per_chain));
        if got != expected {
            return Err(Error::Count { what: "samples", got, expected });
        }
        Ok(Samples { configurations, n_chains, n_per_chain })
    }

    /// All samples, shape `(n_chains · n_per_chain, n_sites)`: those of chain 0 in their order, then those of
    /// chain 1, and so on.
    pub fn configurations(&self) -> &B::Configurations {
        &self.configurations
    }

    /// All samples, as [`configurations`](Self::configurations).
    pub fn into_configurations(self) -> B::Configurations {
        self.configurations
    }

    /// Number of chains.
    pub fn n_chains(&self) -> usize {
        self.n_chains
    }

    /// Number of samples of each chain.
    pub fn n_per_chain(&self) -> usize {
        self.n_per_chain
    }

    /// Number of samples of all chains together.
    pub fn len(&self) -> usize {
        B::batch_len(&self.configurations)
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples on the host, shape `(n_chains, n_per_chain, n_sites)`.
    ///
    /// # Errors
    /// [`Error::Core`] if the backend fails; [`Error::Count`] if it gives another number of samples.
    pub fn to_host(&self) -> Result<Array3<i8>> {
        let rows: Array2<i8> = B::to_host(&self.configurations)?;
        let (n, n_sites) = rows.dim();
        let rows = rows.as_standard_layout().into_owned();
        rows.into_shape_with_order((self.n_chains, self.n_per_chain, n_sites)).map_err(|_| Error::Count {
            what: "samples",
            got: n,
            expected: self.n_chains.saturating_mul(self.n_per_chain),
        })
    }
}
