//! Uniformly random states.

use ndarray::Array2;
use rand::{Rng, RngExt};

use super::block::Block;
use super::ranking;
use super::space::HilbertSpace;

impl HilbertSpace {
    /// Uniformly random states, shape `(n, n_sites)`.
    pub fn random_states<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<i8> {
        let blocks: Vec<RandomBlock<'_>> = self.blocks().iter().map(RandomBlock::new).collect();
        let mut states = Array2::zeros((n, self.n_sites()));
        for mut row in states.rows_mut() {
            let row = row.as_slice_mut().expect("rows of a new array are contiguous");
            blocks.iter().for_each(|block| block.write(rng, row));
        }
        states
    }
}

/// Draws uniformly random states of one block, one after another.
pub(super) struct RandomBlock<'a> {
    block: &'a Block,
    /// Scaled counts of [`ranking::weights`]; empty if not needed.
    weights: Vec<f64>,
}

impl<'a> RandomBlock<'a> {
    pub(super) fn new(block: &'a Block) -> Self {
        let weights = match block.total {
            Some(total) if block.local.len > 2 => ranking::weights(block.n_sites, block.local.len, total).0,
            _ => Vec::new(),
        };
        RandomBlock { block, weights }
    }

    pub(super) fn write<R: Rng + ?Sized>(&self, rng: &mut R, x: &mut [i8]) {
        let (n_sites, local) = (self.block.n_sites, self.block.local);
        let row = &mut x[self.block.start..self.block.start + n_sites];
        match self.block.total {
            None => row.iter_mut().for_each(|q| *q = local.value(rng.random_range(0..local.len))),
            Some(total) if local.len == 2 => {
                // Selection sampling: each site in turn, with the probability that remains.
                let mut left = total;
                for (site, q) in row.iter_mut().enumerate() {
                    let one = rng.random_range(0..n_sites - site) < left;
                    left -= usize::from(one);
                    *q = local.value(usize::from(one));
                }
            }
            Some(total) => self.write_by_weights(rng, row, total),
        }
    }

    /// Draws each site's index, weighted by the number of ways to complete the state.
    fn write_by_weights<R: Rng + ?Sized>(&self, rng: &mut R, row: &mut [i8], total: usize) {
        let n_sites = row.len();
        let mut left = total;
        for (site, q) in row.iter_mut().enumerate() {
            let after = &self.weights[(n_sites - 1 - site) * (total + 1)..][..=total];
            let choices = self.block.local.len.min(left + 1);
            let sum: f64 = (0..choices).map(|digit| after[left - digit]).sum();
            let mut threshold = rng.random::<f64>() * sum;
            let possible = (0..choices).filter(|&digit| after[left - digit] > 0.0);
            let mut chosen = 0;
            for digit in possible {
                chosen = digit;
                threshold -= after[left - digit];
                if threshold < 0.0 {
                    break;
                }
            }
            *q = self.block.local.value(chosen);
            left -= chosen;
        }
    }
}
