//! Uniformly random states.

use ndarray::Array2;
use rand::{Rng, RngExt};

use super::block::Block;
use super::ranking;
use super::space::HilbertSpace;
use crate::error::Result;
use crate::operator::check_bytes;

impl HilbertSpace {
    /// Uniformly random states, shape `(n, n_sites)`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more than fit into memory.
    pub fn random_states<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Result<Array2<i8>> {
        let bytes = n as f64 * self.n_sites() as f64;
        check_bytes(|| format!("{n} random states of {self}"), bytes, "draw fewer at a time")?;
        let draw = self.random();
        let mut states = Array2::zeros((n, self.n_sites()));
        for mut row in states.rows_mut() {
            draw.write(rng, row.as_slice_mut().expect("rows of a new array are contiguous"));
        }
        Ok(states)
    }

    /// What draws uniformly random states of this space one by one, each with random numbers of its own if need be.
    pub fn random(&self) -> RandomStates<'_> {
        RandomStates { blocks: self.blocks().iter().map(RandomBlock::new).collect(), n_sites: self.n_sites() }
    }
}

/// Draws uniformly random states of a space, from [`HilbertSpace::random`].
pub struct RandomStates<'a> {
    blocks: Vec<RandomBlock<'a>>,
    n_sites: usize,
}

impl RandomStates<'_> {
    /// Writes a state's quantum numbers to `row`.
    ///
    /// # Panics
    /// Unless `row` has one place for each site.
    pub fn write<R: Rng + ?Sized>(&self, rng: &mut R, row: &mut [i8]) {
        assert_eq!(row.len(), self.n_sites, "a place for each site");
        self.blocks.iter().for_each(|block| block.write(rng, row));
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
