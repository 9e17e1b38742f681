//! How much memory one request may take.
//!
//! Whatever grows with its input is estimated before it is allocated: lists of states, matrices, graphs, samples,
//! networks. An estimate beyond [`limit`] is [`Error::TooLarge`], which says what was asked for and what to do
//! instead. The limit holds for each request on its own, and for the whole process:
//!
//! ```
//! use operator_core::hilbert::{HilbertSpace, Qubit};
//! use operator_core::{Error, memory};
//! let space = HilbertSpace::from(Qubit::new(24)?);
//! assert_eq!(memory::limit(), memory::DEFAULT_LIMIT);
//!
//! memory::set_limit(100_000_000);
//! assert!(matches!(space.all_states(), Err(Error::TooLarge { .. })));
//! # Ok::<(), Error>(())
//! ```

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// The limit of a new process in bytes, 8 GiB.
pub const DEFAULT_LIMIT: u64 = 8 << 30;

static LIMIT: AtomicU64 = AtomicU64::new(DEFAULT_LIMIT);

/// The most bytes that one request may take.
pub fn limit() -> u64 {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets the [`limit`] for the whole process. Requests under way keep the old one.
///
/// ```standalone_crate
/// use operator_core::{Boundary, Error, Graph, Heisenberg, Model, hilbert::Spin, memory};
///
/// memory::set_limit(1 << 20);
/// let (spins, chain) = (Spin::half(4_000)?, Graph::chain(4_000, Boundary::Open)?);
/// // Each of the masks that the model is lowered to takes bits for 4000 sites.
/// let heisenberg = Heisenberg::new(spins, &chain, 1.0)?.definition();
/// assert!(matches!(heisenberg, Err(Error::TooLarge { .. })));
/// # Ok::<(), operator_core::Error>(())
/// ```
pub fn set_limit(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Checks that `bytes` fit. The number is a float, so that an estimate cannot overflow.
///
/// # Errors
/// [`Error::TooLarge`] beyond the [`limit`], with `what` would be that large and what to do instead.
pub fn expect_fits(what: impl FnOnce() -> String, bytes: f64, remedy: &'static str) -> Result<()> {
    let limit = limit() as f64;
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::TooLarge { what: what(), bytes, limit, remedy })
}
