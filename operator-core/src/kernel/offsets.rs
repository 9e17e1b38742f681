//! Positions in a kernel's arrays as 32-bit numbers.

use std::ops::Range;

use crate::error::{Error, Result};

/// The part of an array between two offsets.
pub(crate) fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}

/// A position in an array as a 32-bit offset.
pub(crate) fn offset(n: usize) -> Result<u32> {
    u32::try_from(n).map_err(|_| Error::TooLarge {
        what: "the operator's lowered form".into(),
        bytes: n as f64 * 4.0,
        limit: f64::from(u32::MAX) * 4.0,
        remedy: "split it into a sum of operators",
    })
}
