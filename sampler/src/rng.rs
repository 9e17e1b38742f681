//! Random numbers of chains.

use std::convert::Infallible;

use rand::{Rng, SeedableRng, TryRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// The random number generator of one chain.
///
/// Rules draw from it with the methods of [`RngExt`](rand::RngExt). A clone draws the same numbers. Samplers make it
/// for their chains; [`seed_from_u64`](SeedableRng::seed_from_u64) makes one from a seed. Serde can store it.
///
/// The generator is xoshiro256++.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChainRng(Xoshiro256PlusPlus);

impl TryRng for ChainRng {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    #[inline]
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(to);
        Ok(())
    }
}

impl SeedableRng for ChainRng {
    type Seed = [u8; 32];

    fn from_seed(seed: [u8; 32]) -> Self {
        ChainRng(Xoshiro256PlusPlus::from_seed(seed))
    }

    fn seed_from_u64(seed: u64) -> Self {
        ChainRng(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
}

/// A generator for each chain, which depends only on the seed and the chain's number.
pub(crate) fn generators(seed: u64, n_chains: usize) -> Vec<ChainRng> {
    /// 2⁶⁴ / golden ratio, odd: multiples of different numbers differ.
    const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
    let start = mix(seed.wrapping_add(STRIDE));
    let seed = |chain: usize| mix(start.wrapping_add((chain as u64).wrapping_mul(STRIDE)));
    (0..n_chains).map(|chain| ChainRng::seed_from_u64(seed(chain))).collect()
}

/// The finaliser of SplitMix64, a bijection.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chains of one seed, and checkpoints, go on as they did when a generator was rand_xoshiro's own.
    #[test]
    fn it_draws_and_is_stored_as_xoshiro256_plus_plus() {
        let (mut ours, mut theirs) = (ChainRng::seed_from_u64(7), Xoshiro256PlusPlus::seed_from_u64(7));
        for _ in 0..100 {
            assert_eq!((ours.next_u64(), ours.next_u32()), (theirs.next_u64(), theirs.next_u32()));
            let (mut here, mut there) = ([0; 13], [0; 13]);
            ours.fill_bytes(&mut here);
            theirs.fill_bytes(&mut there);
            assert_eq!(here, there);
        }
        let stored = serde_json::to_string(&ours).unwrap();
        assert_eq!(stored, serde_json::to_string(&theirs).unwrap());
        assert_eq!(serde_json::from_str::<ChainRng>(&stored).unwrap(), ours);
    }
}
