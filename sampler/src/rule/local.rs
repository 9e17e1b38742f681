//! Changes of one site.

use operator_core::HilbertSpace;
use rand::RngExt;

use super::{HostRule, SiteMoves};
use crate::changes::apply;
use crate::error::{Error, Result};
use crate::rng::ChainRng;

/// Draws a site uniformly, and proposes another of its local states uniformly.
///
/// Refuses constrained spaces ([`Error::Constrained`]) and spaces of one state ([`Error::NoMoves`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalRule;

const NAME: &str = "LocalRule";

/// The change of a site to the `shift`-th of its local states after the present one; `None` if that is the same.
/// The shift is less than the number of local states.
///
/// # Errors
/// [`Error::NotALocalState`] if `x` is not a state of the space, as another rule of a mixture may leave it.
pub(crate) fn shifted(
    hilbert: &HilbertSpace,
    site: usize,
    shift: usize,
    x: &[i8],
) -> Result<Option<(usize, i8)>> {
    let (local, value) = (hilbert.local_states(site)?, x[site]);
    let Some(present) = local.index(value) else {
        return Err(Error::NotALocalState { site, value, hilbert: hilbert.to_string() });
    };
    let next = present + shift;
    let new = local.value(if next < local.dim() { next } else { next - local.dim() });
    Ok((new != value).then_some((site, new)))
}

fn draw(hilbert: &HilbertSpace, x: &[i8], rng: &mut ChainRng) -> Result<Option<(usize, i8)>> {
    if x.is_empty() {
        return Ok(None);
    }
    let site = rng.random_range(0..x.len());
    let shift = match hilbert.local_states(site)?.dim() {
        0 | 1 => return Ok(None),
        // There is only one other state, so there is nothing to draw.
        2 => 1,
        len => rng.random_range(1..len),
    };
    shifted(hilbert, site, shift, x)
}

impl HostRule for LocalRule {
    fn propose_row(&self, hilbert: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> Result<f64> {
        apply(draw(hilbert, x, rng)?, x);
        Ok(0.0)
    }

    fn propose_changes(
        &self,
        hilbert: &HilbertSpace,
        x: &[i8],
        rng: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> Result<f64> {
        changes.extend(draw(hilbert, x, rng)?);
        Ok(0.0)
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

    fn stays(&self) -> bool {
        true
    }

    fn site_moves(&self) -> Option<SiteMoves> {
        Some(SiteMoves::local())
    }
}
