//! Samples as they come out.

use ndarray::{Array2, Array3};
use operator_core::Backend;

use crate::error::{Error, Result};

/// Configurations drawn from |ψ|².
#[derive(Clone, Debug)]
pub struct Samples<B: Backend> {
    /// Shape `(n_chains · n_per_chain, n_sites)`: all samples of chain 0 in their order, then those of
    /// chain 1, and so on.
    pub configurations: B::Configurations,
    /// Number of chains.
    pub n_chains: usize,
    /// Samples of each chain.
    pub n_per_chain: usize,
}

impl<B: Backend> Samples<B> {
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
    /// [`Error::Core`] if the backend fails; [`Error::Count`] if the fields contradict each other.
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
