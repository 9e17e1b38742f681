//! A rule of a third party.

use std::f64::consts::LN_2;

use operator_core::HilbertSpace;
use rand::RngExt;
use sampler::testing::{EnumerateHost, Move};
use sampler::{ChainRng, HostRule};

/// Fills a site with probability 2/3, empties it with 1/3, and stays where it cannot.
#[derive(Clone, Debug)]
pub(crate) struct Drift;

impl Drift {
    /// The move of a site up or down, and its correction.
    fn step(hilbert: &HilbertSpace, x: &mut [i8], site: usize, up: bool) -> f64 {
        let (step, log_correction) = if up { (1, -LN_2) } else { (-1, LN_2) };
        match hilbert.local_states(site).expect("a site").index(x[site] + step) {
            None => 0.0,
            Some(_) => {
                x[site] += step;
                log_correction
            }
        }
    }
}

impl HostRule for Drift {
    fn propose_row(&self, hilbert: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> sampler::Result<f64> {
        let site = rng.random_range(0..x.len());
        Ok(Drift::step(hilbert, x, site, rng.random_range(0..3) < 2))
    }
}

impl EnumerateHost for Drift {
    fn host_moves(&self, hilbert: &HilbertSpace, x: &[i8]) -> sampler::Result<Vec<Move>> {
        let moves = (0..x.len()).flat_map(|site| [(site, true, 2.0), (site, false, 1.0)]);
        let moves = moves
            .map(|(site, up, thirds)| {
                let mut state = x.to_vec();
                let log_correction = Drift::step(hilbert, &mut state, site, up);
                Move { state, probability: thirds / (3 * x.len()) as f64, log_correction }
            })
            .collect();
        Ok(moves)
    }
}
