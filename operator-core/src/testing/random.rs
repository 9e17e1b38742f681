//! Random numbers that are the same on every machine, and samples for tests.

use std::convert::Infallible;

use ndarray::Array2;
use rand::TryRng;

use crate::error::Result;
use crate::hilbert::HilbertSpace;

/// Spaces of at most this many states are tested in full.
const ALL_STATES: usize = 1024;

/// Number of states tested on a larger space.
const SOME_STATES: usize = 48;

/// A small random number generator with the same output on every machine.
#[derive(Clone, Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The generator with this seed.
    pub fn new(seed: u64) -> Self {
        SplitMix(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from −1 to 1.
    pub fn number(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// A whole number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// `k` distinct numbers below `n` in random order; all of them if `k` is larger.
    pub fn distinct(&mut self, k: usize, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in 0..k.min(n) {
            let other = i + self.below(n - i);
            all.swap(i, other);
        }
        all.truncate(k);
        all
    }
}

impl TryRng for SplitMix {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for chunk in to.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The states to test an operator on: all states of a small space, random states of a large one.
///
/// # Errors
/// As for [`HilbertSpace::all_states`].
pub fn test_samples(hilbert: &HilbertSpace) -> Result<Array2<i8>> {
    match hilbert.n_states() {
        Ok(n_states) if n_states <= ALL_STATES => hilbert.all_states(),
        _ => hilbert.random_states(SOME_STATES, &mut SplitMix::new(11)),
    }
}
