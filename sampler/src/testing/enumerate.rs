//! Rules that list all their proposals.

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
    /// The correction that [`Rule::propose`] returns with it.
    pub log_correction: f64,
}

/// A rule that lists all its proposals, for exact tests on small spaces.
///
/// Implementations use the code that proposes, with every outcome of its draws in turn.
pub trait Enumerate<B: Backend>: Rule<B> {
    /// All proposals from `x`. Their probabilities add up to 1. A state may come more than once, and `x` itself may
    /// be among them.
    ///
    /// # Errors
    /// As [`Rule::propose`].
    fn moves(&self, place: Place<'_, B>, x: &[i8]) -> Result<Vec<Move>>;
}

/// [`Enumerate`] for rules on the host.
pub trait EnumerateHost: HostRule {
    /// All proposals from `x`; see [`Enumerate::moves`].
    ///
    /// # Errors
    /// As [`HostRule::propose_row`].
    fn host_moves(&self, hilbert: &HilbertSpace, x: &[i8]) -> Result<Vec<Move>>;
}

impl<B: Backend, R: EnumerateHost> Enumerate<B> for R {
    fn moves(&self, place: Place<'_, B>, x: &[i8]) -> Result<Vec<Move>> {
        place.hilbert.check_row(0, x)?;
        self.check_space(place.hilbert)?;
        self.host_moves(place.hilbert, x)
    }
}
