//! Checks the sites that a term names.

use crate::error::{Error, Result};
use crate::hilbert::HilbertSpace;

/// Checks that `sites` exist and are distinct.
pub(super) fn check_sites(hilbert: &HilbertSpace, sites: &[usize], term: &dyn Fn() -> String) -> Result<()> {
    let n_sites = hilbert.n_sites();
    if let Some(&site) = sites.iter().find(|&&site| site >= n_sites) {
        return Err(Error::SiteOutOfRange { term: term(), site, n_sites, hilbert: hilbert.to_string() });
    }
    let mut sorted = sites.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::RepeatedSite { term: term(), site: pair[0] }),
        None => Ok(()),
    }
}
