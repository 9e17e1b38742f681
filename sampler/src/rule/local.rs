//! Another local state of one site.

use operator_core::HilbertSpace;
use operator_core::hilbert::LocalStates;
use rand::RngExt;

use super::HostRule;
use crate::changes::apply;
use crate::error::{Error, Result};
use crate::rng::ChainRng;

/// Proposes another local state, uniformly, of one site, uniformly.
///
/// Refuses constrained spaces ([`Error::Constrained`]) and spaces of one state ([`Error::NoMoves`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalRule;

const NAME: &str = "LocalRule";

/// A site and the `shift`-th of its local states after the present one, if that is another. The shift is less
/// than the number of local states.
///
/// `x` is a state of the space: a quantum number that is none, left there by another rule of a mixture, stays.
pub(crate) fn shifted(local: LocalStates, site: usize, shift: usize, x: &[i8]) -> Option<(usize, i8)> {
    let present = x[site];
    let next = local.index(present)? + shift;
    let value = local.value(if next < local.dim() { next } else { next - local.dim() });
    (value != present).then_some((site, value))
}

fn draw(hilbert: &HilbertSpace, x: &[i8], rng: &mut ChainRng) -> Option<(usize, i8)> {
    if x.is_empty() {
        return None;
    }
    let site = rng.random_range(0..x.len());
    let local = hilbert.local(site);
    let shift = match local.dim() {
        0 | 1 => return None,
        // There is one other state, and nothing to be drawn.
        2 => 1,
        len => rng.random_range(1..len),
    };
    shifted(local, site, shift, x)
}

impl HostRule for LocalRule {
    fn propose_row(&self, hilbert: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> f64 {
        apply(draw(hilbert, x, rng), x);
        0.0
    }

    fn propose_changes(
        &self,
        hilbert: &HilbertSpace,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> f64 {
        changes.extend(draw(hilbert, x, rng));
        0.0
    }

    fn check_space(&self, hilbert: &HilbertSpace) -> Result<()> {
        if hilbert.is_constrained() {
            return Err(Error::Constrained { rule: NAME, hilbert: hilbert.to_string() });
        }
        if hilbert.blocks().iter().all(|block| block.local().dim() < 2) {
            return Err(Error::no_moves(NAME, hilbert, "every site has one local state"));
        }
        Ok(())
    }
}
