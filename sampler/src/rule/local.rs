use operator_core::HilbertSpace;
use rand::RngExt;

use super::{EnumerateHost, HostRule, Move, apply, no_moves};
use crate::chain::ChainRng;
use crate::error::{Error, Result};

/// Proposes another local state, uniformly, of one site, uniformly.
///
/// Refuses constrained spaces ([`Error::Constrained`]) and spaces of one state ([`Error::NoMoves`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalRule;

const NAME: &str = "LocalRule";

/// A site and the `shift`-th of its local states after the present one, if that is another.
fn shifted(hilbert: &HilbertSpace, site: usize, shift: usize, x: &[i8]) -> Option<(usize, i8)> {
    let local = hilbert.local(site);
    let &present = x.get(site)?;
    let index = local.index(present).unwrap_or(0);
    let value = local.value((index + shift) % local.len.max(1));
    (value != present).then_some((site, value))
}

fn draw(hilbert: &HilbertSpace, x: &[i8], rng: &mut ChainRng) -> Option<(usize, i8)> {
    if x.is_empty() {
        return None;
    }
    let site = rng.random_range(0..x.len());
    let others = hilbert.local_dim(site).saturating_sub(1);
    if others == 0 {
        return None;
    }
    shifted(hilbert, site, rng.random_range(1..=others), x)
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
        if hilbert.blocks().iter().all(|block| block.local.len < 2) {
            return Err(no_moves(NAME, hilbert, "every site has one local state"));
        }
        Ok(())
    }
}

impl EnumerateHost for LocalRule {
    fn host_moves(&self, hilbert: &HilbertSpace, x: &[i8]) -> Vec<Move> {
        let mut moves = Vec::new();
        for site in 0..x.len() {
            let others = hilbert.local_dim(site).saturating_sub(1);
            // A site with one local state is drawn too, and stays.
            let shifts = if others > 0 { 1..=others } else { 0..=0 };
            let probability = 1.0 / (x.len() * others.max(1)) as f64;
            for shift in shifts {
                let mut state = x.to_vec();
                apply(shifted(hilbert, site, shift, x), &mut state);
                moves.push(Move { state, probability, log_correction: 0.0 });
            }
        }
        moves
    }
}
