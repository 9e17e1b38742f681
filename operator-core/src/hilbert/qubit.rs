//! Qubits.

use std::fmt;
use std::sync::Arc;

use super::block::{Block, LocalStates};
use super::layout::Layout;
use crate::error::Result;

/// Qubits, with quantum numbers 0 and 1.
///
/// ```
/// use operator_core::hilbert::{HilbertSpace, Qubit};
/// let space: HilbertSpace = Qubit::new(3)?.into();
/// assert_eq!(space.index_of(&[1, 0, 1])?, 5);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Qubit {
    layout: Arc<Layout>,
}

impl Qubit {
    /// `n` qubits.
    ///
    /// # Errors
    /// [`Error::InvalidHilbert`](crate::Error::InvalidHilbert) for no sites.
    pub fn new(n: usize) -> Result<Self> {
        let local = LocalStates { first: 0, step: 1, len: 2 };
        Ok(Qubit { layout: Layout::new(vec![Block { start: 0, n_sites: n, local, total: None }])? })
    }

    pub(super) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
}

impl fmt::Display for Qubit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Qubit({})", self.layout.n_sites)
    }
}
