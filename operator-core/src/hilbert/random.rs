//! Uniformly random states.

use ndarray::Array2;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_distr::{Binomial, Distribution};

use super::block::Block;
use super::counting::Tilted;
use super::space::HilbertSpace;
use crate::error::Result;
use crate::memory;

impl HilbertSpace {
    /// Uniformly random states, shape `(n, n_sites)`.
    ///
    /// # Errors
    /// [`TooLarge`](crate::Error::TooLarge) beyond the [`memory::limit`].
    pub fn random_states<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Result<Array2<i8>> {
        let (what, bytes) = (|| format!("{n} states of {self}"), n as f64 * self.n_sites() as f64);
        memory::expect_fits(what, bytes, "draw fewer at a time")?;
        let draw = self.random();
        let mut states = Array2::zeros((n, self.n_sites()));
        for mut row in states.rows_mut() {
            draw.write(rng, row.as_slice_mut().expect("rows of a new array are contiguous"))?;
        }
        Ok(states)
    }

    /// What draws uniformly random states of this space one by one, each with random numbers of its own if need be.
    pub fn random(&self) -> RandomStates<'_> {
        RandomStates { hilbert: self, blocks: self.blocks().iter().map(RandomBlock::new).collect() }
    }
}

/// Draws uniformly random states of a space, from [`HilbertSpace::random`].
pub struct RandomStates<'a> {
    hilbert: &'a HilbertSpace,
    blocks: Vec<RandomBlock<'a>>,
}

impl RandomStates<'_> {
    /// Writes a state's quantum numbers to `row`.
    ///
    /// # Errors
    /// [`Error::SampleWidth`](crate::Error::SampleWidth) unless `row` has one place for each site.
    pub fn write<R: Rng + ?Sized>(&self, rng: &mut R, row: &mut [i8]) -> Result<()> {
        self.hilbert.check_width(row.len())?;
        self.blocks.iter().for_each(|block| block.write(rng, row));
        Ok(())
    }
}

/// Draws uniformly random states of one block, one after another.
pub(super) struct RandomBlock<'a> {
    block: &'a Block,
    /// If a sum is fixed and sites have more than two states: how the states of the sites are drawn.
    sites: Option<Tilted>,
}

impl<'a> RandomBlock<'a> {
    pub(super) fn new(block: &'a Block) -> Self {
        let tilted = |total| Tilted::new(block.n_sites, block.local.len, total);
        RandomBlock { block, sites: block.total.filter(|_| block.local.len > 2).map(tilted) }
    }

    pub(super) fn write<R: Rng + ?Sized>(&self, rng: &mut R, x: &mut [i8]) {
        let local = self.block.local;
        let row = &mut x[self.block.sites()];
        match (self.block.total, &self.sites) {
            (None, _) => row.iter_mut().for_each(|q| *q = local.value(rng.random_range(0..local.len))),
            (Some(_), Some(sites)) => {
                let mut rest = &mut *row;
                for (digit, n_sites) in random_counts(sites, rng).into_iter().enumerate() {
                    let (these, others) = rest.split_at_mut(n_sites);
                    these.fill(local.value(digit));
                    rest = others;
                }
                row.shuffle(rng);
            }
            (Some(total), None) => {
                // Selection sampling: each site in turn, with the probability that remains.
                let (mut left, n_sites) = (total, row.len());
                for (site, q) in row.iter_mut().enumerate() {
                    let one = rng.random_range(0..n_sites - site) < left;
                    left -= usize::from(one);
                    *q = local.value(usize::from(one));
                }
            }
        }
    }
}

/// How many sites have each local index in a uniformly random state.
///
/// For independent sites these numbers have a multinomial distribution. It is drawn until the sum of local indices is
/// right. That takes about as many draws as the sum has likely values, a number that grows with the root of the sites.
fn random_counts<R: Rng + ?Sized>(sites: &Tilted, rng: &mut R) -> Vec<usize> {
    let mut counts = vec![0; sites.weights.len()];
    loop {
        let (mut sites_left, mut weight_left, mut sum) = (sites.n_sites, 1.0, 0);
        for (digit, &weight) in sites.weights.iter().enumerate().skip(1).rev() {
            let share = if weight < weight_left { weight / weight_left } else { 1.0 };
            let drawn = Binomial::new(sites_left as u64, share).expect("a share is between 0 and 1");
            counts[digit] = drawn.sample(rng) as usize;
            sites_left -= counts[digit];
            weight_left -= weight;
            sum += digit * counts[digit];
        }
        counts[0] = sites_left;
        if sum == sites.total {
            return counts;
        }
    }
}
