//! Moves as lists of changed sites.

use operator_core::HilbertSpace;

use crate::error::{Error, Result};

/// The sites on which `to` differs from `from`, with their new quantum numbers.
pub(crate) fn differences(from: &[i8], to: &[i8]) -> impl Iterator<Item = (usize, i8)> {
    let sites = from.iter().zip(to).enumerate();
    sites.filter(|(_, (from, to))| from != to).map(|(site, (_, &to))| (site, to))
}

/// Turns x into the x' with these new quantum numbers. The sites must exist.
#[inline]
pub(crate) fn apply(changes: impl IntoIterator<Item = (usize, i8)>, x: &mut [i8]) {
    for (site, value) in changes {
        x[site] = value;
    }
}

/// Why x' is no state of the space, if it is none. x is one, and the changed sites exist.
pub(crate) fn check_changed(
    hilbert: &HilbertSpace,
    x: &[i8],
    changes: &[(usize, i8)],
) -> std::result::Result<(), String> {
    for (k, &(site, value)) in changes.iter().enumerate() {
        let local = hilbert.local_states(site).map_err(|error| error.to_string())?;
        if local.index(value).is_none() {
            return Err(format!("site {site} gets {value}, which is not one of its local states"));
        }
        if changes[..k].iter().any(|&(earlier, _)| earlier == site) {
            return Err(format!("site {site} is changed twice"));
        }
    }
    if hilbert.is_constrained() {
        let mut to = x.to_vec();
        apply(changes.iter().copied(), &mut to);
        return hilbert.check_row(0, &to).map_err(|error| error.to_string());
    }
    Ok(())
}

/// Checks that the sites exist that a rule of a third party changes.
#[inline]
pub(crate) fn check_sites(chain: usize, changes: &[(usize, i8)], n_sites: usize) -> Result<()> {
    match changes.iter().find(|(site, _)| *site >= n_sites) {
        None => Ok(()),
        Some(&(site, _)) => Err(Error::ChangedSite { chain, site, n_sites }),
    }
}
