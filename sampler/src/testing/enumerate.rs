//! Rules that list what they may propose.

use operator_core::{Backend, HilbertSpace};

use crate::error::Result;
use crate::rule::{HostRule, Place, Rule};

/// One x' that a rule may propose from some x, as [`Enumerate`] lists them.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The configuration x'.
    pub state: Vec<i8>,
    /// The probability of proposing it this way.
    pub probability: f64,
    /// The correction that [`Rule::propose`] gives with it.
    pub log_correction: f64,
}

/// A rule that can list what it may propose, for exact tests on small spaces.
///
/// Implementations use the code that proposes, with every outcome of its draws in turn.
pub trait Enumerate<B: Backend>: Rule<B> {
    /// Everything that may be proposed from `x`; the probabilities add up to 1. A state may come more than
    /// once, and `x` itself may come too.
    ///
    /// # Errors
    /// As [`Rule::propose`].
    fn moves(&self, place: Place<'_, B>, x: &[i8]) -> Result<Vec<Move>>;
}

/// What [`Enumerate`] asks of a rule on the host, for [`MixtureRule`](crate::MixtureRule).
pub trait EnumerateHost: HostRule {
    /// Everything that may be proposed from `x`; see [`Enumerate::moves`].
    fn host_moves(&self, hilbert: &HilbertSpace, x: &[i8]) -> Vec<Move>;
}

impl<B: Backend, R: EnumerateHost> Enumerate<B> for R {
    fn moves(&self, place: Place<'_, B>, x: &[i8]) -> Result<Vec<Move>> {
        place.hilbert.check_row(0, x)?;
        self.check_space(place.hilbert)?;
        Ok(self.host_moves(place.hilbert, x))
    }
}
